"""People's names: those the helpdesk knows of a ticket's requester, and those that a text introduces or signs with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ....core.lazy_pattern import lazy_pattern
from ....core.sanitize import PLACEHOLDER, strip_hidden
from .scan import Scan, Span, matching_form

_LONGEST_NAME = 100
_MOST_NAMES = 10
_MOST_WORDS = 6
_SPACELESS = lazy_pattern(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")

# Parts of names that are also small words of a language: replaced only where a name is expected.
_SMALL_WORDS = frozenset(
    "will may can art mai an so do du la le de der die das den van von y e ben long much may june july april august "
    "mark rich sunny early young so thy to in on an at my me is it we he she no yes not new best same page day long "
    "king love hope joy grace faith dean guy jan bon sol mar des del da dos lo per con sin pro ten bis".split()
)
# What stands in a name field without being anybody's name.
_NOBODY = frozenset(
    "customer client user guest unknown anonymous support service services team help helpdesk desk info admin "
    "administrator office sales billing accounting test tester contact company it hr department noreply no-reply "
    "mailer kunde kundin kundenservice benutzer gast unbekannt buchhaltung vertrieb cliente utilisateur "
    "usuario utente klant "
    "gebruiker zendesk system daemon postmaster webmaster gmbh ag kg inc ltd llc corp co sa srl bv plc sarl limited "
    "the and und et mr mrs ms dr prof herr frau from via".split()
)


class KnownName(NamedTuple):
    """A name prepared for the search: ``words`` as written, ``parts`` that may stand alone, ``bound`` that may not."""

    value: str
    words: tuple[str, ...]
    parts: tuple[str, ...]
    bound: tuple[str, ...]


def known_names(names: Sequence[str]) -> tuple[KnownName, ...]:
    """The names that are anybody's, each once. Roles ("Support Team") and addresses are none."""
    known: list[KnownName] = []
    cleaned = (" ".join(matching_form(strip_hidden(name[:_LONGEST_NAME])).split()) for name in names[:_MOST_NAMES])
    for name in dict.fromkeys(cleaned):
        if len(name) < 2 or PLACEHOLDER.search(name) or "@" in name or not any(map(str.isalpha, name)):
            continue
        value = name.casefold()
        if _SPACELESS.search(name):
            known.append(KnownName(value, (name,), (name,), ()))
            continue
        words = tuple(word for word in re.split(r"[ ,]+", name) if word.strip(".-'’"))[:_MOST_WORDS]
        telling = [word for word in words if word.casefold().strip(".") not in _NOBODY]
        if not telling:
            continue
        free: list[str] = []
        bound: list[str] = []
        for word in telling:
            if not word[0].isupper() or not word[0].isalpha():
                bound += [word.capitalize()] if len(words) == 1 else []
            elif len(word) < 3 or word.casefold() in _SMALL_WORDS:
                bound.append(word)
            else:
                free += [word, *_spellings(word)]
        known.append(KnownName(value, words, tuple(dict.fromkeys(free)), tuple(bound)))
    return tuple(known)


def _spellings(word: str) -> Iterator[str]:
    """Müller is Mueller and Muller to keyboards without the letter."""
    if not word.isascii():
        yield word.translate(_UMLAUTS)
        yield "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def names(scan: Scan, known: Sequence[KnownName]) -> Iterator[Span]:
    """The known names: whole in any case and order, their parts as they are written."""
    for name in known:
        if len(name.words) > 1:
            for words in (name.words, (name.words[-1], *name.words[:-1])):
                yield from _whole(scan, tuple(word.lower() for word in words), name.value)
        for part in name.parts:
            spaceless = _SPACELESS.search(part) is not None
            for start, end in _places(scan.text, part):
                if spaceless or _alone(scan.text, start, end):
                    yield Span(start, end, "NAME", name.value)
        for part in name.bound:
            for start, end in _places(scan.text, part):
                if _alone(scan.text, start, end) and _NAME_EXPECTED.search(scan.text[max(0, start - 30) : start]):
                    yield Span(start, end, "NAME", name.value)


def _places(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    at = text.find(wanted)
    while at >= 0:
        yield at, at + len(wanted)
        at = text.find(wanted, at + len(wanted))


def _alone(text: str, start: int, end: int) -> bool:
    return not (_word_char(text[start - 1 : start]) or _word_char(text[end : end + 1]))


def _word_char(char: str) -> bool:
    return char == "_" or char.isalnum()


_GAP = lazy_pattern(r",?[ \t]{1,3}")


def _whole(scan: Scan, words: tuple[str, ...], value: str) -> Iterator[Span]:
    text = scan.lower
    for start, end in _places(text, words[0]):
        for word in words[1:]:
            gap = _GAP.match(text, end)
            if gap is None or not text.startswith(word, gap.end()):
                break
            end = gap.end() + len(word)
        else:
            if _alone(text, start, end):
                yield Span(start, end, "NAME", value)


_TITLES = (
    r"(?:mr|mrs|ms|miss|mx|dr|prof|herrn?|frau|monsieur|madame|mme|mlle|señora?|senhora?|sra?|signora?|sig|dhr|mevr"
    r"|meneer|mevrouw|pan[ia]?)\.?"
)
_GREETINGS = (
    r"(?:dear|hi|hello|hey|hallo|moin|servus|liebe[rs]?|guten (?:tag|morgen)|sehr geehrte[rs]?|bonjour|chère?|salut"
    r"|hola|estimad[oa]|querid[oa]|buongiorno|ciao|gentile|car[oa]|olá|prezad[oa]|beste|geachte)"
)
_SIGN_OFFS = (
    r"(?:(?:(?:best|kind|warm|many|with|my)[ ]){0,3}(?:regards|wishes|thanks)|sincerely(?: yours)?"
    r"|yours(?: (?:sincerely|truly|faithfully))?"
    r"|cheers|thanks(?: (?:again|in advance|a lot|so much))?|thank you(?: (?:very much|so much|in advance))?"
    r"|respectfully|(?:mit )?(?:freundlichen?|besten?|viele[n]?|liebe[n]?|herzliche[n]?|schöne[n]?) gr(?:ü|ue)(?:ß"
    r"|ss)en?|gruß|mfg|vg|lg|danke|(?:bien )?cordialement|bien à vous|salutations distinguées|sincères salutations"
    r"|merci(?: d[’']avance)?|(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|gracias|(?:cordiali"
    r"|distinti) saluti|grazie|atenciosamente|(?:com os melhores )?cumprimentos|abraços|obrigad[oa]"
    r"|(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|mvg|groet(?:en|jes)?|bedankt|pozdrawiam|z poważaniem"
    r"|(?:med )?vänliga? hälsning(?:ar)?|mvh|(?:med )?venlig hilsen|(?:med )?vennlig hilsen)"
)
_INTRODUCTIONS = (
    r"(?:my (?:full )?name(?: is|[’']s)|mein name (?:ist|lautet)|ich (?:heiße|heisse)"
    r"|je m[’']appelle|mon nom est|me llamo|mi nombre es|mi chiamo|il mio nome è|meu nome é|(?:me )?chamo(?:-me)?"
    r"|mijn naam is|ik heet|nazywam się|mam na imię|jag heter|mitt namn är|jeg heter|jeg hedder)"
)
_PRESENTATIONS = r"(?:this is|i am|i[’']m|ich bin|je suis|soy|sono|sou|ik ben|jag är|jeg er)"
_NAME_EXPECTED = lazy_pattern(
    rf"(?<!\w)(?:{_TITLES}|{_GREETINGS}(?: {_TITLES})?|{_SIGN_OFFS}|{_INTRODUCTIONS}|{_PRESENTATIONS})[,!.]?\s{{1,3}}$",
    re.IGNORECASE,
)
_NAME_WORD = r"(?-i:[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶĻŁŃŅŇŌŐŒŘŚŞŠŢŤŪŮŰŲŹŻŽΑ-ΩА-Я][^\W\d_]{0,24}(?:[\-'’][^\W\d_]{1,24}){0,2})"
_NAME = (
    rf"({_NAME_WORD}\.?(?:[ \t]{{1,2}}(?:(?-i:van|von|de|der|den|del|della|di|da|dos|la|le|el|bin"
    rf"|al) ?){{0,2}}{_NAME_WORD}){{0,3}})(?![\w@])"
)
_LABELLED = lazy_pattern(
    rf"^[ \t>*\-]{{0,6}}(?:(?:full|first|last|customer|contact|your|my)[ ])?(?:name|vorname|nachname|nom|prénom"
    rf"|nombre|apellidos?|nome"
    rf"|cognome|sobrenome|naam|achternaam)[ \t]?:[ \t]{{0,3}}{_NAME}[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_TITLED = lazy_pattern(rf"(?<!\w)(?-i:(?=[A-ZÑ])){_TITLES} {_NAME}", re.IGNORECASE)
_GREETED = lazy_pattern(
    rf"^[ \t]{{0,4}}{_GREETINGS}(?: {_TITLES})? {_NAME}(?=[ \t]*(?:[,!:.\n]|$|-))", re.IGNORECASE | re.MULTILINE
)
_INTRODUCED = lazy_pattern(rf"(?<!\w){_INTRODUCTIONS} {{0,2}}{_NAME}", re.IGNORECASE)
# Behind these stands more than names, so what follows has to look like the end of one.
_PRESENTED = lazy_pattern(
    rf"(?<!\w){_PRESENTATIONS} {_NAME}(?=[ \t]*(?:[,.\n]|$|\(| (?:from|at|with|and|here|von|und|hier|de|et|y|e|en"
    rf"|van|aus)\b))",
    re.IGNORECASE,
)
_SIGNED = lazy_pattern(
    rf"(?<!\w){_SIGN_OFFS}(?:[,.!][ \t]{{0,3}}\n{{0,3}}|[ \t]{{0,3}}\n{{1,3}}"
    rf"|(?<=[a-zß]{{6}}) )[ \t]{{0,3}}(?:[-–—][ \t]?)?{_NAME}(?=[ \t]*(?:[,.|\n]|$))",
    re.IGNORECASE,
)
# Behind "I am" and "this is" stands more than names.
_NO_NAMES = frozenset(
    "i a an the this that it in on at if is not no my your our we he she they you please thank thanks there here "
    "just also very so but and or team all everyone everybody sir madam support customer service help sirs both "
    "damen herren leute zusammen ein eine der die das sehr nicht kunde kundin nutzer ihr ihre tous toutes un une "
    "le la les todos todas el los ik de het een allen equipe equipo squadra tutti user admin english german french "
    "spanish italian dutch american british android windows mac linux iphone microsoft google apple amazon outlook "
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag "
    "sonntag january february march april may june july august september october november december hello hi dear "
    "ihnen dir euch name none urgent critical unable unacceptable ridiculous für hallo kollegen kolleginnen".split()
)


_NO_NAME_PART = lazy_pattern(
    r"support|team|kund|service|servic|abteilung|department|dienst|desk|bureau|bank|office|gmbh|soporte|suporte|equipe"
    r"|équipe|equipo|mitarbeit|management|advisors|solutions|systems|group|company|kolleg|guys|folks|friends|cordial"
    r"|atentamente|regards|best|grüß"
    r"|saludos|saluti|sincerely|thank|everyone|assistan|client|customer|administra|technik|technic|partner|manager",
    re.IGNORECASE,
)


_POSSESSIVE = lazy_pattern(r"[’']s\b")


def introduced_names(scan: Scan) -> Iterator[Span]:
    """Names after a title, a greeting, a sign-off, or words such as "my name is"."""
    for pattern in (_LABELLED, _TITLED, _GREETED, _INTRODUCED, _PRESENTED, _SIGNED):
        for match in pattern.finditer(scan.text):
            words = [word.casefold().strip(".") for word in match[1].split()]
            shouted = match[1].isupper() and len(match[1]) > 3 and pattern is _PRESENTED
            if shouted or words[0] in _NO_NAMES or words[0] in _NOBODY or _NO_NAME_PART.search(match[1]):
                continue
            name = _POSSESSIVE.split(match[1])[0].rstrip(".")
            yield Span(match.start(1), match.start(1) + len(name), "NAME", name.casefold())
