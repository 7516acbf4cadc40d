"""Words the imitated model goes by: lower-case, matched anywhere in the text, in six languages."""

from __future__ import annotations

CATEGORIES: dict[str, tuple[str, ...]] = {
    "refund": (
        *("refund", "money back", "chargeback", "return the item", "reimburs", "rückerstatt", "erstattung"),
        *("geld zurück", "rembours", "reembols", "devolución", "devolver el dinero", "rimborso"),
        *("dinheiro de volta", "estorno"),
    ),
    "security": (
        *("phishing", "hacked", "fraud", "stolen", "breach", "vulnerab", "suspicious", "malware", "unauthori"),
        *("gehackt", "betrug", "gestohlen", "sicherheitslücke", "piraté", "fraude", "robado", "rubato"),
        *("hackeado", "sospechos", "suspeit", "frode", "volée"),
    ),
    "billing": (
        *("invoice", "charged", "payment", "billing", "subscription", "credit card", "receipt", "fee", "price"),
        *("rechnung", "zahlung", "abbuch", "abonnement", "gebühr", "facture", "paiement", "prélev"),
        *("factura", "pago", "cobr", "fattura", "pagamento", "fatura", "addebit", "suscripción"),
    ),
    "account": (
        *("password", "log in", "login", "sign in", "locked out", "my account", "two-factor", "2fa", "profile"),
        *("passwort", "anmeld", "einlogg", "konto", "mot de passe", "connexion", "compte", "contraseña"),
        *("iniciar sesión", "cuenta", "accedere", "senha", "conta ", "accesso"),
    ),
    "order": (
        *("order", "deliver", "shipping", "shipment", "parcel", "package", "tracking", "in stock"),
        *("bestellung", "liefer", "paket", "versand", "commande", "livraison", "colis", "pedido", "entrega"),
        *("envío", "ordine", "consegna", "spedizione", "encomenda"),
    ),
    "feature_request": (
        *("feature", "would be great", "would be nice", "please add", "suggestion", "wish", "dark mode"),
        *("funktionswunsch", "wäre schön", "vorschlag", "wünsche", "fonctionnalité", "serait bien"),
        *("sugerencia", "funcionalidad", "sería genial", "suggeriment", "funzionalità", "sugestão"),
    ),
    "technical": (
        *("error", "bug", "crash", "not working", "doesn't work", "does not work", "broken", "outage", "fail"),
        *("down", "exception", "timeout", "fehler", "funktioniert nicht", "absturz", "stürzt", "ausfall"),
        *("erreur", "ne fonctionne pas", "panne", "no funciona", "fallo", "falla", "errore", "non funziona"),
        *("erro ", "não funciona", "problème technique", "guasto"),
    ),
    "general": (),
}
"""Well-known meanings, and the words that speak for them."""

SYNONYMS: dict[str, str] = {
    "bug": "technical",
    "tech": "technical",
    "technical_issue": "technical",
    "technical_support": "technical",
    "incident": "technical",
    "support": "technical",
    "payment": "billing",
    "payments": "billing",
    "invoice": "billing",
    "finance": "billing",
    "refunds": "refund",
    "returns": "refund",
    "return": "refund",
    "login": "account",
    "access": "account",
    "accounts": "account",
    "orders": "order",
    "shipping": "order",
    "delivery": "order",
    "feature": "feature_request",
    "features": "feature_request",
    "idea": "feature_request",
    "fraud": "security",
    "abuse": "security",
    "other": "general",
    "others": "general",
    "general": "general",
    "misc": "general",
    "unknown": "general",
    "none": "general",
    "question": "general",
    "general_inquiry": "general",
}
"""What a site's own name for a category most likely means."""

URGENCY: dict[str, tuple[str, ...]] = {
    "critical": (
        *("production is down", "data loss", "everyone is affected", "all users", "complete outage", "hacked"),
        *("security breach", "system down", "produktion steht", "datenverlust", "perte de données"),
        *("pérdida de datos", "caído", "perdita di dati"),
    ),
    "high": (
        *("urgent", "asap", "immediately", "as soon as possible", "right now", "deadline", "cannot work"),
        *("dringend", "sofort", "umgehend", "urgence", "immédiatement", "urgente", "inmediat", "subito"),
        *("imediat", "stolen", "blocked"),
    ),
    "low": (
        *("no rush", "whenever you", "just wondering", "curious", "suggestion", "would be nice", "feedback"),
        *("keine eile", "bei gelegenheit", "pas urgent", "sin prisa", "senza fretta", "sem pressa"),
    ),
    "medium": (),
}
"""In the order in which they are tried."""

URGENCY_SYNONYMS: dict[str, tuple[str, ...]] = {
    "critical": ("urgent", "blocker", "p1", "very high", "highest", "high"),
    "high": ("major", "p2", "urgent"),
    "medium": ("normal", "moderate", "p3"),
    "low": ("minor", "trivial", "p4"),
}

NEGATIVE: tuple[str, ...] = (
    *("terrible", "angry", "unacceptable", "worst", "disappoint", "frustrat", "awful", "ridiculous", "useless"),
    *("still not", "again and again", "never again", "complain", "fed up", "scam", "furious", "annoy"),
    *("inakzeptabel", "enttäusch", "ärgerlich", "unverschämt", "katastroph", "frechheit", "wütend"),
    *("inacceptable", "déçu", "furieu", "honte", "inaceptable", "decepcion", "pésim", "horrible"),
    *("inaccettabile", "delus", "vergogn", "inaceitável", "péssim"),
)

POSITIVE: tuple[str, ...] = (
    *("thank you so much", "great job", "love", "excellent", "awesome", "perfect", "fantastic", "happy with"),
    *("wonderful", "appreciate", "vielen dank für", "großartig", "super service", "begeistert", "klasse"),
    *("merci beaucoup", "parfait", "génial", "excelente", "encanta", "perfecto", "ottimo", "fantastico"),
    *("adorei", "maravilh"),
)

LANGUAGES: dict[str, frozenset[str]] = {
    "en": frozenset(
        "the and is are you not have with this that for my please was it can your on hello of to in".split()
    ),
    "de": frozenset("der die das und ich ist nicht sie mit ein eine für bitte wir auf zu habe mein den".split()),
    "fr": frozenset("le la les et je est pas vous avec une pour mon nous des bonjour sur que du ai ne".split()),
    "es": frozenset("el la los y es no con una para mi por que del hola he se un muy las gracias en".split()),
    "it": frozenset("il la che di non con una per mio sono ho un gli grazie è buongiorno della del ciao".split()),
    "pt": frozenset("o a os que não com uma para meu por um do da olá obrigado é em minha você estou".split()),
    "nl": frozenset("de het een en ik is niet met voor mijn van dat op heb jullie graag hallo ook".split()),
}
"""Small words by language."""
