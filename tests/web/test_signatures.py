from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ticket_processor.helpdesk import freshdesk_format, zendesk_format
from ticket_processor.web.gate import (
    MOST,
    RequestRefused,
    bearer,
    is_one_of,
    signature,
    ticket_in,
    verified,
)

PUBLIC_SECRET = zendesk_format.WEBHOOK.public_secret
of_zendesk = partial(ticket_in, webhook=zendesk_format.WEBHOOK)
of_freshdesk = partial(ticket_in, webhook=freshdesk_format.WEBHOOK)

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
STAMP = "2026-11-22T08:00:00Z"
BODY = b'{"ticket_id":"35436","event":"created"}'
SIGNED = "klAaEg+tjvunFV5izCIYimrCvwEMmdmRZ+w5MQCveco="
EMPTY_SIGNED = "B1LUVmbKDiPEU9+Ib4aqoIHEz52TFTBAq78fZVgkJCs="
SIGNED_WITH_THE_DECODED_SECRET = "FoQ4M3DlFdLrH3wY2z4J6Qs1uFxSaNcEPLPg1mPKrA0="
SECRETS = (PUBLIC_SECRET,)


def at(seconds: float = 0.0) -> float:
    return (NOW + timedelta(seconds=seconds)).timestamp()


def check(body: bytes = BODY, signed: str = SIGNED, stamp: str = STAMP, now: float = 0.0) -> str:
    return verified(SECRETS, [stamp], [signed], body, at(now))


@pytest.mark.parametrize(("body", "signed"), [(BODY, SIGNED), (b"", EMPTY_SIGNED)], ids=["a body", "an empty body"])
def test_what_zendesk_signs_is_let_in(body: bytes, signed: str) -> None:
    assert signature(PUBLIC_SECRET, STAMP.encode(), body).decode() == signed
    check(body, signed)


def signed(stamp: str, body: bytes = BODY) -> str:
    return signature(PUBLIC_SECRET, stamp.encode(), body).decode()


@pytest.mark.parametrize(
    ("stamps", "signatures", "body", "now", "words"),
    [
        ([STAMP], [SIGNED_WITH_THE_DECODED_SECRET], BODY, 0.0, "wrong"),
        ([STAMP], [SIGNED], BODY, 600.0, "600 s old"),
        ([STAMP], [SIGNED], BODY, -600.0, "600 s in the future"),
        ([STAMP], [SIGNED], BODY, 301.0, "301 s"),
        ([], [SIGNED], BODY, 0.0, "one"),
        ([STAMP], [], BODY, 0.0, "one"),
        ([STAMP, STAMP], [SIGNED], BODY, 0.0, "one"),
        ([STAMP], [SIGNED, SIGNED], BODY, 0.0, "one"),
        ([STAMP], [""], BODY, 0.0, "wrong"),
        *(([stamp], [signed(stamp)], BODY, 0.0, "no time") for stamp in ("", "yesterday", "9999999999999999")),
        ([STAMP[:-1]], [SIGNED], b"Z" + BODY, 0.0, "no time"),
    ],
)
def test_what_is_forged_late_doubled_or_moved_is_refused_in_words(
    stamps: list[str], signatures: list[str], body: bytes, now: float, words: str
) -> None:
    with pytest.raises(RequestRefused, match=words):
        verified(SECRETS, stamps, signatures, body, at(now))


def test_either_of_two_secrets_will_do_and_no_third() -> None:
    both = ("the new secret", PUBLIC_SECRET)
    verified(both, [STAMP], [SIGNED], BODY, at())
    verified(both, [STAMP], [signature("the new secret", STAMP.encode(), BODY).decode()], BODY, at())
    with pytest.raises(RequestRefused):
        verified(both, [STAMP], [signature("another", STAMP.encode(), BODY).decode()], BODY, at())
    with pytest.raises(RequestRefused):
        verified((), [STAMP], [SIGNED], BODY, at())


def test_repetitions_share_a_key_and_others_do_not() -> None:
    assert check() == check(now=299.0) == hashlib.sha256(SIGNED.encode()).hexdigest()
    assert check() != check(b"", EMPTY_SIGNED)


@given(st.binary(), st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
@example(BODY + b" ", SIGNED, STAMP)
@example(BODY, SIGNED.lower(), STAMP)
@example(BODY, SIGNED[:-2] + "p=", STAMP)
@example(BODY, SIGNED, "2026-11-22T08:00:00+00:00")
@example(b"Z" + BODY, SIGNED, STAMP[:-1])
def test_nothing_but_what_was_signed_is_let_in(body: bytes, signed: str, stamp: str) -> None:
    if (STAMP.encode() + BODY, SIGNED) != (stamp.encode("latin-1") + body, signed):
        with pytest.raises(RequestRefused):
            check(body, signed, stamp)


@given(st.text(), st.lists(st.text()))
def test_a_secret_is_known_when_it_is_in_the_list(given_one: str, known: list[str]) -> None:
    assert is_one_of("a", ["b", "a"])
    if given_one.isascii():
        assert is_one_of(given_one, known) == (given_one in known)


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", ""), ("abc", ""), ("", ""), ("Bearer", "")],
)
def test_a_bearer_token_is_read_from_its_header(header: str, token: str) -> None:
    assert bearer(header) == token


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
