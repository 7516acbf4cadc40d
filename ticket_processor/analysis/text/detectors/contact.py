"""Telephone numbers of any country: by the plus sign, by a country's plan and way of writing, or by a word nearby.

Postal addresses, as far as their way of writing tells: street with number in seven languages, post boxes, US lines.

A town or a country alone says little about anybody and stays; so does a street without a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....core.text import lazy_pattern
from .. import word_lists
from .scan import DATE, Scan, Span, Stems

_WORDS = word_lists("phones")
_PHONE_WORD = lazy_pattern("|".join(_WORDS["phone"]), re.IGNORECASE)
_NUMBER_OF = r"(?:[ \-]?(?:number|num|no|nr|nummer|id|code|n°|nº|numéro|número|numero)\b\.?)?"
_NOT_PHONE_WORD = lazy_pattern(
    rf"(?:{'|'.join(_WORDS['other_number'])}){_NUMBER_OF}(?: (?:is|was|ist|war|est|es|é|è))?[\s:#.]{{0,3}}$",
    re.IGNORECASE,
)
# "no" by itself is Portuguese for "on the".
_SOME_NUMBER = lazy_pattern(r"(?:code|id|number|\bno(?=[:#.])|nr|n°|nº|#)[\s:#.]{0,3}$", re.IGNORECASE)
_EXTENSION_WORD = r"x|ext\.?|extension|durchwahl|dw|poste|anexo|ramal|toestel|interno|#"
_PHONE_RUN = lazy_pattern(
    r"[+(\d](?:(?<![\w./@#=\-].)(?<!\d[,:].)|(?<=[\u3040-\u9fff].)|(?<=[a-zé]:.)|(?<=phone.)|(?<=tel.)|(?<=fax.)|(?<=cell.)|(?<=mobil.)"
    r"|(?<=mobile.)|(?<=handy.)|(?<=telefon.)|(?<=[A-Za-z=]\+))"
    r"(?:(?<=\+) ?\d|(?<=\()\+?\d|(?<=\d))(?:\d|\(\d{1,5}\)|\)|[ .\-/]{1,3}(?=[\d(]))"
    rf"{{5,24}}(?:,?\s?(?:{_EXTENSION_WORD})\s?\d{{1,6}})?(?![\d@_]|[,.:/]\d|-\d)",
    re.IGNORECASE,
)
_EXTENSION = lazy_pattern(rf",?\s?(?:{_EXTENSION_WORD})", re.IGNORECASE)
_PHONE_SHAPES = lazy_pattern(
    r"\(\d{2,5}\) ?\d{3,4}[ .\-]\d{3,4}"  # (415) 555-0132
    r"|1?[ .\-]?\(?\d{3}\)?([ .\-])\d{3}\1\d{4}"  # 415-555-0132, 1-415-555-0132
    r"|0\d(?:[ .\-]\d\d){4}"  # 01 23 45 67 89
    r"|0\d{3,4}[ \-]\d{3}[ \-]?\d{3,4}"  # 07700 900 123
    r"|0\d{2,4}[/\-] ?\d{3,8}"  # 030/1234567
    r"|0\d{1,3}[ \-]\d{3,4}[ \-]\d{4}"
    r"|0\d{2,4} \d{4,5} \d{2,4}"  # 030 23125 014
    r"|\(0\d{1,4}\) ?\d[\d \-]{5,9}"
)


_GAP = lazy_pattern(r"\D+")
_LEAST_NATIONAL = 8
_ZERO_FIRST: list[str] = _WORDS["zero_first"].split()
_GROUPED: dict[str, list[str]] = {groups: regions.split() for groups, regions in _WORDS["grouped"].items()}


def phones(scan: Scan) -> Iterator[Span]:
    """Telephone numbers with their extension."""
    text = scan.text
    for match in _PHONE_RUN.finditer(text):
        start, end = match.span()
        # Brackets around the number.
        end -= match.group().count(")") > match.group().count("(")
        inner = text[start + 1 : end - 1]
        if text[start] == "(" and text[end - 1] == ")" and inner.find("(") <= inner.find(")"):
            start, end = start + 1, end - 1
        found = text[start:end]
        behind = text[match.end() : match.end() + 1]
        if behind.isalpha() and behind < "\u3040" and not found.startswith("+"):
            continue  # glued to a word; only the plus sign tells that the digits are a whole number
        number = _EXTENSION.split(found)[0]
        digits = re.sub(r"\(0\)|\D", "", number)
        if 6 <= len(digits) <= 16 and not DATE.fullmatch(found) and _is_phone(text, start, end, number, digits):
            yield Span(start, end, "PHONE", digits)


def _is_phone(text: str, start: int, end: int, number: str, digits: str) -> bool:
    before = text[max(0, start - 40) : start]
    if number.startswith(("+", "(+", "00")) and len(digits) >= 9:
        if not number.startswith("00"):
            return len(digits) >= 10 or _is_valid(f"+{digits}") or bool(_PHONE_WORD.search(before))
        return _is_valid(f"+{digits[2:]}") or bool(_PHONE_WORD.search(before))
    near = _PHONE_WORD.search(before[-25:])
    if _NOT_PHONE_WORD.search(before) or (_SOME_NUMBER.search(before) and not near):
        return False
    if near or _PHONE_WORD.search(before) or _PHONE_SHAPES.fullmatch(number):
        return True
    if re.match(r"\s?-? ?\(?(?:office|fax|mobile|cell|home|work|tel)", text[end : end + 12], re.I):
        return True
    return text[start - 1 : start] not in ("[", "{") and len(digits) >= _LEAST_NATIONAL and _is_national(number)


def _is_national(number: str) -> bool:
    """Whether this is a valid number of a country whose people write it in such groups."""
    plain = number.replace("(", "").replace(")", " ").strip()
    groups = re.findall(r"\d+", plain)
    gaps = [gap.strip() or " " for gap in _GAP.findall(plain)]
    shape = " ".join(str(len(group)) for group in groups)
    # Behind the area code all gaps are alike; a single dot is a decimal's, and one with a space ends a sentence.
    alike = len(set(gaps[1:])) < 2 or shape == "2 1 4 4"
    if not alike or ". " in plain or ("." in gaps[:1] and (len(gaps) == 1 or gaps[1] != ".")):
        return False
    if not number.lstrip("(").startswith("0"):
        return any(_is_valid(plain, region) for region in _GROUPED.get(shape, ()))
    if min(map(len, groups)) < 2 and shape not in _GROUPED:
        return False
    return any(_is_valid(plain, region, mobile=not gaps) for region in _ZERO_FIRST)


def _is_valid(number: str, region: str | None = None, *, mobile: bool = False) -> bool:
    """Whether the plan of ``region`` has this number, or the world's a number of this length."""
    import phonenumbers  # needed for few numbers, and slow to load

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    if region is None:
        return bool(phonenumbers.is_possible_number(parsed))
    if mobile and phonenumbers.number_type(parsed) != phonenumbers.PhoneNumberType.MOBILE:
        return False
    return bool(phonenumbers.is_valid_number_for_region(parsed, region))


_W = r"(?!Apt\b|Suite\b|Unit\b)[A-ZÀ-ÖØ-ÞŁŚŻČŠŽ](?:[a-z]?\.(?= )|[\w'’\-]{0,24})"
"""A capitalised word, or one cut short ("St.")."""
_STATES = (
    r"A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY]"
)
_UNIT = r"(?:[,\s]{1,2}(?i:apt|apartment|suite|ste|unit|flat|floor|room|#)\b\.? ?#? ?[\w\-]{1,6})?"
_US_TOWN = rf"(?:[,\s]{{1,2}}{_W}(?: {_W}){{0,2}},? (?:{_STATES}),? \d{{5}}(?:-\d{{4}})?)"
_UK_CODE = r"(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})"
_UK_TOWN = rf"(?:[,\s]{{1,2}}{_W}(?: {_W}){{0,2}},? {_UK_CODE})"
_STREET_EN = (
    r"(?i:street|avenue|ave|road|rd|lane|drive|boulevard|blvd|court|place|square|terrace|crescent|parkway|pkwy|highway"
    r"|hwy|trail|mews|gardens|grove|close|turnpike)|St|Ln|Dr|Ct|Sq|Pl|Cir|Ter|Way"
)
_EN = lazy_pattern(
    rf"\d(?<![\w.,#$€£\-/]\d)\d{{0,5}}[A-Za-z]?,? (?:(?:[NSEW]|North|South|East|West)\.? )?(?:(?:\d{{1,3}}(?:st|nd"
    rf"|rd|th)|{_W}) ){{1,3}}?"
    rf"(?<!Hard )(?<!Flash )(?<!Google )(?<!USB )(?<!Thumb )(?<!State )(?<!Disk )(?<!Pen )(?<!One )(?<!Tape )(?<!Zip )"
    rf"(?:{_STREET_EN})\b\.?(?: [NS]?[EW]\b| [NS]\b)?{_UNIT}(?:{_US_TOWN}|{_UK_TOWN})?"
)
_EN_STEMS = Stems(
    (
        " st| ave| road| rd| lane| ln| drive| dr| boulevard| blvd| court| ct| place| pl| sq| ter| crescent| parkway|"
        " pkwy| highway| hwy| trail| mews| garden| grove| close| cir| way| turnpike"
    ).split("|")
)
_US_LINE = lazy_pattern(rf", (?:{_STATES}),? \d{{5}}(?:-\d{{4}})?(?!\d)")
_MILITARY = lazy_pattern(
    r"(?:PSC|Unit|CMR) \d{1,6},? Box \d{1,6}[\s,|]{1,4}[AFD]PO,? A[AEP] \d{5}|[AFD]PO,? A[AEP] \d{5}(?!\d)",
    re.IGNORECASE,
)
_BOX = lazy_pattern(
    r"(?<!\w)(?:p\. ?o\. ?box|po box|post office box|postfach|postbus|apartado(?: de correos| postal)?|casella postale"
    r"|caixa postal|boîte postale|(?-i:BP))(?: (?:no|nr|n°|nº)\.?)? ?:? ?\d(?: ?\d){0,6}(?!\w)"
    rf"(?:[,\s]{{1,2}}(?-i:{_W}(?: {_W}){{0,2}},? (?:{_STATES}) \d{{5}}(?:-\d{{4}})?|\d{{4,5}} {_W}(?: {_W}){{0,2}}))?",
    re.IGNORECASE,
)
_BOX_STEMS = Stems(("box", "postfach", "postbus", "apartado", "casella", "caixa", "boîte", "bp "))
_TOWN_BEHIND = rf"(?:,?\s{{1,2}}(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?: ?[A-Z]{{2}}\b)? {_W}(?:[ \-]{_W}){{0,2}})?"
_DE = lazy_pattern(
    rf"(?<!\w)(?:{_W}[ \-]){{0,2}}?(?:[A-ZÄÖÜ][\wäöüß.\-]{{1,30}}(?:straße|strasse|str\.|(?<!Aus)(?<!Rück)(?<!Hin)weg"
    rf"|(?<!rbeits)(?<!peicher)(?<!teck)(?<!tell)(?<!Park)(?<!itz)(?<!piel)(?<!ager)platz|allee|gasse|damm|ufer"
    rf"|chaussee)|{_W}er (?:Straße|Strasse|Str\.|Weg|Platz|Allee|Ring|Damm|Chaussee)"
    r"|[A-ZÄÖÜ][\wäöüß.\-]{2,30}(?:ring|markt|graben|hof|berg|wiese|pfad|steig)(?=[ ]\d{1,4} ?[a-z]?,? ?\n?\d{5} )"
    r"|(?:Am|Im|An der|An den|Auf der|Auf dem|Zum|Zur) [A-ZÄÖÜ][\wäöüß\-]{2,24}(?=[ ]\d{1,4} ?[a-z]?,? ?\n?\d{5} ))"
    rf",? (?:Nr\.? ?)?\d{{1,4}}(?:[ ]?[a-zA-Z](?!\w))?(?:[\-/]\d{{1,4}})?(?![\d%€:]|[.,]\d){_TOWN_BEHIND}"
)
_DE_STEMS = Stems(
    (
        "straße|strasse|str.|weg |platz |allee|gasse|damm |ufer |chaussee|steig |ring |markt |graben |hof |berg |"
        "wiese |pfad |am |im |an de|auf de|zum |zur |weg,"
    ).split("|")
)
_FR_JOIN = r"(?:(?:de|du|des|la|le|les|aux?|à|sous|sur|et) |[ld][’'])"
_FR = lazy_pattern(
    r"\d(?<![\w.,\-/]\d)\d{0,3}(?: ?(?:bis|ter|quater|[A-D]))?,? (?:(?i:rue|avenue|av\.|boulevard|bd\.?|place|chemin"
    r"|allée|allee|impasse"
    rf"|quai|faubourg|sentier|ruelle)|(?i:cours|passage|route|villa|square)(?= {_FR_JOIN}))"
    rf" {_FR_JOIN}{{0,3}}{_W}(?:[ \-]{_FR_JOIN}{{0,2}}{_W}){{0,4}}{_UNIT}{_TOWN_BEHIND}"
)
_FR_STEMS = Stems(
    (
        "rue |avenue |av. |boulevard |bd |bd. |place |chemin |allée |allee |impasse |quai |cours |passage |faubourg |"
        "route |villa |sentier |ruelle "
    ).split("|")
)
_ROMANCE_JOIN = r"(?:(?:de|del|della|dei|degli|delle|di|do|da|dos|das|e|y|la|el|los|las) |dell[’']|\d{1,2} de )"
_ROMANCE = lazy_pattern(
    r"(?<!\w)(?:(?i:calle|c/|avda\.?|avenida|av\.|plaza|pza\.?|paseo|carrera|cra\.?|camino|ronda|travesía|glorieta"
    r"|viale|piazza|piazzale|corso|largo|vicolo|strada|contrada|lungomare|rua|travessa|praça|estrada|alameda|ul\."
    r"|al\.|os\.)"
    # "via" is a street in Italy, and the way something was done elsewhere.
    r"|Via(?! (?i:outlook|windows|chrome|office|ios|android|firefox|edge|zoom|teams|sap|python|api|excel|app|email"
    r"|mail|vpn)))"
    rf" ?{_ROMANCE_JOIN}{{0,3}}{_W}(?: {_ROMANCE_JOIN}{{0,3}}{_W}){{0,4}}"
    r",? (?:(?i:nº|n°|n\.º|n\.|num\.?|número|numero|nr\.?) ?)?\d{1,5}(?:[ /\-]?[A-Z](?!\w))?(?![\d%€:]|[.,]\d)"
    rf"(?:,? (?i:\d{{1,2}}[º°ª]|piso|apto\.?|int\.|scala|andar)[\w º°ª]{{0,12}})?{_UNIT}"
    rf"(?:[,\s]{{1,3}}(?:\d{{5}}-\d{{3}}|\d{{4}}-\d{{3}}|\d{{5}}|\d\d-\d{{3}}) {_W}(?:[ \-]{_W}){{0,2}})?"
)
_ROMANCE_STEMS = Stems(
    (
        "calle |c/|avda|avenida |av. |plaza |pza|paseo |carrera |cra|camino |ronda |travesía|glorieta|via |viale |"
        "piazza|corso |largo |vicolo |strada |contrada|lungomare|rua |r. |travessa |praça |estrada |alameda |ul. |al. |"
        "os. "
    ).split("|")
)
_NL = lazy_pattern(
    rf"(?<!\w)(?:{_W} ){{0,2}}?[A-Z][\w'\-]{{2,30}}(?:straat|laan|weg|plein|gracht|(?<!De)kade|singel|dijk|burgwal"
    rf"|plantsoen|(?:dreef|steeg|hof|park|pad)(?= \d{{1,4}} ?[a-z]?,?\s{{1,2}}\d{{4}} ?[A-Z]{{2}}))"
    r" \d{1,4}(?: ?[a-zA-Z](?!\w)| ?-? ?(?:hs|bis|I{1,3})\b)?(?![\d%€:]|[.,]\d)"
    rf"(?:[,\s]{{1,2}}\d{{4}} ?[A-Z]{{2}}(?: {_W}){{0,3}})?"
)
_NL_STEMS = Stems(
    ("straat |laan |weg |plein |gracht |kade |singel |dijk |dreef |steeg |burgwal |plantsoen |park |pad ").split("|")
)
_NL_CODE = lazy_pattern(rf"[1-9](?<![\w.\-][1-9])\d{{3}} ?(?!SA|SD|SS)[A-Z]{{2}},? {_W}(?![\w])")
_UK_LINE = lazy_pattern(rf", {_UK_CODE}(?![\w\-])")
_TOWN = lazy_pattern(rf"(?<![\w.])(?:{_W} ){{0,2}}{_W}$")
_CODE_NAMED = lazy_pattern(
    r"(?<![^\W_])(?:zip|zip ?-?code|post(?:al)? ?code|plz|postleitzahl|code postal|código postal|codice postale"
    r"|(?-i:CAP|CEP|CP|PIN code)|postcode)(?=[ :=])"
    r"(?: (?:is|ist|est|es|é|è))?(?: ?[:=])? ?((?-i:[A-Z]{0,2})\d[\dA-Za-z]{1,5}(?:[ \-](?-i:\d[A-Z]{2}|[A-Z]{2}"
    r"|\d{3,4}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d[A-Z]\d))?)(?![\w])",
    re.IGNORECASE,
)
_LABELLED = lazy_pattern(
    r"^[ \t]{0,4}(?:(?:postal|mailing|home|billing|shipping|delivery|street|my)?[ ]?address|(?:liefer|rechnungs|privat"
    r"|post)?(?:adresse|anschrift)|adresse(?: postale| de livraison)?|dirección(?: postal| de envío)?"
    r"|indirizzo(?: di \w{4,12})?|endereço|morada|adres)[ \t]?:[ \t]{0,3}"
    r"((?=[^\n]{0,119}\d)(?![^\n]{0,119}(?:@|://))[^\n\[]{8,120})$",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL_STEMS = Stems(("address", "adress", "anschrift", "dirección", "indirizzo", "endereço", "morada", "adres"))

_FORMS: tuple[tuple[Stems, re.Pattern[str]], ...] = (
    (_LABEL_STEMS, _LABELLED),
    (_BOX_STEMS, _BOX),
    (Stems(("apo", "fpo", "dpo")), _MILITARY),
    (_EN_STEMS, _EN),
    (_FR_STEMS, _FR),
    (_ROMANCE_STEMS, _ROMANCE),
    (_DE_STEMS, _DE),
    (_NL_STEMS, _NL),
    (Stems(("zip", "post", "plz", "code postal", "código", "codice", "cap", "cep", "cp", "pin code")), _CODE_NAMED),
)


def postal_addresses(scan: Scan) -> Iterator[Span]:
    """Streets with their number and what follows of the address, post boxes, named post codes, ``Town, ST 12345``."""
    for stems, pattern in _FORMS:
        for match in scan.near(pattern, stems, before=90, behind=200, digits=True):
            group = match.lastindex or 0
            yield _address(scan.text, match.start(group), match.end(group))
    for pattern in (_US_LINE, _UK_LINE) if ", " in scan.text else ():
        for match in pattern.finditer(scan.text):
            town = _TOWN.search(scan.text, max(0, match.start() - 60), match.start())
            if town is not None:
                yield _address(scan.text, town.start(), match.end())
    for match in _NL_CODE.finditer(scan.text) if scan.digits >= 4 else ():
        yield _address(scan.text, match.start(), match.end())


def _address(text: str, start: int, end: int) -> Span:
    return Span(start, end, "ADDRESS", " ".join(text[start:end].casefold().split()))
