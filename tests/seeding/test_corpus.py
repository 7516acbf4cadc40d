"""What the packaged tickets promise to whoever measures with them."""

from __future__ import annotations

import re
from html import unescape
from itertools import combinations

import phonenumbers
import pytest
from stdnum import iban, luhn
from stdnum.us import ssn

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


def test_ids_are_unique_slugs() -> None:
    assert len({ticket.id for ticket in CORPUS}) == len(CORPUS)
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", ticket.id) for ticket in CORPUS)


def test_every_label_of_every_ticket_is_set() -> None:
    assert all(None not in ticket.labels.model_dump().values() for ticket in CORPUS)


@pytest.mark.parametrize("category", default_taxonomy().names)
def test_every_category_has_five_tickets(category: str) -> None:
    assert sum(ticket.labels.category == category for ticket in CORPUS) >= 5


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_has_three_tickets(language: str) -> None:
    assert sum(ticket.labels.language == language for ticket in CORPUS) >= 3


@pytest.mark.parametrize(("kind", "least"), [("machine", 5), ("duplicate", 6), ("pii", 8), ("injection", 6)])
def test_every_kind_has_its_tickets(kind: Kind, least: int) -> None:
    assert len(of_kind(kind)) >= least


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
