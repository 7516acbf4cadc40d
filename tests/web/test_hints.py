"""Of a delivery's body only the ticket's number counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.web.gate import MOST, of_freshdesk, of_zendesk

NAMES = ("ticket_id", "id", "type", "subject", "detail", "freshdesk_webhook")
VALUES = (
    st.none() | st.integers() | st.sampled_from(["zen:event-type:ticket.x", "zen:ticket:5", {"id": "5"}, ["5"], "5"])
)


def event(**changes: Any) -> bytes:
    said = {"type": "zen:event-type:ticket.created", "id": "01HX", "detail": {"id": "35436", "actor_id": "12"}}
    return json.dumps(said | changes).encode()


@pytest.mark.parametrize(
    "body",
    [b'{"ticket_id": "35436", "event": "created"}', b'{"ticket_id":35436}', event()],
    ids=["text", "number", "event"],
)
def test_a_triggers_own_body_or_an_event_names_the_ticket(body: bytes) -> None:
    assert of_zendesk(body) == 35436


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"{", b"[" * 5000),
        *(b'{"ticket_id":true}', b'{"ticket_id":-1}', b'{"ticket_id":"1e3"}', b'{"ticket_id":"9999999999999999999"}'),
        event(type="zen:event-type:user.created"),
    ],
)
def test_whatever_names_no_ticket_is_nothing_to_do(body: bytes) -> None:
    assert of_zendesk(body) is None


@pytest.mark.parametrize("body", [b'{"ticket_id":7}', b'{"freshdesk_webhook":{"ticket_id":"7"}}', b'{"id":7}'])
def test_a_rule_of_freshdesk_names_the_ticket(body: bytes) -> None:
    assert of_freshdesk(body) == 7


@given(st.binary() | st.dictionaries(st.sampled_from(NAMES), VALUES).map(lambda said: json.dumps(said).encode()))
def test_no_body_is_too_odd(body: bytes) -> None:
    for said in (of_zendesk(body), of_freshdesk(body)):
        assert said is None or 0 < said <= MOST
