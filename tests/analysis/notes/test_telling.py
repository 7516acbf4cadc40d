from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.analysis.chain import Understanding
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.telling import says_something
from ticket_processor.analysis.text.outgoing import with_names
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.models import Analysis, Ticket
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.core.text import plain_line

from ...support.cases import for_each

ANALYSER = RulesAnalyser(default_taxonomy())
STAMP = "2026-11-21T02:00:00Z"


def analyse(subject: str, body: str) -> Analysis:
    return ANALYSER.analyse(redact(f"{subject}\n{body}"))


@for_each(
    ("body", "told", "left_out"),
    [
        (
            "Dear team,\n\nI hope this email finds you well. We moved in March and everybody likes the new place. "
            "Since then our invoices are sent to the old address and we were charged a late fee of 45 EUR. "
            "Thank you for your help.\nBest regards",
            "charged a late fee of 45 EUR",
            ("finds you well", "Thank you", "regards"),
        ),
        (
            "Sehr geehrte Damen und Herren,\n\nich hoffe, es geht Ihnen gut. Seit gestern kann ich mich nicht mehr "
            "einloggen, die Meldung lautet Fehler 4711. Vielen Dank im Voraus.\nMit freundlichen Grüßen",
            "kann ich mich nicht mehr einloggen, die Meldung lautet Fehler 4711",
            ("geht Ihnen gut", "Vielen Dank", "Grüßen"),
        ),
        (
            "Bonjour,\n\nJ'espère que vous allez bien. Ma commande 8812 n'est jamais arrivée, où est mon colis ? "
            "Merci d'avance pour votre aide.",
            "Ma commande 8812 n'est jamais arrivée",
            ("allez bien", "Merci"),
        ),
        (
            "Hola,\n\nEspero que estén bien. No puedo pagar la factura 2210 porque la página muestra un error. "
            "Muchas gracias y saludos.",
            "No puedo pagar la factura 2210",
            ("Espero", "gracias"),
        ),
        (
            "Olá,\n\nEspero que estejam bem. Não consigo fazer login desde a atualização. Muito obrigado pela atenção.",
            "Não consigo fazer login",
            ("Espero", "obrigado"),
        ),
        (
            "Buongiorno,\n\nSpero che stiate bene. Il mio ordine 5512 non è arrivato e vorrei un rimborso. "
            "Grazie e cordiali saluti.",
            "ordine 5512 non è arrivato e vorrei un rimborso",
            ("Spero", "Grazie"),
        ),
        (
            "Hallo,\n\nIk hoop dat alles goed gaat. Ik kan niet inloggen, mijn wachtwoord wordt geweigerd. "
            "Alvast bedankt voor uw hulp.",
            "Ik kan niet inloggen",
            ("hoop", "bedankt"),
        ),
        (
            "お世話になっております。昨日からパスワードを入力してもログインできません。よろしくお願いいたします。",
            "パスワードを入力してもログインできません",
            ("お世話に", "よろしく"),
        ),
        ("您好。我昨天支付了两次，请退款给我好吗？非常感谢。", "我昨天支付了两次", ("您好", "感谢")),
    ],
)
def test_a_summary_tells_the_matter_and_no_greeting_thanks_or_courtesy(
    body: str, told: str, left_out: tuple[str, ...]
) -> None:
    summary = analyse("Help", body).summary
    assert told in summary
    assert not any(words in summary for words in left_out)
    assert not summary.startswith("Help")


@pytest.mark.parametrize(
    "subject",
    [
        "", "Help", "Question", "Re: ticket", "Urgent!!", "FW: [1234] help", "Dringend: Hilfe!", "Demande",
        "お問い合わせ", "求助",
    ],
)  # fmt: skip
def test_a_subject_that_says_nothing_is_not_put_before_the_summary(subject: str) -> None:
    assert not says_something(subject)
    summary = analyse(subject, "The invoice 4411 is wrong, please correct the amount.").summary
    assert summary == "The invoice 4411 is wrong, please correct the amount."


@given(st.text(max_size=80), st.text(max_size=900))
def test_a_summary_is_one_plain_line_of_at_most_three_hundred_characters(subject: str, body: str) -> None:
    summary = analyse(subject, body).summary
    assert len(summary) <= 300
    assert plain_line(summary, 300) == summary


# Names


@for_each(
    ("written", "shown"),
    [
        ("mail.example.com is down", "mail·example·com is down"),
        ("a System.NullReferenceException in app.log", "a System·NullReferenceException in app·log"),
        ("version 2.4.1 fails", "version 2.4.1 fails"),
        ("done.Thanks", "done. Thanks"),
        ("see https://evil.example/x", "see"),
        ("write to jane@mail.example.com", "write to"),
        ("evil.example.com/path?x=1 is here", "is here"),
    ],
)
def test_names_with_dots_are_shown_so_that_nothing_makes_links_of_them(written: str, shown: str) -> None:
    assert plain_line(with_names(written)) == shown


@given(st.text(alphabet="ab.@/:-W1 ", max_size=40))
def test_no_raised_dot_brings_a_link_back(text: str) -> None:
    shown = plain_line(with_names(f"{text} www.evil.com x@evil.com http://evil.com"))
    assert not any(piece in shown for piece in ("evil.com", "://", "@"))
    assert plain_line(shown) == shown


# Whether it saves reading


def understood(subject: str, body: str) -> Analysis:
    ticket = Ticket(id=1, subject=subject, description=body, created_at=STAMP, updated_at=STAMP)
    return Understanding([], ANALYSER)(ticket)


LONG = (
    "We have used your service for years and were always content with it, as is everybody else here. "
    "The office moved in spring, which went well. The garden is nice, and there is a lake behind the house. "
    "In summer we had visitors from abroad who liked the town. Autumn was quiet, as far as one can tell. "
)


def test_a_summary_from_deep_in_a_long_text_saves_reading_it() -> None:
    assert understood("About us", LONG * 4 + "Our invoice 4711 was charged twice and we want the money back.").condenses


def test_a_short_text_and_the_beginning_of_a_long_one_are_read_at_a_glance() -> None:
    assert not understood("Invoice", "It was charged twice.").condenses
    assert not understood("Our invoice 4711 was charged twice and we want a refund", LONG * 4).condenses
