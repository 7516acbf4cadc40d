from __future__ import annotations

import copy
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from ticket_processor.core.errors import (
    DeadlineReached,
    HelpdeskDown,
    NotAuthorised,
    OutcomeUnknown,
    RateLimited,
    ReadOnlyViolation,
    Stopping,
    TicketError,
    TicketUnreadable,
)
from ticket_processor.core.guards import RETRY_AFTER_CAP_S, Breaker, backoff_seconds, retry_after_seconds
from ticket_processor.helpdesk.transport import MAX_ATTEMPTS, Limit, Throttle
from ticket_processor.helpdesk.zendesk_format import read_limits

from ..support.fakes import BASE, START, ManualClock, Step, Wire, answer, refused, unknown_name

ReadTimeout = requests.exceptions.ReadTimeout
ConnectTimeout = requests.exceptions.ConnectTimeout
Reset = requests.exceptions.ConnectionError
HalfBody = requests.exceptions.ChunkedEncodingError

NOW = 1_795_231_800.0  # Sat, 21 Nov 2026 03:30:00 GMT


def write(wire: Wire) -> object:
    return wire.transport.request("PUT", "/t/1", json={"a": 1})


# Retry-After


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("Sat, 21 Nov 2026 03:30:30 GMT", 30.0),
        ("Sat, 21 Nov 2026 03:29:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_CAP_S),
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2026 99999999999999999999:00:00 GMT", None),
        ("1 Jan 2026 00:00:00 +9999999999999999", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("NaN", None),
        ("inf", RETRY_AFTER_CAP_S),
        ("-inf", 0.0),
        ("1e400", RETRY_AFTER_CAP_S),
        ("86400", RETRY_AFTER_CAP_S),
        ("9" * 400, RETRY_AFTER_CAP_S),
    ],
)
def test_every_form_of_retry_after_is_understood_or_passed_over(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def test_backoff_grows_to_a_cap_and_uses_the_whole_range() -> None:
    dice = random.Random(1)
    for attempt, most in ((1, 1.0), (2, 2.0), (3, 4.0), (10, 20.0), (900, 20.0)):
        drawn = [backoff_seconds(attempt, dice) for _ in range(200)]
        assert 0 <= min(drawn) < most / 4
        assert most * 3 / 4 < max(drawn) <= most


# Reads

UNCLEAR: dict[str, Step] = {
    "500": answer(500),
    "502": answer(502, "<html>bad gateway</html>"),
    "503": answer(503),
    "503 with a wait": answer(503, Retry_After="1"),
    "504": answer(504),
    "408": answer(408),
    "read timeout": ReadTimeout("slow"),
    "reset": Reset("Connection aborted."),
    "half body": HalfBody("Connection broken"),
    "html": answer(200, "<html>please sign in</html>"),
    "half json": answer(200, b'{"tickets": [', Content_Type="application/json"),
    "empty": answer(200, b"", Content_Type="application/json"),
}
"""The request may have been handled, and it may not."""
SENSELESS = {**UNCLEAR, "connect timeout": ConnectTimeout("slow")}


@pytest.mark.parametrize("trouble", SENSELESS.values(), ids=SENSELESS)
def test_a_read_is_repeated_until_there_is_an_answer_or_the_attempts_are_used_up(trouble: Step) -> None:
    wire = Wire(trouble, trouble, answer(200, {"ok": 1}))
    assert wire.transport.request("GET", "/t").body == {"ok": 1}
    assert (wire.calls, len(wire.clock.waits)) == (3, 2)
    dead = Wire(trouble, breaker=Breaker("desk", ManualClock(), threshold=99))
    with pytest.raises(HelpdeskDown):
        dead.transport.request("GET", "/t")
    assert (dead.calls, len(dead.clock.waits)) == (MAX_ATTEMPTS, MAX_ATTEMPTS - 1)


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [(refused(), "the connection is refused"), (unknown_name(), "the name is unknown")],
    ids=["refused", "unknown"],
)
def test_a_server_that_cannot_be_connected_to_is_asked_again_only_once_it_has_answered(
    trouble: Step, cause: str
) -> None:
    dead = Wire(trouble, breaker=Breaker("desk", ManualClock(), threshold=99))
    with pytest.raises(HelpdeskDown) as told:
        dead.transport.request("GET", "/t")
    assert (dead.calls, dead.clock.waits) == (1, [])
    for words in ("Desk", BASE, cause, "check"):
        assert words in str(told.value)
    gone = Wire(answer(), trouble, trouble, answer())
    gone.transport.request("GET", "/t")
    gone.transport.request("GET", "/t")
    assert gone.calls == 4


def test_a_retry_after_is_kept_by_the_servers_own_clock_and_threads_do_not_all_return_in_it() -> None:
    dated = {"Retry_After": "Sat, 21 Nov 2026 05:30:10 GMT", "Date": "Sat, 21 Nov 2026 05:30:00 GMT"}
    waits = set()
    for limited in (answer(503, Retry_After="10"), answer(429, Retry_After="10"), answer(429, **dated)):
        for seed in range(5):
            wire = Wire(limited, answer(), rng=random.Random(seed))
            wire.transport.request("GET", "/t")
            waits.add(wire.clock.waits[0])
            assert 10 <= wire.clock.waits[0] <= 12.6
    assert len(waits) == 5


def test_timeouts_are_always_set_and_none_is_longer_than_the_rest_of_the_run() -> None:
    wire, short = Wire(answer()), Wire(answer(), seconds=3)
    for each in (wire, short):
        each.transport.request("GET", "/t")
    assert wire.adapter.timeouts == [(5.0, 30.0)]
    assert max(short.adapter.timeouts[0]) <= 3.2


# Writes


@pytest.mark.parametrize("trouble", UNCLEAR.values(), ids=UNCLEAR)
def test_a_write_that_may_have_happened_is_never_sent_again(trouble: Step) -> None:
    wire = Wire(trouble, answer(200, {"ok": 1}))
    with pytest.raises(OutcomeUnknown):
        write(wire)
    assert wire.calls == 1
    assert wire.clock.waits == []


@pytest.mark.parametrize(
    "trouble",
    [answer(429, Retry_After="2"), answer(429), ConnectTimeout("slow"), refused()],
    ids="429 429-without-header connect-timeout refused".split(),
)
def test_a_write_that_surely_did_nothing_is_sent_again(trouble: Step) -> None:
    wire = Wire(answer(), trouble, answer(200, {"ok": 1}))
    wire.transport.request("GET", "/t")
    write(wire)
    assert wire.calls == 3
    assert wire.adapter.sent[1].body == wire.adapter.sent[2].body


class Keys:
    """Credentials that can be renewed, or not."""

    name = "Authorization"

    def __init__(self, *values: str, renewable: bool = True) -> None:
        self._values = list(values)
        self._renewable = renewable
        self.refused: list[str] = []

    def header(self) -> str:
        return self._values[0]

    def renew(self, refused: str) -> bool:
        self.refused.append(refused)
        if self._renewable and len(self._values) > 1:
            self._values.pop(0)
        return self._renewable


@pytest.mark.parametrize(
    ("steps", "keys", "options", "refused", "signed"),
    [
        ((answer(401), answer(200, {"ok": 1})), Keys("old", "new"), {}, ["old"], ["old", "new"]),
        ((answer(401),), Keys("old", "new"), {}, ["old"], ["old", "new"]),
        ((answer(401),), Keys("old", renewable=False), {}, ["old"], ["old"]),
        ((answer(401),), Keys("a", "b"), {"signed": False}, [], [None]),
    ],
    ids=["once more", "a second 401 ends it", "not renewable", "unsigned"],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_after_a_401_a_request_is_sent_once_more_with_renewed_credentials(
    steps: tuple[Step, ...],
    keys: Keys,
    options: Any,
    refused: list[str],
    signed: list[str | None],
    method: str,
) -> None:
    keys = copy.deepcopy(keys)
    wire = Wire(*steps)
    wire.transport.auth = keys
    asked = partial(wire.transport.request, method, "/t", **options)
    if len(steps) == 2:
        asked()
    else:
        with pytest.raises(NotAuthorised, match="401"):
            asked()
    assert keys.refused == refused
    assert [request.headers.get("Authorization") for request in wire.adapter.sent] == signed


def test_a_401_about_one_ticket_is_its_own_where_the_server_takes_our_credentials_for_another_read() -> None:
    auth, probe = Keys("Bearer old", renewable=False), ("/tickets", {"per_page": 1})
    wire = Wire(answer(401), answer(401), answer(401), answer(200, []), answer(401), auth=auth, probe=probe)
    with pytest.raises(NotAuthorised, match="HTTP 401"):
        wire.transport.request("GET", "/tickets/1", about_one=True)
    with pytest.raises(TicketError, match="HTTP 401"):
        wire.transport.request("GET", "/tickets/1", about_one=True)
    assert [request.path_url for request in wire.adapter.sent] == ["/tickets/1", "/tickets?per_page=1"] * 2
    with pytest.raises(TicketError, match="HTTP 401"):
        wire.transport.request("GET", "/tickets/2", about_one=True)
    with pytest.raises(NotAuthorised):
        wire.transport.request("GET", "/tickets")


def test_no_message_holds_the_credentials() -> None:
    for trouble in (answer(401), answer(500), ReadTimeout("slow")):
        wire = Wire(trouble, auth=Keys("Bearer CANARY", renewable=False))
        with pytest.raises((NotAuthorised, HelpdeskDown)) as error:
            wire.transport.request("GET", "/t")
        assert "CANARY" not in str(error.value)


# What counts against the breaker


def test_an_open_breaker_means_no_request_at_all() -> None:
    wire = Wire(answer(503))
    for _ in range(2):
        with pytest.raises(HelpdeskDown):
            wire.transport.request("GET", "/t")
    assert wire.calls == 5  # the fifth failure opened it in the middle of the second request
    with pytest.raises(HelpdeskDown, match="circuit breaker is open"):
        wire.transport.request("GET", "/t")
    with pytest.raises(HelpdeskDown, match="circuit breaker is open"):
        write(wire)
    assert wire.calls == 5


# Waiting


@pytest.mark.parametrize(
    ("retry_after", "seconds", "wait", "calls"),
    [("900", 540.0, 900, 1), ("10", 540.0, 10, MAX_ATTEMPTS), (None, 0.5, 60, 1)],
    ids=["a wait longer than the run is not begun", "one that does not end", "without a header it is a minute"],
)
def test_a_rate_limit_tells_when_to_come_back(retry_after: str | None, seconds: float, wait: float, calls: int) -> None:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    breaker = Breaker("desk", ManualClock(), threshold=99)
    wire = Wire(answer(429, **headers), seconds=seconds, breaker=breaker)
    with pytest.raises(RateLimited) as error:
        wire.transport.request("GET", "/t")
    assert error.value.not_before == pytest.approx(wire.clock.now() + wait)
    assert (wire.calls, len(wire.clock.waits)) == (calls, calls - 1)


@pytest.mark.parametrize("seconds", [0.4, 1.0, 2.5, 6.0, 11.0])
def test_no_wait_passes_the_deadline(seconds: float) -> None:
    wire = Wire(answer(503), seconds=seconds)
    with pytest.raises((HelpdeskDown, DeadlineReached)):
        wire.transport.request("GET", "/t")
    assert wire.clock.now() <= START + seconds


@pytest.mark.parametrize(
    ("ends", "error", "calls"),
    [("stop in a wait", Stopping, 1), ("stop before", Stopping, 0), ("deadline", DeadlineReached, 0)],
)
def test_after_a_stop_or_the_deadline_nothing_more_is_sent(ends: str, error: type[Exception], calls: int) -> None:
    wire = Wire(answer(503), seconds=10)
    wire.clock.stop_during_wait, wire.clock.stopped = ends == "stop in a wait", ends == "stop before"
    wire.clock.advance(10 if ends == "deadline" else 0)
    with pytest.raises(error):
        wire.transport.request("GET", "/t")
    assert wire.calls == calls


# Dry runs and redirects


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_a_read_only_transport_refuses_a_write_before_anything_is_sent(method: str) -> None:
    wire = Wire(answer(), read_only=True)
    with pytest.raises(ReadOnlyViolation):
        wire.transport.request(method, "/t", json={})
    assert wire.calls == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_named_by_its_host_only(status: int) -> None:
    wire = Wire(answer(status, Location="https://elsewhere.invalid/login?return_to=CANARY"), auth=Keys("Bearer s"))
    with pytest.raises(HelpdeskDown, match=r"redirects to elsewhere\.invalid") as error:
        wire.transport.request("GET", "/t")
    assert "CANARY" not in str(error.value)
    assert wire.calls == 1


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own file with a password for every host."""
    path = tmp_path / "netrc"
    path.write_text("default login somebody password else\n", encoding="utf-8")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))


@pytest.mark.usefixtures("netrc")
def test_credentials_are_ours_and_never_those_of_netrc() -> None:
    wire = Wire(answer(), auth=Keys("Bearer ours"))
    wire.transport.request("GET", "/t")
    wire.transport.request("POST", "/oauth/tokens", json={}, signed=False)
    signed, unsigned = wire.adapter.sent
    assert signed.headers["Authorization"] == "Bearer ours"
    assert "Authorization" not in unsigned.headers
    bare = Wire(answer())
    bare.transport.request("GET", "/t")
    assert "Authorization" not in bare.adapter.sent[0].headers


BROKEN_TLS = requests.exceptions.SSLError("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol")


def test_a_broken_tls_connection_is_repeated_for_reads_and_a_refused_one_for_nothing() -> None:
    wire = Wire(BROKEN_TLS, answer(200, {"ok": 1}))
    assert wire.transport.request("GET", "/t").body == {"ok": 1}
    assert wire.calls == 2
    for trouble, error in ((BROKEN_TLS, OutcomeUnknown), (requests.exceptions.SSLError("certificate"), HelpdeskDown)):
        wire = Wire(trouble)
        with pytest.raises(error, match=r"TLS|after sending"):
            write(wire)
        assert wire.calls == 1


# Throttle


def test_before_the_first_reply_nothing_is_held_back() -> None:
    throttle = Throttle(ManualClock())
    assert [throttle.delay(["account"]) for _ in range(500)] == [0.0] * 500


@pytest.mark.parametrize(
    ("share", "limit", "free"),
    [
        (0.5, Limit(100, 100, 30.0), 50),
        (0.5, Limit(100, 100, 600.0), 50),
        (0.5, Limit(100, 6, 20.0), 50),
        (0.5, Limit(100, 5, 20.0), 0),
        (0.1, Limit(3, 3, 60.0), 1),
    ],
    ids=["a share", "a window longer than a minute", "others left some", "others left nearly nothing", "a small limit"],
)
def test_no_more_than_our_share_of_a_limit_is_used_until_its_window_ends(share: float, limit: Limit, free: int) -> None:
    clock, window_s = ManualClock(), limit.resets_s or 0.0
    throttle = Throttle(clock, share=share)
    throttle.learn({"account": limit})
    assert [throttle.delay(["account"]) for _ in range(free)] == [0.0] * free
    assert throttle.delay(["account"]) == pytest.approx(window_s + 0.05)
    clock.advance(window_s / 2)
    assert throttle.delay(["account"]) == pytest.approx(window_s / 2 + 0.05)
    clock.advance(window_s / 2)
    assert throttle.delay(["account"]) == 0.0


def test_the_transport_waits_for_the_next_window() -> None:
    headers = {"ratelimit_limit": "4", "ratelimit_remaining": "4", "ratelimit_reset": "40"}
    wire = Wire(answer(200, {}, **headers), read_limits=read_limits)
    for _ in range(3):
        wire.transport.request("GET", "/t")
    assert wire.clock.waits == [pytest.approx(40.05)]


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        ({"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "699"}, {"account": Limit(700, 699, None)}),
        ({"ratelimit-limit": "700", "ratelimit-remaining": "699"}, {"account": Limit(700, 699, None)}),
        (
            {"RateLimit-Limit": "700", "RateLimit-Remaining": " 699 ", "RateLimit-Reset": "x"},
            {"account": Limit(700, 699, None)},
        ),
        ({"rate-limit": "700", "rate-limit-remaining": "699"}, {"account": Limit(700, 699, None)}),
        *(
            ({name: "total=100; remaining=99; resets=42"}, {limit: Limit(100, 99, 42.0)})
            for name, limit in (
                ("zendesk-ratelimit-tickets-update", "tickets-update"),
                ("Zendesk-RateLimit-incremental-exports", "incremental-exports"),
                ("zendesk-rate-limit-search-export", "search-export"),
            )
        ),
        ({"zendesk-ratelimit-tickets-update": "total=100; remaining=99"}, {"tickets-update": Limit(100, 99, None)}),
        ({"x-rate-limit": "many", "x-rate-limit-remaining": "-1", "zendesk-ratelimit-x": "remaining=3"}, {}),
    ],
    ids=str,
)
def test_limits_are_read_in_every_spelling(headers: dict[str, str], limits: dict[str, Limit]) -> None:
    assert read_limits(headers) == limits


def test_without_a_reset_header_no_minute_of_the_vendors_sees_more_than_our_share() -> None:
    """A slow start at the end of the vendor's minute, and as much as is let through from the next one on."""
    clock = ManualClock()
    throttle = Throttle(clock)
    used = [0] * 10
    clock.advance(50 - clock.monotonic() % 60)
    began = clock.monotonic() - 50
    while (minute := int((clock.monotonic() - began) // 60)) < len(used):
        if throttle.delay({"account": 2}) == 0.0:
            used[minute] += 2
            throttle.learn({"account": Limit(100, 100 - used[minute], None)})
        clock.advance(5.0 if minute == 0 else 0.2)
    assert max(used) == 50


# What is about one ticket


def test_an_answer_about_one_ticket_that_is_none_is_asked_for_twice_and_is_that_tickets_fault() -> None:
    wire = Wire(answer(503))
    with pytest.raises(TicketUnreadable, match="503"):
        wire.transport.request("GET", "/t/1", about_one=True)
    assert (wire.calls, wire.breaker.memory().failures) == (2, 0)
