"""Words of mood and what turns them round or strengthens them.

A problem by itself is no bad mood: "error" and "broken" are not among them, "unacceptable" is.
"""

from __future__ import annotations

from .entries import ByLanguage
from .moods_en_de import MOODS_EN_DE
from .moods_other import MOODS_OTHER
from .moods_romance import MOODS_ROMANCE

SENTIMENT: ByLanguage = {**MOODS_EN_DE, **MOODS_ROMANCE, **MOODS_OTHER}

# English words of mood that mean something else, or nothing much, in other languages.
FALSE_FRIENDS = frozenset(
    "die war hell mad ass fun evil dead win wins mess sick bad best pumped super cool angry lies lie kind fast gift "
    "brave lousy fool dumb lied cheat* fail* hate crap damn shame blame attack hero joke dope legend".split()
) - {"super", "cool", "bad", "best", "hate", "crap", "damn", "fail*", "fun"}

NEGATIONS: dict[str, str] = {
    "en": (
        "not, no, never, n't, don't, doesn't, didn't, isn't, wasn't, aren't, weren't, can't, cannot, couldn't, "
        "won't, wouldn't, shouldn't, haven't, hasn't, hadn't, without, hardly, barely, nothing, dont, doesnt, "
        "didnt, isnt, wasnt, cant, wont, zero"
    ),
    "de": "nicht, kein, keine, keinen, keiner, keinem, nie, niemals, ohne, weder, nix, kaum",
    "fr": "pas, jamais, aucun, aucune, sans, ni, plus",
    "es": "no, nunca, jamás, sin, ni, tampoco, nada",
    "pt": "não, nao, nunca, jamais, sem, nem, n",
    "it": "non, mai, senza, né, nessun, nessuna, niente",
    "nl": "niet, geen, nooit, zonder, noch",
    "ar": "لا, ليس, ما, مو, مش, لم, لن, غير, بدون",
    "hi": "nahi, nahin, nhi, mat, na, not, no, नहीं, मत, ना",
}

INTENSIFIERS: dict[str, str] = {
    "en": (
        "very, really, so, extremely, absolutely, totally, completely, incredibly, super, too, highly, truly, "
        "such, most, fucking, freaking"
    ),
    "de": (
        "sehr, wirklich, so, extrem, absolut, total, völlig, unglaublich, echt, mega, richtig, zu, ziemlich, äußerst"
    ),
    "fr": "très, vraiment, si, tellement, extrêmement, absolument, totalement, trop, complètement",
    "es": "muy, realmente, tan, extremadamente, absolutamente, totalmente, demasiado, súper, completamente",
    "pt": "muito, muita, realmente, tão, extremamente, absolutamente, totalmente, demais, super",
    "it": "molto, davvero, così, estremamente, assolutamente, totalmente, troppo, completamente, veramente",
    "nl": "heel, erg, echt, zo, extreem, absoluut, totaal, zeer, te, ontzettend",
}

# Emoji and emoticons by the mood they carry.
EMOJI: dict[int, str] = {
    2: (
        "😀😃😄😁😆😊😍🥰😘🤩😎👍👏🙌🎉❤💕💖💗💙💚💛💜😂🤣😋🥳💪✨🔥☺😻💯🌹🙏"
        "😙😚😗🤗😇🙂😌😉😝😜🤪🧡🤍🖤💝💞💓💘💟🥇🏆🎊🎈🎂🌟⭐🌈👌🤝🤙👊✌🤞💐🌸🌺🌷🌻😸😹😽🍾🥂👑🕺💃🫶🤟"
    ),
    -2: ("😠😡🤬😞😢😭😤😩😫😒🙄👎💔😔😣😖😟🤮🤢😱😕🙁☹😓😑🖕😿😾🙀😰😥😨😧😦😳🤦🤷🤯🥺😶🤥💩💀☠😪🤕🤒😬🥴👿😈🤡🆘"),
}
EMOTICONS: dict[int, str] = {
    2: ":) :-) :D :-D ;) ;-) <3 =) ^^ xD :p :-p ;D :* :-* \\o/ =D",
    -2: ":( :-( :/ :-/ >:( :'( =( :-| -.- -_- </3",
}
