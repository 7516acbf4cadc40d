"""Whether a person's reply used a draft or articles: replies with known edits, none of which set the thresholds."""

from __future__ import annotations

import hashlib

import pytest

from ticket_processor.helpdesk.ticket_history import Edit, History
from ticket_processor.reporting.reply_counts import Use
from ticket_processor.reporting.reply_use import (
    OfferedArticle,
    article_use,
    articles_in,
    draft_in,
    draft_use,
    replies_since,
)

BOT, AGENT, CUSTOMER = 99, 7, 500
SCANNER = (
    "Hello,\n\nthank you for your message. Our articles say this about it:\n\n"
    "The scanner stops when the paper tray is open. [1] Close the tray until it clicks and press the green button. [1] "
    "A red light means that the glass has to be cleaned with a dry cloth. [2]\n\n"
    "You can read more here:\n[1] Scanner stops, https://help.example.com/scanner\n[2] Lights\n\nKind regards"
)
VACATION = (
    "Guten Tag,\n\nvielen Dank für Ihre Nachricht. In unseren Artikeln steht dazu:\n\n"
    "Urlaub beantragen Sie im Portal unter „Abwesenheiten“. [1] Die Vertretung bestätigt den Antrag innerhalb von zwei "
    "Tagen. [1] Resturlaub verfällt am 31. März des nächsten Jahres. [1]\n\n"
    "Hier können Sie mehr lesen:\n[1] Urlaub\n\nMit freundlichen Grüßen"
)
TICKETS = (
    "Buongiorno,\n\nIl biglietto si può cambiare fino a due ore prima della partenza. [1] Il cambio è gratuito per chi "
    "ha la tariffa flessibile. [1] Per la tariffa base si pagano dieci euro allo sportello. [1]"
)
EDITS: tuple[tuple[str, str, Use], ...] = (
    (SCANNER, SCANNER, "used"),
    (
        SCANNER,
        "Hi Jo,\n\nThe scanner stops when the paper tray is open. Close the tray until it clicks and press the green "
        "button. A red light means the glass has to be cleaned with a dry cloth.\n\nCheers,\nMia",
        "used",
    ),
    (SCANNER, "Hi Jo, please close the paper tray until it clicks and press the green button.", "edited"),
    (
        SCANNER,
        "Hi Jo, that happens when the tray is open: close the paper tray firmly and press the green button again. We "
        "have also ordered a new lid for you, which should be at your desk on Monday.",
        "edited",
    ),
    (SCANNER, "Hi Jo, a technician comes by this afternoon and takes the device along for repair.", "ignored"),
    (SCANNER, "Hello, thank you for your message. We are looking into it.\n\nKind regards", "ignored"),
    (
        SCANNER,
        "We will send somebody.\n\n> The scanner stops when the paper tray is open. Close the tray until it clicks\n"
        "> and press the green button. A red light means that the glass has to be cleaned with a dry cloth.",
        "ignored",
    ),
    (
        VACATION,
        "Hallo Kim, Urlaub beantragst du im Portal unter „Abwesenheiten“. Die Vertretung bestätigt den Antrag "
        "innerhalb von zwei Tagen. Resturlaub verfällt am 31. März des nächsten Jahres.",
        "used",
    ),
    (VACATION, "Hallo Kim, Resturlaub verfällt am 31. März des nächsten Jahres.", "edited"),
    (VACATION, "Hallo Kim, dein Antrag liegt noch bei mir, ich habe ihn eben freigegeben.", "ignored"),
    (VACATION, "Guten Tag, das weiß ich leider nicht, bitte wenden Sie sich an die Personalabteilung.", "ignored"),
    (
        TICKETS,
        "Gentile cliente, il biglietto si può cambiare fino a due ore prima della partenza. Il cambio è gratuito per "
        "chi ha la tariffa flessibile. Per la tariffa base si pagano dieci euro allo sportello. Buon viaggio!",
        "used",
    ),
    (TICKETS, "Buongiorno, con la tariffa flessibile il cambio è gratuito, fino a due ore prima.", "edited"),
    (TICKETS, "Buongiorno, il treno delle 9 è soppresso: le rimborsiamo tutto oggi stesso.", "ignored"),
)


@pytest.mark.parametrize(("draft", "reply", "use"), EDITS)
def test_a_draft_is_used_edited_or_ignored_by_its_own_words_in_the_reply(draft: str, reply: str, use: Use) -> None:
    assert draft_use(draft, [reply]) == use


def test_the_reply_that_took_most_of_it_counts() -> None:
    assert draft_use(SCANNER, ["We are looking into it.", SCANNER, "Does it work now?"]) == "used"


def test_courtesies_that_every_draft_has_are_no_use_of_it() -> None:
    frame = "Hello,\n\nthank you for your message. Our articles say this about it:\n\nKind regards"
    assert draft_use(SCANNER, [frame]) == "ignored"


ARTICLE = OfferedArticle(
    "zendesk:77",
    "Charged twice for one order",
    "https://acme.zendesk.com/hc/en-us/articles/77-Charged-twice",
    ("The second payment is released by the bank within five days.",),
)


@pytest.mark.parametrize(
    ("reply", "use"),
    [
        ("See https://acme.zendesk.com/hc/de/articles/77-Doppelt for more.", "linked"),
        ("See https://acme.zendesk.com/hc/en-us/articles/771-Other", "ignored"),
        ("Our article “Charged twice for one order” tells you more.", "linked"),
        ("Don't worry: the second payment is released by your bank within five days.", "used"),
        ("I have sent the second payment back to you.", "ignored"),
        ("Hello!\n\n> See https://acme.zendesk.com/hc/en-us/articles/77-Charged-twice", "ignored"),
    ],
)
def test_an_article_is_linked_used_or_ignored(reply: str, use: Use) -> None:
    assert article_use(ARTICLE, [reply]) == use


def test_a_title_of_one_word_and_a_short_line_name_no_article() -> None:
    article = OfferedArticle("help/refunds.md", "Refunds", "", ("Refunds take five days.",))
    assert article_use(article, ["All refunds take some days, more than five."]) == "ignored"


def test_a_page_without_a_number_is_known_by_its_address() -> None:
    article = OfferedArticle("help/a.md", "Refunds", "https://help.example.com/refunds/", ())
    assert article_use(article, ["Look at http://help.example.com/refunds please"]) == "linked"


def test_a_draft_is_found_in_its_note_by_its_digest_and_nothing_else_is() -> None:
    note = f"Triage: printers.\nDraft of a reply:\n{SCANNER}\nRef tb-12345678"
    assert draft_in(note, hashlib.sha256(SCANNER.encode()).hexdigest()) == SCANNER
    assert draft_in(note.replace("green", "blue"), hashlib.sha256(SCANNER.encode()).hexdigest()) is None


def test_articles_of_a_note_are_those_with_lines_below_them() -> None:
    note = (
        "Triage: billing.\nSummary: “Charged twice.”\nArticles that may help:\n"
        "“Charged twice” https://help.example.com/charged\n  “One.”\n  “Two.”\n“Bank days”\n  “Three.”"
    )
    assert articles_in(note, ("a", "b")) == (
        OfferedArticle("a", "Charged twice", "https://help.example.com/charged", ("One.", "Two.")),
        OfferedArticle("b", "Bank days", "", ("Three.",)),
    )
    assert articles_in(note, ("a",)) == ()


def test_only_public_words_of_people_after_our_note_are_replies() -> None:
    def said(author: int, text: str, **facts: object) -> Edit:
        return Edit(at="2026-11-20T08:00:00Z", author=author, comment="public", text=text, **facts)  # type: ignore[arg-type]

    history = History(
        edits=(
            said(CUSTOMER, "Help!", creation=True),
            said(AGENT, "Before"),
            Edit(at="2026-11-20T08:00:00Z", author=BOT, key="k1", way="api", comment="internal"),
            said(CUSTOMER, "Hello?"),
            said(BOT, "From another program", way="api"),
            said(-1, "By a rule", way="rules"),
            Edit(at="2026-11-20T08:00:00Z", author=AGENT, comment="internal"),
            said(AGENT, "First"),
            said(AGENT, "Second", way="api"),
        )
    )
    assert replies_since(history, "k1", CUSTOMER) == ("First", "Second")
    assert replies_since(history, "k2", CUSTOMER) is None
