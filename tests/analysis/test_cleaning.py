from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.rules.injection import signs_of
from ticket_processor.analysis.text.cleaning import MAX_OUTPUT, MAX_SUBJECT, as_text, clean
from ticket_processor.core.text import MAX_INPUT, plain_line

from ..support.cases import for_each

OURS = "The new part fits."


@for_each(
    "quoted",
    [
        "On Mon, 3 Mar 2025 at 10:14, Support <help@shop.example> wrote:\n> Which part?",
        "On Mon, 3 Mar 2025 at 10:14, Support\n<help@shop.example> wrote:\nWhich part?",
        "Am 03.03.2025 um 10:14 schrieb Hilfe <hilfe@laden.example>:\n> Welches Teil?",
        "Le lun. 3 mars 2025 à 10:14, Aide <aide@boutique.example> a écrit :\n> Quelle pièce ?",
        "El lun, 3 mar 2025 a las 10:14, Ayuda (<ayuda@tienda.example>) escribió:\n> ¿Qué pieza?",
        "Em seg., 3 de mar. de 2025 às 10:14, Ajuda <ajuda@loja.example> escreveu:\n> Qual peça?",
        "Il giorno lun 3 mar 2025 alle ore 10:14 Aiuto <aiuto@negozio.example> ha scritto:\n> Quale pezzo?",
        "Op ma 3 mrt 2025 om 10:14 schreef Hulp <hulp@winkel.example>:\n> Welk onderdeel?",
        "2025年3月3日(月) 10:14 サポート <help@mise.example>:\n> どの部品ですか",
        "-----Original Message-----\nFrom: Support\nWhich part?",
        "-----Ursprüngliche Nachricht-----\nVon: Hilfe\nWelches Teil?",
        "From: Support <help@shop.example>\nSent: Monday, March 3, 2025 10:14\nTo: Jo\nSubject: Part\n\nWhich part?",
        "Von: Hilfe\nGesendet: Montag, 3. März 2025 10:14\nAn: Jo\nBetreff: Teil\n\nWelches Teil?",
        "De : Aide\nEnvoyé : lundi 3 mars 2025 10:14\nÀ : Jo\nObjet : Pièce\n\nQuelle pièce ?",
        "De: Ayuda\nEnviado el: lunes, 3 de marzo de 2025\nPara: Jo\nAsunto: Pieza\n\n¿Qué pieza?",
        "De: Ajuda\nEnviado: segunda-feira, 3 de março de 2025\nPara: Jo\nAssunto: Peça\n\nQual peça?",
        "Da: Aiuto\nInviato: lunedì 3 marzo 2025\nA: Jo\nOggetto: Pezzo\n\nQuale pezzo?",
        "Van: Hulp\nVerzonden: maandag 3 maart 2025\nAan: Jo\nOnderwerp: Onderdeel\n\nWelk onderdeel?",
        "> Which part?\n> And when?",
        "-- \nJo Doe\nHead of Parts",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Inviato da iPhone",
        "Verzonden vanaf mijn iPhone",
        "iPhoneから送信",
    ],
)
def test_quoted_mail_and_signatures_are_cut(quoted: str) -> None:
    assert clean("Re: Part", f"{OURS}\n\n{quoted}") == f"Re: Part\n{OURS}"


@pytest.mark.parametrize(
    "text",
    [
        "On our side everything works, but the customer wrote:\nit does not.",
        "From: and To: are empty in the export.\nWhy?",
        "The tag <div> is missing and <john@example.com> gets nothing.",
        "a < b and b > c",
        "Steps:\n1. open\n2. close",
        "The price is 5 -- 6 euro",
    ],
)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert clean("Hi", text) == f"Hi\n{text}"


def test_answers_below_a_quote_are_kept() -> None:
    text = "On 3 Mar 2025, Support wrote:\n> Which part?\n\nThe left one.\n> When?\nToday."
    assert clean("", text) == "The left one.\nToday."


def test_a_ticket_that_is_only_quoted_is_kept() -> None:
    text = "> My order has not come.\n> Please help."
    assert clean("Fwd", text) == f"Fwd\n{text}"


def test_a_forwarded_mail_under_see_below_is_the_ticket() -> None:
    text = "See below.\n\n---------- Forwarded message ---------\nFrom: Jo\nThe order has not come."
    assert "has not come" in clean("Fwd: order", text)


def test_html_becomes_text_without_its_hidden_parts() -> None:
    markup = (
        "<html><head><style>.ghost{display:none} p{color:red}</style><script>alert(1)</script></head><body>"
        "<p>Hello <b>wor</b>ld</p><p style='display: none'>one</p><span style='font-size:0px'>two</span>"
        "<div class='x ghost'>three</div><div hidden>four</div><!-- five -->"
        "<ul><li>first</li><li>second</li></ul>a<br>b &amp; c</body></html>"
    )
    assert clean("Hi", markup) == "Hi\nHello world\n\nfirst\n\nsecond\n\na\nb & c"


def test_quoted_mail_in_html_is_cut() -> None:
    assert clean("", "<div>New words</div><div class='gmail_quote'>On Monday Jo wrote: old</div>") == "New words"
    assert clean("", "<p>New words</p><div id='divRplyFwdMsg'>From: Jo</div><div>old</div>") == "New words"


def test_hidden_characters_are_stripped_and_scripts_kept() -> None:
    assert clean("Ｈｉ", "注\u200b文が\U000e0041届かない 😀\u202e") == "Hi\n注文が届かない 😀"
    assert clean("Hi", "ab\u2060\ufe0fcd") == "Hi\nabcd", "what one stripping brings together"


@given(st.text(max_size=50), st.text(max_size=500))
def test_any_text_is_cleaned_and_bounded(subject: str, description: str) -> None:
    text = clean(subject, description)
    assert len(text) <= MAX_OUTPUT
    text.encode("utf-8")


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<div style='display:none'>", "</div>", "<br>", "a ", "<", "&lt;", "<pre>\n", "<!--"]
        )
    )
)
def test_any_markup_is_cleaned(parts: list[str]) -> None:
    clean("", "".join(parts))


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


MARKS = "\u0315\u0301"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("read", "unit"),
    [
        (lambda text: clean("", text), MARKS),
        (lambda text: clean("", text), "\u0f73"),
        (lambda text: clean("", text), "\uff9e\u0315"),
        (lambda text: clean("", f"<p>{text}</p>"), MARKS),
        (lambda text: plain_line(text, MAX_INPUT), MARKS),
        (lambda text: signs_of(text[: len(text) // 5 * 2]), MARKS),
        (lambda text: clean("", text), "<div>"),
        (lambda text: clean("", text), "<div>\n<p>"),
        (lambda text: clean("", "<div>" + text), "<ul><li>"),
        (lambda text: clean("", "<div>" + text), "<dl><dd>"),
        (lambda text: clean("", "<div>" + "<x>" * (len(text) // 6) + "</y>" * (len(text) // 8)), "."),
    ],
    ids=[
        "marks", "marks in one", "half-width marks", "marks in HTML", "marks in a line", "marks in signs",
        *"divs div-p ul dl closed".split(),
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_not_with_its_square(read: Callable[[str], object], unit: str) -> None:
    # Twice the text takes twice the time, its square four times; other work on the machine may disturb a try.
    ratios = []
    for _ in range(4):
        half, whole = (unit * (length // len(unit)) for length in (50_000, 100_000))
        before = seconds(lambda half=half: read(half))  # type: ignore[misc]
        ratios.append(seconds(lambda whole=whole: read(whole)) / max(before, 0.05))  # type: ignore[misc]
        if ratios[-1] < 3:
            return
    raise AssertionError(f"twice the text takes {ratios} times as long")


def test_the_words_in_a_mail_of_countless_elements_are_kept() -> None:
    lines = [f"line {number}" for number in range(1200)]
    flat = "".join(f"<div><b>{line}</b><!-- <i> --></div><script>a='<i>'</script>" for line in lines)
    assert as_text(flat).split() == " ".join(lines).split()
    deep = "<div>" * 3000 + "Where is my order &amp; why?" + "</div>" * 3000 + "<div>Jo</div>"
    assert as_text(deep).split() == "Where is my order & why? Jo".split()


@pytest.mark.parametrize("before", range(2))
def test_no_number_is_cut_in_half(before: int) -> None:
    card = "4111 1111 1111 1111"
    for place in range(19):
        subject = "x" * (MAX_SUBJECT - place - before) + " " * before + card
        assert not re.search(r"\d", clean(subject, "")) or card in clean(subject, "")
        body = "x " * ((MAX_OUTPUT - place) // 2) + " " * before + card
        assert not re.search(r"\d", clean("", body)) or card in clean("", body)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("caf&eacute; &amp; bar", "café & bar"),
        ("4111&nbsp;1111&#160;1111&#xa0;1111", "4111 1111 1111 1111"),
        ("a&#8203;b&zwj;c&amp;nbsp;d", "abc d"),
        ("https://x.example/?a=1&copy=2&sect=3", "https://x.example/?a=1&copy=2&sect=3"),
        ("R&D and AT&T, a && b", "R&D and AT&T, a && b"),
    ],
)
def test_entities_are_decoded_in_plain_text_too(written: str, read: str) -> None:
    assert clean(written, "") == clean("", written) == read
