"""What the packaged tickets promise to whoever measures with them."""

from __future__ import annotations

import re
from collections import Counter
from html import unescape
from itertools import combinations

import phonenumbers
import pytest
from stdnum import iban, luhn
from stdnum.us import ssn

from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.seeding.corpus import SeedTicket, load_corpus

from ..support.cases import for_each

CORPUS = load_corpus()
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


def test_ids_are_unique_slugs_and_every_label_is_set() -> None:
    assert len({ticket.id for ticket in CORPUS}) == len(CORPUS)
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)+", ticket.id) for ticket in CORPUS)
    assert all(None not in ticket.labels.model_dump().values() for ticket in CORPUS)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([ticket.labels.category for ticket in CORPUS], dict.fromkeys(default_taxonomy().names, 5)),
        ([ticket.labels.language for ticket in CORPUS], dict.fromkeys(REGIONS, 3)),
        ([ticket.kind for ticket in CORPUS], {"machine": 5, "duplicate": 6, "pii": 8, "injection": 6}),
    ],
    ids=["categories", "languages", "kinds"],
)
def test_each_value_of_a_label_has_enough_tickets(values: list[str], wanted: dict[str, int]) -> None:
    counts = Counter(values)
    assert {value: counts[value] for value, least in wanted.items() if counts[value] < least} == {}


def test_no_two_tickets_are_alike_unless_they_are_duplicates() -> None:
    bags = [(ticket, frozenset(re.findall(r"\w+", words(ticket).lower()))) for ticket in CORPUS]
    alike = [
        (one.id, other.id)
        for (one, left), (other, right) in combinations(bags, 2)
        if len(left & right) > 0.5 * len(left | right) and "duplicate" not in (one.kind, other.kind)
    ]
    assert alike == []


@each_ticket
def test_planted_data_is_literally_there_with_valid_checksums(ticket: SeedTicket) -> None:
    assert all(value in words(ticket) for value in ticket.planted)
    assert bool(ticket.planted) or ticket.kind != "pii"
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
