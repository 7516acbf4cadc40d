"""Tickets that the imitated model writes when it is asked for some: sentences put together, the same for the same line.

It knows four languages and writes English in any other, as a weak model does.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from .openai_words import SYNONYMS

_LINE = re.compile(r"^\W*(\d{1,4})[.):]\s+(.+)$", re.MULTILINE)
_CATEGORY = re.compile(r"category\W{1,3}([\w-]{2,60})", re.IGNORECASE)
_LANGUAGE = re.compile(r"\(([a-z]{2,3})\)")
_MOOD = re.compile(r"\b(negative|neutral|positive)\b", re.IGNORECASE)


def asks_for_tickets(schema: Mapping[str, Any]) -> bool:
    """Whether an answer's schema is a list of things with a subject and a body."""
    properties = schema.get("properties")
    listed = properties.get("tickets") if isinstance(properties, Mapping) else None
    items = listed.get("items") if isinstance(listed, Mapping) else None
    fields = items.get("properties") if isinstance(items, Mapping) else None
    return isinstance(fields, Mapping) and {"subject", "body"} <= set(fields)


def write_tickets(text: str) -> dict[str, object]:
    """One ticket for each numbered line of ``text``."""
    return {"tickets": [_ticket(int(number), line) for number, line in _LINE.findall(text)]}


def _ticket(number: int, line: str) -> dict[str, object]:
    dice = random.Random(line)
    found = _LANGUAGE.search(line)
    language = found[1] if found and found[1] in _MATTERS else "en"
    named = _CATEGORY.search(line)
    category = named[1].lower().replace("-", "_") if named else "general"
    category = category if category in _MATTERS["en"] else SYNONYMS.get(category, "general")
    mood = _MOOD.search(line)
    matters = dice.sample(_MATTERS[language][category].split("|"), 2)
    detail = dice.choice(_DETAILS[language].split("|")).format(number=dice.randrange(10_000, 99_999), day=_day(dice))
    feeling = dice.choice(_MOODS[language][mood[1].lower() if mood else "neutral"].split("|"))
    greeting, closing = (dice.choice(parts.split("|")) for parts in _FRAMES[language])
    middle = [*matters, detail]
    dice.shuffle(middle)
    body = f"{greeting},\n\n{' '.join(middle)} {feeling}\n\n{closing}"
    return {"n": number, "subject": matters[0].rstrip(".?!"), "body": body}


def _day(dice: random.Random) -> str:
    return str(dice.randrange(2, 28))


_FRAMES = {
    "en": ("Hello|Hi there|Good morning|Dear team", "Thanks|Kind regards|Best wishes"),
    "de": ("Hallo|Guten Tag|Liebes Team|Guten Morgen", "Danke|Viele Grüße|Mit freundlichen Grüßen"),
    "fr": ("Bonjour|Madame, Monsieur|Chère équipe", "Merci|Cordialement|Bien à vous"),
    "es": ("Hola|Buenos días|Estimado equipo", "Gracias|Un saludo|Atentamente"),
}
_DETAILS = {
    "en": "My reference is {number}.|This began on the {day}th, in the evening.|I wrote to you before, number {number}."
    "|My colleague on the second floor sees the same.|I tried again twice since yesterday.",
    "de": "Meine Nummer ist {number}.|Es begann am {day}. abends.|Ich habe schon einmal geschrieben, Nummer {number}."
    "|Meine Kollegin im zweiten Stock sieht dasselbe.|Seit gestern habe ich es zweimal versucht.",
    "fr": "Ma référence est {number}.|Cela a commencé le {day} au soir.|Je vous ai déjà écrit, numéro {number}."
    "|Ma collègue du deuxième étage voit la même chose.|J'ai réessayé deux fois depuis hier.",
    "es": "Mi referencia es {number}.|Empezó el día {day} por la tarde.|Ya les escribí antes, número {number}."
    "|Mi compañera de la segunda planta ve lo mismo.|Lo he intentado dos veces desde ayer.",
}
_MOODS = {
    "en": {
        "negative": "This is really disappointing.|I am angry, this is unacceptable.|Terrible service, honestly.",
        "neutral": "Please let me know how to go on.|I would like to hear what comes next.|What do you need from me?",
        "positive": "You have always been great, thank you so much!|I love your service, keep it up!|Great team!",
    },
    "de": {
        "negative": "Das ist wirklich enttäuschend.|Ich bin verärgert, so geht das nicht.|Ein schrecklicher Service.",
        "neutral": "Bitte sagen Sie mir, wie es weitergeht.|Was brauchen Sie von mir?|Ich warte auf Ihre Antwort.",
        "positive": "Sie waren immer großartig, vielen Dank!|Ich bin sehr zufrieden mit Ihnen!|Tolles Team, danke!",
    },
    "fr": {
        "negative": "C'est vraiment décevant.|Je suis en colère, c'est inacceptable.|Un service lamentable.",
        "neutral": "Dites-moi comment procéder.|De quoi avez-vous besoin ?|J'attends votre réponse.",
        "positive": "Vous êtes toujours formidables, merci beaucoup !|J'adore votre service !|Super équipe, merci !",
    },
    "es": {
        "negative": "Es muy decepcionante.|Estoy enfadado, es inaceptable.|Un servicio pésimo, de verdad.",
        "neutral": "Díganme cómo seguimos.|¿Qué necesitan de mí?|Quedo a la espera de su respuesta.",
        "positive": "¡Siempre han sido estupendos, muchas gracias!|¡Me encanta su servicio!|¡Gran equipo, gracias!",
    },
}
_MATTERS = {
    "en": {
        "billing": "My invoice shows a charge that I cannot explain.|The payment by credit card was charged twice."
        "|I need the receipt for the subscription of last month.|The fee on my bill is higher than what we agreed.",
        "refund": "I want my money back for the jacket.|Where is the refund that was promised to me?"
        "|Please reimburse me for the damaged kettle.|I sent the lamp back and wait for the refund.",
        "technical": "The app crashes with an error as soon as I open the report.|Printing does not work any more."
        "|The page shows a timeout whenever I press save.|The update failed and the device is broken now.",
        "account": "I cannot log in, my password is not taken.|Please change the name on my profile."
        "|My account is locked out after the two-factor code.|How do I close my account for good?",
        "order": "My parcel has not been delivered.|The tracking of my shipment stands still."
        "|I would like to change the delivery of my order.|When is the blue chair in stock again?",
        "feature_request": "It would be great to have a dark mode.|Please add a way to export the calendar."
        "|A suggestion: let us sort the list by date.|I wish the feature for shared folders came to the phone too.",
        "security": "I received a phishing mail in your name.|Somebody hacked my profile and changed the address."
        "|There is a suspicious sign-in from another country.|My card was stolen and used without permission.",
        "general": "Which opening hours do you have in summer?|I have a question about your offer for schools."
        "|Where can I read your terms for companies?|Do you have a newsletter that I could receive?",
    },
    "de": {
        "billing": "Auf meiner Rechnung steht ein Betrag, den ich nicht verstehe.|Die Zahlung wurde zweimal abgebucht."
        "|Ich brauche die Rechnung für das Abonnement vom letzten Monat.|Die Gebühr ist höher als vereinbart.",
        "refund": "Ich möchte mein Geld zurück für die Jacke.|Wo bleibt die Erstattung, die mir versprochen wurde?"
        "|Bitte erstatten Sie mir den Wasserkocher.|Die Lampe ist zurückgeschickt, ich warte auf mein Geld.",
        "technical": "Die App stürzt mit einem Fehler ab, wenn ich den Bericht öffne.|Drucken funktioniert nicht mehr."
        "|Die Seite zeigt beim Speichern immer einen Fehler.|Nach der Aktualisierung ist das Gerät ausgefallen.",
        "account": "Ich kann mich nicht anmelden, mein Passwort gilt nicht mehr.|Bitte ändern Sie den Namen im Profil."
        "|Mein Konto ist nach dem Code gesperrt.|Wie kann ich mein Konto endgültig schließen?",
        "order": "Mein Paket ist nicht angekommen.|Die Sendungsverfolgung steht seit Tagen still."
        "|Ich möchte die Lieferung meiner Bestellung ändern.|Wann ist der blaue Stuhl wieder lieferbar?",
        "feature_request": "Ein dunkles Design wäre schön.|Mein Vorschlag: den Kalender exportieren können."
        "|Ich wünsche mir, dass man die Liste nach Datum sortieren kann.|Geteilte Ordner fehlen noch auf dem Telefon.",
        "security": "Ich habe eine betrügerische Mail in Ihrem Namen bekommen.|Jemand hat mein Profil gehackt."
        "|Es gab eine verdächtige Anmeldung aus einem anderen Land.|Meine Karte wurde gestohlen und benutzt.",
        "general": "Welche Öffnungszeiten haben Sie im Sommer?|Ich habe eine Frage zu Ihrem Angebot für Schulen."
        "|Wo kann ich Ihre Bedingungen für Firmen lesen?|Gibt es einen Rundbrief, den ich bekommen kann?",
    },
    "fr": {
        "billing": "Ma facture montre un montant que je ne comprends pas.|Le paiement a été prélevé deux fois."
        "|J'ai besoin de la facture pour l'abonnement du mois dernier.|Les frais dépassent le prix convenu.",
        "refund": "Je veux être remboursé pour la veste.|Où est le remboursement que vous m'avez promis ?"
        "|Merci de me rembourser la bouilloire abîmée.|J'ai renvoyé la lampe et j'attends mon argent.",
        "technical": "L'application affiche une erreur dès que j'ouvre le rapport.|L'impression ne fonctionne plus."
        "|La page tombe en panne quand je sauvegarde.|Depuis la mise à jour, l'appareil ne fonctionne plus.",
        "account": "Je ne peux pas me connecter, mon mot de passe est refusé.|Merci de changer le nom de mon profil."
        "|Mon compte est bloqué après le code.|Comment fermer mon compte pour toujours ?",
        "order": "Mon colis n'est pas arrivé.|Le suivi de la livraison ne bouge plus."
        "|Je voudrais changer l'adresse de ma commande.|Quand la chaise bleue sera-t-elle disponible ?",
        "feature_request": "Un mode sombre serait bien.|Je propose de pouvoir exporter le calendrier."
        "|Il manque une fonctionnalité pour trier la liste.|J'aimerais des dossiers partagés sur le téléphone.",
        "security": "J'ai reçu un message de fraude en votre nom.|Quelqu'un a piraté mon profil."
        "|Il y a une connexion suspecte depuis un autre pays.|Ma carte a été volée et utilisée sans mon accord.",
        "general": "Quels sont vos horaires en été ?|J'ai une question sur votre offre pour les écoles."
        "|Où puis-je lire vos conditions pour les entreprises ?|Avez-vous une lettre que je pourrais recevoir ?",
    },
    "es": {
        "billing": "Mi factura muestra un importe que no entiendo.|El pago se ha cobrado dos veces."
        "|Necesito la factura de la suscripción del mes pasado.|La tarifa es más alta que el precio acordado.",
        "refund": "Quiero que me devuelvan el dinero de la chaqueta.|¿Dónde está el reembolso que me prometieron?"
        "|Por favor, el reembolso del hervidor dañado.|He devuelto la lámpara y espero mi dinero.",
        "technical": "La aplicación da un error cuando abro el informe.|La impresión ya no funciona."
        "|La página falla cada vez que guardo.|Desde la actualización el aparato no funciona.",
        "account": "No puedo iniciar sesión, no acepta mi contraseña.|Cambien por favor el nombre de mi perfil."
        "|Mi cuenta está bloqueada después del código.|¿Cómo cierro mi cuenta para siempre?",
        "order": "Mi pedido no ha llegado.|El seguimiento del envío está parado."
        "|Quiero cambiar la entrega de mi pedido.|¿Cuándo habrá otra vez la silla azul?",
        "feature_request": "Sería genial tener un modo oscuro.|Una sugerencia: poder exportar el calendario."
        "|Falta una función para ordenar la lista.|Me gustaría tener carpetas compartidas en el teléfono.",
        "security": "He recibido un correo de fraude en su nombre.|Alguien ha hackeado mi perfil."
        "|Hay un acceso sospechoso desde otro país.|Me han robado la tarjeta y la han usado.",
        "general": "¿Qué horario tienen en verano?|Tengo una pregunta sobre su oferta para escuelas."
        "|¿Dónde puedo leer sus condiciones para empresas?|¿Tienen un boletín que pueda recibir?",
    },
}
