"""Of a delivery's body only the ticket's number counts, and our own doings count for nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.web.gate import MOST, Hint, Nothing, of_freshdesk, of_zendesk

MARKER = "ai_processed"
NAMES = ("ticket_id", "id", "type", "subject", "detail", "freshdesk_webhook")
VALUES = (
    st.none() | st.integers() | st.sampled_from(["zen:event-type:ticket.x", "zen:ticket:5", {"id": "5"}, ["5"], "5"])
)


def event(**changes: Any) -> bytes:
    said = {
        "type": "zen:event-type:ticket.created",
        "id": "01HX",
        "subject": "zen:ticket:35436",
        "detail": {"id": "35436", "actor_id": "12", "tags": ["vip"], "subject": "Private words"},
    }
    return json.dumps(said | changes).encode()


def zendesk(body: bytes, marker: str | None = MARKER) -> Hint | Nothing:
    return of_zendesk(body, marker=marker)


@pytest.mark.parametrize("body", [b'{"ticket_id": "35436", "event": "created"}', b'{"ticket_id":35436}'])
def test_a_triggers_own_body_names_the_ticket(body: bytes) -> None:
    assert zendesk(body) == Hint(35436)


def test_an_event_names_the_ticket_and_itself() -> None:
    assert zendesk(event()) == Hint(35436, "01HX")
    assert zendesk(event(subject=None)) == Hint(35436, "01HX")


def test_a_ticket_with_our_marker_is_dropped_unless_answers_count() -> None:
    marked = event(detail={"id": "35436", "tags": ["vip", MARKER]})
    assert zendesk(marked) == Nothing("done already")
    assert zendesk(marked, marker=None) == Hint(35436, "01HX")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"{", b"[" * 5000),
        *(b'{"ticket_id":true}', b'{"ticket_id":-1}', b'{"ticket_id":"1e3"}', b'{"ticket_id":"9999999999999999999"}'),
        b'{"type":"zen:event-type:user.created","subject":"zen:ticket:1"}',
    ],
)
def test_whatever_names_no_ticket_is_nothing_to_do(body: bytes) -> None:
    assert isinstance(zendesk(body), Nothing)
    assert isinstance(of_freshdesk(body), Nothing)


@pytest.mark.parametrize("body", [b'{"ticket_id":7}', b'{"freshdesk_webhook":{"ticket_id":"7"}}', b'{"id":7}'])
def test_a_rule_of_freshdesk_names_the_ticket(body: bytes) -> None:
    assert of_freshdesk(body) == Hint(7)


@given(st.binary() | st.dictionaries(st.sampled_from(NAMES), VALUES).map(lambda said: json.dumps(said).encode()))
def test_no_body_is_too_odd(body: bytes) -> None:
    for said in (zendesk(body), of_freshdesk(body)):
        assert isinstance(said, Nothing) or 0 < said.ticket_id <= MOST
