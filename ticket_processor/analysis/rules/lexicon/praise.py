"""Thanks, what says that all is well, and what asks for more. Data only; entries as in the package."""

from __future__ import annotations

THANKS: dict[str, str] = {
    "en": (
        "thank*, thanx, thx, cheers, kudos, well done, compliment*, solved, resolved, works now, all good, in order now"
    ),
    "de": (
        "danke*, dank, bedanke*, lob, kompliment*, hat sich erledigt, gelöst, geklärt, funktioniert ~ wieder, "
        "klappt ~ wieder"
    ),
    "fr": "merci, remerci*, bravo, félicitations, c'est résolu, résolu, tout est bon, ça marche",
    "es": "gracias, agradezco, agradecid*, felicidades, felicito, resuelto, solucionado, ya funciona",
    "pt": "obrigad*, agradeço, agradecid*, parabéns, resolvido, solucionado, já funciona",
    "it": "grazie, ringrazi*, complimenti, risolto, tutto a posto, ora funziona",
    "nl": "bedankt, dank, dankjewel, dankuwel, compliment*, opgelost, werkt weer, in orde",
    "ja": "ありがとう, 有難う, 感謝, お礼, 解決, 無事に, 助かりました",
}

ASKS: dict[str, str] = {
    "en": (
        "please, pls, in advance, can you, could you, would you, can i, could i, i need, we need, i want, i'd "
        "like, i would like, but, however, although, unfortunately, still, yet, again, except, cancel*, now "
        "the"
    ),
    "de": (
        "bitte, im voraus, können sie, könnten sie, brauche*, möchte*, aber, jedoch, leider, noch, erneut, "
        "obwohl, kündig*"
    ),
    "fr": (
        "s'il vous plaît, svp, d'avance, pouvez-vous, pourriez-vous, besoin, voudrais, souhaite*, mais, "
        "malheureusement, toujours, encore, merci de, veuillez, annul*, résili*"
    ),
    "es": (
        "por favor, de antemano, por adelantado, pueden, podrían, puede, podría, necesito, quiero, quisiera, "
        "pero, sin embargo, todavía, aún, cancel*, anular"
    ),
    "pt": (
        "por favor, antecipad*, podem, poderiam, pode, poderia, preciso, quero, queria, gostaria, mas, porém, "
        "infelizmente, ainda, cancel*"
    ),
    "it": (
        "per favore, in anticipo, potete, potreste, può, potrebbe, vorrei, bisogno, ma, però, purtroppo, "
        "ancora, disdi*, annull*"
    ),
    "nl": (
        "alstublieft, graag, alvast, kunt u, kun je, kunnen jullie, zou u, wil, nodig, maar, helaas, nog, "
        "opnieuw, opzeg*, annul*"
    ),
    "ja": "ください, お願い, いただけ, ただ、, しかし, ですが, まだ, 解約",
}

GREETINGS = frozenset(
    (
        "beste boa bom bonjour buenas buenos buongiorno cher chère ciao dag dear estimado gentile goedemiddag "
        "goedemorgen good guten hallo hello hey hi hola liebe lieber liebes moin olá salve"
    ).split()
)
