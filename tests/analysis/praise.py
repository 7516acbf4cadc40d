"""Invented tickets that only praise or thank, and some that do so and want something. Subject and text are two lines.

Written before the words in ``words/praise.toml``, by the same author.
"""

from __future__ import annotations

PRAISE = (
    "Great service, thanks!\nGreat service, thanks!",
    "Thank you\nJust wanted to say thank you for the quick refund. You made my day.\nJo",
    "My order\nThe order arrived this morning and everything is perfect. Thanks a lot!",
    "Re: Login problem\nThanks, that solved it.",
    "Kudos to your support\nYour technician was friendly and the invoice is fine now. Excellent work!",
    "Thanks for the refund, it arrived today",
    "Danke für die schnelle Hilfe!",
    "Lob\nIhr Mitarbeiter war sehr freundlich. Vielen Dank für die tolle Beratung!",
    "Meine Bestellung\nDie Lieferung war super schnell, ich bin begeistert.",
    "AW: Anmeldung\nVielen Dank, jetzt funktioniert es wieder.",
    "Merci\nMerci beaucoup pour le remboursement rapide, votre équipe est formidable !",
    "Bravo\nExcellent service, livraison rapide. Merci !",
    "RE: connexion\nMerci, c'est résolu.",
    "Merci pour votre aide",
    "Gracias\nMuchas gracias por la devolución, todo perfecto.",
    "Felicidades\nExcelente atención, muy amables. ¡Gracias!",
    "RE: acceso\nGracias, ya está resuelto.",
    "Mi pedido\nEl pedido llegó perfecto, muchas gracias.",
    "Obrigado\nMuito obrigado pelo reembolso rápido, adorei o atendimento.",
    "Elogio\nExcelente serviço, equipa muito simpática.",
    "RE: acesso\nObrigada, já está resolvido.",
    "A encomenda\nA encomenda chegou perfeita, obrigado!",
    "Grazie\nGrazie mille per il rimborso veloce, siete fantastici.",
    "Complimenti\nServizio eccellente, personale gentilissimo.",
    "R: accesso\nGrazie, ora è risolto.",
    "Il mio ordine\nL'ordine è arrivato perfetto, grazie!",
    "Bedankt\nHartelijk dank voor de snelle terugbetaling, top service!",
    "Compliment\nUw medewerker was erg vriendelijk, geweldig geholpen.",
    "RE: inloggen\nBedankt, het is opgelost.",
    "Mijn bestelling\nDe bestelling is perfect aangekomen, dank u wel.",
    "お礼\n迅速なご対応ありがとうございました。とても助かりました。",
    "注文について\n商品が無事に届きました。ありがとうございました。",
    "Re: ログイン\nありがとうございます、解決しました。",
)

AND_MORE = (
    "Great service, but\nGreat service, but I was charged twice for the last invoice.",
    "Thanks\nThank you for your reply. The error still appears when I log in.",
    "Thanks in advance\nPlease send me the invoice for March. Thanks!",
    "Great app\nGreat app, thanks! Can you tell me where my parcel is?",
    "Thanks for nothing\nThanks for nothing, my account is still locked.",
    "Thank you, your server is down again and nobody can work",
    "Danke\nDanke für die Antwort, aber die Rechnung ist immer noch falsch.",
    "Vielen Dank im Voraus\nBitte erstatten Sie mir den Betrag. Vielen Dank!",
    "Merci\nMerci pour votre réponse, mais je n'ai toujours pas reçu mon colis.",
    "Merci d'avance\nMerci de m'envoyer la facture de mars.",
    "Gracias\nGracias por responder, pero el pedido todavía no ha llegado.",
    "Gracias de antemano\nNecesito la factura de marzo. Gracias.",
    "Obrigado\nObrigado pela resposta, mas a encomenda ainda não chegou.",
    "Grazie\nGrazie della risposta, ma il pacco non è ancora arrivato.",
    "Bedankt\nBedankt voor de reactie, maar de factuur klopt nog steeds niet.",
    "お礼とお願い\nご対応ありがとうございます。ただ、商品がまだ届いていません。",
    "Thanks\nThanks for the help. Someone logged into my account from Russia last night.",
    "Thank you\nThank you, please cancel my subscription.",
    "Thanks\nThanks, the login works. Now the export fails with an error.",
)
