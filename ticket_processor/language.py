"""The language of a text: by script first, then by votes of frequent words and telling letters.

Small on purpose: it decides which word lists apply and which tag a ticket gets when no model answers. Nothing
is loaded and nothing is shared, so any thread may call it.
"""

from __future__ import annotations

import re
from collections import Counter

MAX_SCANNED = 1_500
"""Characters looked at: enough to be sure, and short enough to cost nothing."""

# Scripts that one language (of those met in practice) writes. Ranges are from the Unicode block list.
_SCRIPTS: dict[str, tuple[tuple[int, int], ...]] = {
    "ja": ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)),
    "ko": ((0xAC00, 0xD7AF), (0x1100, 0x11FF), (0x3130, 0x318F)),
    "han": ((0x4E00, 0x9FFF), (0x3400, 0x4DBF)),
    "cyrillic": ((0x0400, 0x052F),),
    "arabic": ((0x0600, 0x06FF), (0x0750, 0x077F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)),
    "hi": ((0x0900, 0x097F),),
    "bn": ((0x0980, 0x09FF),),
    "pa": ((0x0A00, 0x0A7F),),
    "gu": ((0x0A80, 0x0AFF),),
    "ta": ((0x0B80, 0x0BFF),),
    "te": ((0x0C00, 0x0C7F),),
    "kn": ((0x0C80, 0x0CFF),),
    "ml": ((0x0D00, 0x0D7F),),
    "th": ((0x0E00, 0x0E7F),),
    "el": ((0x0370, 0x03FF), (0x1F00, 0x1FFF)),
    "he": ((0x0590, 0x05FF),),
    "ka": ((0x10A0, 0x10FF),),
    "hy": ((0x0530, 0x058F),),
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF)),
}

_WORDS: dict[str, str] = {
    "en": "the and of to is in it you that was for on are with as his they be at have this from or had by not but "
    "what all were we when your can there an which their if do will each about how up out them then she many some "
    "so these would has been who my please i'm don't can't does did any could should because just get got after "
    "know where why its our he her than me no into over also want need help it's i've how's thanks more make new",
    "de": "der die das und ist nicht ich ein eine einen einem einer sie es wir mit auf für von zu im den dem des "
    "dass wie auch sich nach bei aus wenn aber noch nur werden wird wurde haben habe hat bin sind war kann können "
    "mein meine meinen ihr ihre ihnen mich mir uns oder als am um bitte vielen dank keine kein mehr sehr schon "
    "immer hier hallo über durch zum zur vom diese dieser dieses jetzt was warum seit gegen ihrer unsere leider",
    "fr": "le la les des du de et est un une pour dans que qui pas sur avec ce cette il elle nous vous je ne au aux "
    "mon ma mes votre vos notre nos plus par sont été être avoir ai avez bonjour merci mais ou où si tout très "
    "comme fait faire sans leur leurs ces son sa ses c'est j'ai n'est qu'il d'un d'une l'on suis à y en depuis "
    "même aussi bien peut encore après chez avant moi quand entre était deux",
    "es": "el la los las de del y que en un una por con para no se su sus es al lo como más pero le me mi mis ha he "
    "han este esta estos esto está están ser son muy sin sobre también hasta hay donde quien desde todo nos "
    "todos durante uno les ni contra otros ese eso había ante ellos e yo qué tiene tengo puedo hola gracias cuando "
    "porque cómo ya si fue usted favor necesito quiero después años entre dos era",
    "pt": "o os as a de do da dos das e que em um uma para com não por se na no nas nos mais como mas foi ao ele ela "
    "seu sua seus suas ou ser quando muito há já está eu também só pelo pela até isso entre era depois sem "
    "mesmo aos ter meu minha meus minhas você vocês nós são tem foram estou tenho olá obrigado obrigada pra aqui "
    "porque fazer posso preciso gostaria bom dia à às isto essa esse num numa",
    "it": "il lo la gli le di del della dei delle dello degli e che è un una uno per non con si da in sono al alla "
    "alle agli ai dal dalla nel nella nei come più ma anche se mi ha ho hanno questo questa questi quello io lei "
    "lui noi voi loro mio mia miei suo sua ci ne cosa essere stato perché molto quando dove chi dopo tutto "
    "tutti già ancora solo senza fare buongiorno grazie salve posso vorrei c'è sul sulla o nostro vostro",
    "nl": "de het een en van ik te dat die in is niet je op zijn met voor er aan als hij maar om ook dan wat nog "
    "naar bij uit ze wij we mijn jullie uw u kan kunnen heb heeft hebben wordt worden werd was deze dit door over "
    "tot geen meer al hoe waar wil mij haar hun zou of onze ons bedankt graag hallo moet veel sinds mogelijk ben",
    "sv": "och att det i en jag som på är av för med till den har inte om ett var de man så vi han hon du mig från "
    "kan när nu ska skulle eller men sig där min mitt mina din dem vad här år bara alla också efter vid hur "
    "blir blev varit mycket över under utan någon något några detta denna hade finns sedan får tack hej",
    "da": "og at det i en jeg som på er af for med til den har ikke om et var de man så vi han hun du mig fra kan "
    "når nu skal skulle eller men sig der min mit mine din dem hvad her år kun alle også efter ved hvordan bliver "
    "blev været meget over under uden nogen noget nogle dette denne havde findes siden får tak hej hvis hvor "
    "af hjælpe sige siger gøre bedre selv ud",
    "no": "og at det i en jeg som på er av for med til den har ikke om et var de man så vi han hun du meg fra kan "
    "når nå skal skulle eller men seg der min mitt mine din dem hva her år bare alle også etter ved hvordan blir "
    "ble vært mye over under uten noen noe dette denne hadde finnes siden får takk hei hvis hvor mellom hjelpe "
    "si sier gjøre bedre",
    "fi": "ja on ei se että en hän oli mutta ovat kun niin tai joka jos vain myös mitä minun sen ole olen minä me "
    "he sinä kuin voi olla ollut nyt tämä ne mukaan jo kanssa sitä hyvä kiitos hei miksi missä miten mikä",
    "pl": "i w na z się nie do to jest że o jak za po od ale co przez dla tak przy są już tylko jego jej ich "
    "może być "
    "czy był była który która które mnie mi ja ty my wy oraz gdy lub ze mam proszę dziękuję dzień dobry moje mój "
    "bardzo nie ma bez pod nad jako tego tym także jednak",
    "tr": "ve bir bu da de için ile ne çok var gibi daha o ben sen biz siz ama en kadar olan olarak mi mı mu "
    "mü değil "
    "sonra ki her şey yok beni bana benim nasıl niye neden olduğu ise veya lütfen merhaba teşekkür sizin iki "
    "ancak hiç diye şu önce zaman büyük ya hem",
    "cs": "a je se na v že to s z do i o jak za pro ale jsem by si co tak po jako není jsou který která když jsme "
    "být už mi od dobrý den prosím děkuji při nebo také mám ve k jen můj moje jeho této mezi",
    "ro": "și si în din la de cu pe nu este un o că ce să mai care pentru sunt am a fi are ai sau dar după acest "
    "această foarte când unde vă mulțumesc bună ziua fost prin fără lui către al ale cum dacă",
    "hu": "a az és hogy nem is egy van ez meg de csak már mint volt ha még én ki el vagy minden kell nagyon lesz azt "
    "kérem köszönöm nincs ezt vagyok lehet amely után között miért hogyan",
    "id": "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena tersebut bisa ada mereka "
    "lebih sudah atau saat oleh kami kita anda bagaimana tolong terima kasih belum apa jika telah",
    "vi": "và là của có không một cho được tôi trong với các này đã người những để khi như bạn về thì làm từ đến "
    "nhưng cũng rất vì sao xin chào cảm ơn",
    "hi": "hai nahi nahin kya mera meri mere aur ka ki ke ko se hain tha thi kar raha rahe rahi bhi yeh ye woh hum "
    "aap mujhe kaise kab koi kuch ab bahut bhai ji apne sab liye wala jo toh tum hoga karo aaj phir apni apna",
}

_LETTERS: dict[str, tuple[str, ...]] = {
    "ß": ("de",), "ñ": ("es",), "¿": ("es",), "¡": ("es",), "ã": ("pt",), "õ": ("pt",), "å": ("sv", "da", "no"),
    "ø": ("da", "no"), "æ": ("da", "no"), "ł": ("pl",), "ą": ("pl",), "ę": ("pl",), "ż": ("pl",), "ś": ("pl",),
    "ğ": ("tr",), "ş": ("tr",), "ı": ("tr",), "ř": ("cs",), "ě": ("cs",), "ů": ("cs",), "ț": ("ro",),
    "ș": ("ro",), "ă": ("ro", "vi"), "ő": ("hu",), "ű": ("hu",), "œ": ("fr",), "ê": ("fr", "pt"), "è": ("fr", "it"),
    "ù": ("fr", "it"), "ò": ("it",), "ì": ("it",), "ä": ("de", "sv", "fi"), "ö": ("de", "sv", "fi", "tr"),
    "ü": ("de", "tr"), "ç": ("fr", "pt", "tr"), "ó": ("es", "pt", "pl"), "í": ("es", "pt", "cs"), "đ": ("vi",),
    "ư": ("vi",), "ơ": ("vi",), "â": ("fr", "pt", "ro"), "î": ("fr", "ro"), "ï": ("nl", "fr"), "ë": ("nl",),
}  # fmt: skip

# Endings and openings that vote when few frequent words are there: subject lines, lists of nouns.
_AFFIXES: dict[str, tuple[str, ...]] = {
    "ción": ("es",), "ciones": ("es",), "dad": ("es",), "mente": ("es", "pt", "it"), "ção": ("pt",),
    "ções": ("pt",), "dade": ("pt",), "zione": ("it",), "zioni": ("it",), "ità": ("it",), "aggio": ("it",),
    "ung": ("de",), "ungen": ("de",), "keit": ("de",), "lich": ("de",), "isch": ("de",), "schaft": ("de",),
    "ment": ("fr",), "eux": ("fr",), "eaux": ("fr",), "ité": ("fr",), "tion": ("en", "fr"), "ing": ("en",),
    "ness": ("en",), "ould": ("en",), "ed": ("en",), "ly": ("en",), "heid": ("nl",), "lijk": ("nl",),
    "ijk": ("nl",), "aar": ("nl",), "ningen": ("sv", "da"), "ość": ("pl",), "anie": ("pl",), "lar": ("tr",),
    "ler": ("tr",), "ları": ("tr",), "leri": ("tr",), "dır": ("tr",), "ados": ("es", "pt"), "ando": ("es", "pt", "it"),
    "igt": ("sv", "da"), "orna": ("sv",), "arna": ("sv",), "erne": ("da",), "else": ("da",), "ssa": ("fi",),
}  # fmt: skip

_AFFIX_SIZES = sorted({len(affix) for affix in _AFFIXES})
_TELLING = re.compile(f"[{''.join(_LETTERS)}]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_NOISE = re.compile(r"(?:https?://|www\.|[@#\[])\S*")
_MINIMUM = 0.75


def _build_votes() -> dict[str, tuple[tuple[str, float], ...]]:
    shared: dict[str, list[str]] = {}
    for language, words in _WORDS.items():
        for word in dict.fromkeys(words.split()):
            shared.setdefault(word, []).append(language)
    # A word of one language is strong evidence, one that four share hardly any.
    return {
        word: tuple((language, (1.0 if len(word) > 1 else 0.5) / len(languages) ** 0.7) for language in languages)
        for word, languages in shared.items()
    }


_VOTES = _build_votes()


def _build_ranges() -> list[tuple[int, int, str]]:
    return sorted((low, high, name) for name, ranges in _SCRIPTS.items() for low, high in ranges)


_RANGES = _build_ranges()


def _scripts(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for char, times in Counter(text).items():
        code = ord(char)
        for low, high, name in _RANGES:
            if low <= code <= high:
                counts[name] += times
                break
    return counts


def _cyrillic(text: str) -> str:
    if re.search("[іїєґ]", text):
        return "uk" if not re.search("[ыэъё]", text) else "ru"
    if re.search("[ыэё]", text):
        return "ru"
    return "bg" if len(re.findall("ъ", text)) * 60 > len(text) else "ru"


def _arabic(text: str) -> str:
    if re.search("[ٹڈڑےں]", text):
        return "ur"
    return "fa" if len(re.findall("[پچژگکی]", text)) * 25 > len(text) else "ar"


def _latin(text: str) -> str:
    scores: dict[str, float] = dict.fromkeys(_WORDS, 0.0)
    words = _WORD.findall(text)
    for word, times in Counter(words).items():
        weight = min(times, 5)
        hits = _VOTES.get(word)
        if hits is None and "'" in word:
            hits = _VOTES.get(word.split("'", 1)[1])
        if hits:
            for language, vote in hits:
                scores[language] += vote * weight
            continue
        for size in _AFFIX_SIZES:
            if len(word) < size + 2:
                break
            languages = _AFFIXES.get(word[-size:])
            if languages:
                for language in languages:
                    scores[language] += 0.25 * weight
    if not text.isascii():
        for char, times in Counter(_TELLING.findall(text)).items():
            for language in _LETTERS[char]:
                scores[language] += min(times, 6) * 0.6 / len(_LETTERS[char])
    best, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
    if {best, second} == {"da", "no"} and scores["no"] < 1.05 * scores["da"]:
        return "da" if scores["da"] >= _MINIMUM else "und"
    if scores[best] < _MINIMUM or scores[best] - scores[second] < 0.04 * scores[best]:
        return "und"
    return best


def detect_language(text: str) -> str:
    """ISO 639-1 code of the language most of ``text`` is written in; ``"und"`` when there is too little to go by.

    Knows nineteen languages in Latin letters by their words (Hindi among them) and over twenty others by script.
    """
    text = _NOISE.sub(" ", text[:MAX_SCANNED]).lower().replace("’", "'")
    if text.isascii():
        return _latin(text)
    scripts = _scripts(text)
    if not scripts:
        return "und"
    if scripts["ja"]:
        # Kana settle it even among many Han characters, but not a lone one inside a foreign text.
        scripts["ja"] += scripts["han"]
    # An ideograph says as much as a word of letters does.
    for name in ("ja", "ko", "han"):
        scripts[name] *= 3
    name, count = scripts.most_common(1)[0]
    if name == "latin":
        return _latin(text)
    if count < 2:
        return "und"
    if name == "cyrillic":
        return _cyrillic(text)
    if name == "arabic":
        return _arabic(text)
    return "zh" if name == "han" else name
