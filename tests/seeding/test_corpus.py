"""What the packaged tickets promise to whoever measures with them."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from importlib import resources
from itertools import combinations

import phonenumbers
import pytest
from stdnum import iban, luhn
from stdnum.us import ssn

from ticket_processor.core.models import Sentiment, Urgency
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.seeding.corpus import Kind, SeedTicket, load_corpus

from ..support.cases import for_each

CORPUS = load_corpus()
LANGUAGES = {"en", "de", "fr", "es", "pt", "it", "nl", "ja"}
REGIONS = {
    "en": ("US", "GB"),
    "de": ("DE",),
    "fr": ("FR",),
    "es": ("ES",),
    "pt": ("PT", "BR"),
    "it": ("IT",),
    "nl": ("NL",),
    "ja": ("JP",),
}
RESERVED_HOST = re.compile(r"(?:[a-z0-9-]+\.)*(?:example\.(?:com|net|org)|[a-z0-9-]+\.example)")
OWN_ADDRESS = re.compile(r"(?:support|news|no-reply)@tarnfield\.example")
ADDRESS = re.compile(r"[\w.+-]+@([\w.-]+\w)")

each_ticket = for_each("ticket", CORPUS)


def words(ticket: SeedTicket) -> str:
    return f"{ticket.subject}\n{ticket.text}"


def of_kind(kind: Kind) -> list[SeedTicket]:
    return [ticket for ticket in CORPUS if ticket.kind == kind]


def how_many(pattern: str) -> int:
    return sum(re.search(pattern, words(ticket), re.M) is not None for ticket in CORPUS)


def test_there_are_at_least_76_tickets() -> None:
    assert len(CORPUS) >= 76


def test_ids_are_unique_slugs() -> None:
    assert len({ticket.id for ticket in CORPUS}) == len(CORPUS)
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", ticket.id) for ticket in CORPUS)


def test_an_id_ends_with_its_language() -> None:
    assert all(ticket.id.endswith(f"-{ticket.labels.language}") for ticket in CORPUS)


def test_every_label_of_every_ticket_is_set() -> None:
    assert all(None not in ticket.labels.model_dump().values() for ticket in CORPUS)


@pytest.mark.parametrize("category", default_taxonomy().names)
def test_every_category_has_five_tickets(category: str) -> None:
    assert sum(ticket.labels.category == category for ticket in CORPUS) >= 5


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_three_tickets(language: str) -> None:
    assert sum(ticket.labels.language == language for ticket in CORPUS) >= 3


def test_about_half_of_the_tickets_are_english_and_no_other_languages_occur() -> None:
    counts = Counter(ticket.labels.language for ticket in CORPUS)
    assert set(counts) == LANGUAGES
    assert 0.4 <= counts["en"] / len(CORPUS) <= 0.6


def test_every_urgency_and_every_mood_has_ten_tickets() -> None:
    assert min(Counter(ticket.labels.urgency for ticket in CORPUS)[urgency] for urgency in Urgency) >= 10
    assert min(Counter(ticket.labels.sentiment for ticket in CORPUS)[mood] for mood in Sentiment) >= 10


@pytest.mark.parametrize(("kind", "least"), [("machine", 5), ("duplicate", 6), ("pii", 8), ("injection", 6)])
def test_every_kind_has_its_tickets(kind: Kind, least: int) -> None:
    assert len(of_kind(kind)) >= least


def test_duplicates_come_in_three_clusters() -> None:
    clusters = Counter(re.sub(r"-\d+-[a-z]+$", "", ticket.id) for ticket in of_kind("duplicate"))
    assert len(clusters) >= 3
    assert min(clusters.values()) >= 2


def test_machine_mail_is_a_bounce_or_an_absence_in_three_languages() -> None:
    machines = of_kind("machine")
    assert {"en", "de", "fr"} <= {ticket.labels.language for ticket in machines}
    assert any(ticket.requester.email.startswith("mailer-daemon@") for ticket in machines)


def test_injections_come_in_several_languages_and_disguises() -> None:
    injections = of_kind("injection")
    everything = "\n".join(map(words, injections))
    assert len({ticket.labels.language for ticket in injections}) >= 4
    disguises = ("<!--", "display:none", "\nsystem:", '{"category"', "{{ticket.requester.email}}", "{%", "![")
    assert all(disguise in everything for disguise in disguises)


def test_there_are_long_mails_and_one_liners() -> None:
    assert sum(len(ticket.text) > 1200 for ticket in CORPUS) >= 3
    assert sum("\n" not in ticket.text and len(ticket.text) < 120 for ticket in CORPUS) >= 3
    assert any(len(ticket.text.strip()) <= 3 for ticket in CORPUS)


def test_there_are_html_mails_with_tables_styles_and_hidden_preheaders() -> None:
    html = [ticket.html for ticket in CORPUS if ticket.html is not None]
    assert len(html) >= 5
    assert all(any(part in mail for mail in html) for part in ("<table", "<style", ' style="', "display:none"))


def test_there_are_quoted_histories_of_several_mail_programs() -> None:
    forms = (r"^On .+ wrote:$", r"^Am .+ schrieb .+:$", r"^From: .+\nSent: ", r"^Le .+ a écrit :$")
    assert all(how_many(form) for form in forms)
    assert how_many(r"^> ") >= 4


def test_subjects_include_replies_forwards_external_marks_and_none_at_all() -> None:
    subjects = [ticket.subject for ticket in CORPUS]
    assert all(any(mark in subject for subject in subjects) for mark in ("RE:", "FWD:", "[EXT]"))
    assert "" in subjects


def test_some_tickets_have_emoji_and_some_have_attachments() -> None:
    assert how_many("[\U0001f300-\U0001faff]") >= 3
    assert sum(bool(ticket.attachments) for ticket in CORPUS) >= 10


def test_no_two_tickets_are_alike_unless_they_are_duplicates() -> None:
    bags = [(ticket, frozenset(re.findall(r"\w+", words(ticket).lower()))) for ticket in CORPUS]
    alike = [
        (one.id, other.id)
        for (one, left), (other, right) in combinations(bags, 2)
        if len(left & right) > 0.5 * len(left | right) and "duplicate" not in (one.kind, other.kind)
    ]
    assert alike == []


@each_ticket
def test_planted_data_is_literally_there(ticket: SeedTicket) -> None:
    assert all(value in words(ticket) for value in ticket.planted)
    assert bool(ticket.planted) or ticket.kind != "pii"


@each_ticket
def test_planted_checksums_are_valid(ticket: SeedTicket) -> None:
    for value in ticket.planted:
        if re.fullmatch(r"\d(?: ?\d){12,18}", value):
            luhn.validate(value.replace(" ", ""))
        if re.match(r"[A-Z]{2}\d\d ", value):
            iban.validate(value)
        if re.fullmatch(r"\d{3}-\d{2}-\d{4}", value):
            ssn.validate(value)


def test_planted_data_is_of_many_sorts() -> None:
    planted = [value for ticket in CORPUS for value in ticket.planted]
    sorts = {
        "card": r"\d(?: ?\d){12,18}",
        "iban": r"[A-Z]{2}\d\d [A-Z0-9 ]+",
        "ssn": r"\d{3}-\d{2}-\d{4}",
        "address": r"[\w.]+@[\w.-]+",
        "key": r"tfk_live_\w+",
        "ip": r"(?:\d+\.){3}\d+",
        "password": r"Marmalade-\S+",
    }
    assert [sort for sort, form in sorts.items() if not any(re.fullmatch(form, value) for value in planted)] == []
    assert sum(re.fullmatch(r"[+(]?[\d ()-]{9,18}", value) is not None for value in planted) >= 8


@each_ticket
def test_every_address_and_link_is_in_a_reserved_domain(ticket: SeedTicket) -> None:
    hosts = [found[1] for found in ADDRESS.finditer(f"{ticket.requester.email} {words(ticket)}")]
    hosts += re.findall(r"https?://([^/\s\"'<>]+)", words(ticket))
    assert [host for host in hosts if not RESERVED_HOST.fullmatch(host)] == []


@each_ticket
def test_every_address_of_somebody_else_is_listed_as_planted(ticket: SeedTicket) -> None:
    found = {match[0] for match in ADDRESS.finditer(unescape(words(ticket))) if not OWN_ADDRESS.fullmatch(match[0])}
    assert found <= {ticket.requester.email, *ticket.planted}


@each_ticket
def test_every_phone_number_is_listed_as_planted(ticket: SeedTicket) -> None:
    found = {
        match.raw_string
        for region in REGIONS[ticket.labels.language or ""]
        for match in phonenumbers.PhoneNumberMatcher(words(ticket), region)
    }
    assert found <= set(ticket.planted)


def test_the_file_is_readable_text_without_escapes() -> None:
    raw = resources.files("ticket_processor.seeding").joinpath("seed_tickets.jsonl").read_bytes()
    assert b"\\u" not in raw
    assert b"\r" not in raw
    assert "ü" in raw.decode("utf-8")
    assert raw.count(b"\n") == len(CORPUS)
