"""A probe against accounts of every kind, in virtual time: what it sees, what it concludes, what it leaves behind."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from ticket_processor.batch_trust import FACT, Learnt, learnt, remember
from ticket_processor.clock import Deadline
from ticket_processor.errors import CannotRun, OutcomeUnknown
from ticket_processor.probe import Observed, conclude, counted, findings
from ticket_processor.sandbox import BOT_ID, InMemoryAdapter, ManualClock, Request, Response, Rules, Sandbox
from ticket_processor.settings import ZendeskSettings
from ticket_processor.state import State
from ticket_processor.throttle import Limit
from ticket_processor.wiring import transport_for
from ticket_processor.zendesk_probe import Probe

MARGIN_S = 6.0
AT = "2026-11-21T03:30:00Z"


class VirtualClock:
    """A clock on which waiting takes no time."""

    def __init__(self, manual: ManualClock) -> None:
        self._manual = manual

    def now(self) -> float:
        return self._manual.now()

    def monotonic(self) -> float:
        return self._manual.now()

    def wait(self, seconds: float) -> None:
        self._manual.advance(seconds)

    def check(self) -> None:
        """Nobody asks for a stop here."""


class Bench:
    """A sandbox and a probe of it. ``rules`` are the account's, other options the sandbox's."""

    def __init__(self, *, kind: type[Sandbox] = Sandbox, wait_s: float = 60.0, **options: Any) -> None:
        rules = {name: options.pop(name) for name in list(options) if name in Rules.__dataclass_fields__}
        manual = ManualClock()
        self.sandbox = kind(manual, **{"plan": "enterprise", "rules": Rules(**rules), **options})
        clock = VirtualClock(manual)
        deadline = Deadline(clock, 10_000)
        settings = ZendeskSettings(
            url="http://127.0.0.1:1",
            oauth_client_id="ticketbot",
            oauth_client_secret=SecretStr(self.sandbox.credentials.oauth_client_secret),
        )
        self._transport = transport_for(
            settings, clock, deadline, share=1.0, adapter=lambda: InMemoryAdapter(self.sandbox, manual.advance)
        )
        self.probe = Probe(self._transport, clock, deadline, margin_s=MARGIN_S, job_limit_s=wait_s)

    def run(self) -> Observed:
        try:
            self.probe.create()
            return self.probe.observe()
        finally:
            assert self.probe.solve() is None
            self._transport.close()
            self.after()

    def after(self) -> None:
        """Whatever was found: one ticket, solved, from an address that nobody has."""
        (ticket,) = self.sandbox.store.tickets.values()
        assert ticket.json["status"] == "solved"
        requester = self.sandbox.store.users[ticket.json["requester_id"]]
        assert requester["email"].endswith("@example.com")

    @property
    def notes(self) -> list[dict[str, Any]]:
        (ticket,) = self.sandbox.store.tickets
        return self.sandbox.store.bot_comments(ticket, BOT_ID)


def learns(**options: Any) -> Learnt:
    return conclude(Bench(**options).run(), AT)


ALL_WELL = Learnt(
    how="probe",
    at=AT,
    ok=True,
    comment=True,
    private=True,
    metadata=True,
    stamps=True,
    placeholders_safe=True,
    stamp_rule="equal",
    conflict_error="UpdateConflict",
    batch_tag_edits=False,
    jobs_count_as_updates=False,
)


def but(**changes: Any) -> Learnt:
    return ALL_WELL.model_copy(update=changes)


def without_time(known: Learnt) -> Learnt:
    return known.model_copy(update={"job_seconds": None})


@pytest.mark.parametrize(
    ("account", "known"),
    [
        ({}, ALL_WELL),
        ({"stamp_rule": "not_newer"}, but(stamp_rule="not_newer")),
        ({"batch_tag_edits": True}, but(batch_tag_edits=True)),
        ({"jobs_count_as_updates": True}, but(jobs_count_as_updates=True)),
        ({"failed_item": "schema"}, ALL_WELL),
        ({"conflict_form": "titled"}, ALL_WELL),
        ({"conflict_form": "errors"}, ALL_WELL),
        ({"conflict_form": "text"}, but(conflict_error=None)),
        ({"placeholders": "keep"}, ALL_WELL),
        ({"placeholders": "remove"}, ALL_WELL),
        ({"plan": "sandbox"}, ALL_WELL),
        ({"plan": "unlimited"}, but(jobs_count_as_updates=None)),
        ({"replica_lag": 5.0, "seed": 1}, ALL_WELL),
        ({"replica_lag": 5.0, "seed": 2}, ALL_WELL),
        ({"faults": "job-no-results"}, ALL_WELL),
        ({"faults": "job-results-missing"}, ALL_WELL),
        ({"faults": "job-item-fails:times=1"}, ALL_WELL),
        ({"faults": "rate-limit:PUT:times=1"}, ALL_WELL),
        ({"faults": "lost-reply:POST:/tickets:times=1"}, ALL_WELL),
        ({"faults": "status:PUT:/update_many:status=409:after=1:times=1"}, ALL_WELL),
        (
            {"faults": "status:PUT:/update_many:status=422:after=2", "batch_tag_edits": True},
            but(batch_tag_edits=False),
        ),
        (
            {"batch_comment": False},
            but(ok=False, comment=False, why="a note in a job is dropped"),
        ),
        (
            {"batch_metadata": False},
            but(ok=False, metadata=False, why="the key in a job is dropped"),
        ),
        (
            {"batch_stamps": False},
            but(ok=False, stamps=False, why="an old stamp in a job does not stop the write"),
        ),
        (
            {"batch_private": False},
            but(ok=False, private=False, why="an internal note became public"),
        ),
        (
            {"placeholders": "expand_escaped"},
            but(ok=False, placeholders_safe=False, why="an escaped placeholder in a note is expanded"),
        ),
        (
            {"faults": "job-item-fails"},
            but(
                ok=False,
                comment=False,
                metadata=False,
                stamps=False,
                jobs_count_as_updates=None,
                why="a change in a job was not made",
            ),
        ),
        (
            {"faults": "status:PUT:/update_many:status=403"},
            but(
                ok=False,
                comment=False,
                metadata=False,
                stamps=False,
                batch_tag_edits=None,
                jobs_count_as_updates=None,
                why="jobs of updates are refused (HTTP 403, Fault403)",
            ),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_probe_learns_what_the_account_does(account: dict[str, Any], known: Learnt) -> None:
    assert without_time(learns(**account)) == known


def test_all_faults_of_jobs_together_are_told_together() -> None:
    known = learns(batch_comment=False, batch_metadata=False, batch_stamps=False)
    assert known.why.count(";") == 2
    assert known.placeholders_safe is True


@pytest.mark.parametrize("lag", [0.0, 2.0, 5.0])
@pytest.mark.parametrize("rule", ["batch_comment", "batch_metadata", "batch_stamps", "batch_private"])
def test_lagging_readings_hide_nothing_that_is_wrong(rule: str, lag: float) -> None:
    for seed in range(5):
        known = learns(replica_lag=lag, seed=seed, **{rule: False})
        seen = (known.comment, known.metadata, known.stamps, known.private)
        assert (known.ok, seen.count(False)) == (False, 1)


def test_a_job_takes_as_long_as_it_takes() -> None:
    quick, slow = learns(job_seconds=(0.1, 0.0)), learns(job_seconds=(9.0, 1.0))
    assert quick.job_seconds is not None
    assert slow.job_seconds is not None
    assert quick.job_seconds < 1 < 10 <= slow.job_seconds < 16


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ("job-slow:seconds=100000", "within 60 s (it is queued)"),
        ("job-lost", "within 60 s (it is not found)"),
        ("job-vanishes", "within 60 s (it is not found)"),
        ("job-fails", "ended a job of one as failed"),
        ("job-killed", "ended a job of one as killed"),
        ("status:GET:/audits:status=403", "refuses to show /tickets/…/audits (HTTP 403"),
        ("status:GET:/tickets/\\d+$:status=404", "does not show the ticket 1"),
        ("status:PUT:/tickets/\\d+$:status=422:after=1:times=1", "refuses to update the scratch ticket 1 (HTTP 422"),
    ],
)
def test_what_teaches_nothing_says_so(faults: str, said: str) -> None:
    bench = Bench(faults=faults)
    with pytest.raises(CannotRun) as caught:
        bench.run()
    assert said in str(caught.value)


def test_an_account_full_of_jobs_teaches_nothing() -> None:
    with pytest.raises(CannotRun, match="as many jobs under way as it allows"):
        learns(max_jobs=0, too_many_jobs_status=422)


def test_a_write_without_an_answer_is_not_repeated() -> None:
    bench = Bench(faults="lost-reply:PUT:/update_many:times=1")
    with pytest.raises(OutcomeUnknown):
        bench.run()
    assert bench.sandbox.requests["PUT tickets/update_many"] == 1


def test_the_ticket_that_cannot_be_solved_is_named() -> None:
    bench = Bench(faults="status:PUT:/tickets/\\d+$:status=422")
    bench.probe.create()
    trouble = bench.probe.solve()
    assert trouble is not None
    assert "ticket 1 ('ticketbot probe') could not be set to solved (HTTP 422" in trouble


class Unguarded(Sandbox):
    """An account that knows no safe update, in no way of writing."""

    def handle(self, request: Request) -> Response:
        body = request.body.replace(b'"safe_update":true', b'"unknown":true')
        return super().handle(Request(request.method, request.path, request.query, request.headers, body))


def test_an_account_without_any_guard_is_not_for_ticketbot() -> None:
    seen = Bench(kind=Unguarded, batch_stamps=False).run()
    assert seen.stale_single is False
    (found,) = [finding for finding in findings(seen) if finding.check == "an old stamp in a single update"]
    assert (found.good, found.follows) == (False, "nothing guards a write: do not use ticketbot here")


def test_the_note_of_a_probe_is_sent_as_internal_and_only_once() -> None:
    bench = Bench()
    bench.run()
    assert [note["public"] for note in bench.notes] == [False]
    lost = Bench(batch_comment=False)
    lost.run()
    assert [note["public"] for note in lost.notes] == [False]


# --- what follows -----------------------------------------------------------------------------------


def limit(remaining: int, resets: float | None = 30.0) -> Limit:
    return Limit(100, remaining, resets)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (limit(50), limit(49), False),
        (limit(50), limit(48), True),
        (limit(50, 30), limit(48, 25), True),
        (limit(50, None), limit(49, None), False),
        (limit(50, 5), limit(40, 58), None),
        (limit(50), limit(50), None),
        (limit(3), limit(99), None),
        (None, limit(50), None),
        (limit(50), None, None),
    ],
)
def test_whether_jobs_count_is_told_within_one_window_only(
    before: Limit | None, after: Limit | None, told: bool | None
) -> None:
    assert counted(before, after) is told


def test_every_bad_finding_is_a_reason_and_none_means_that_jobs_may_be_used() -> None:
    good = Bench().run()
    assert conclude(good, AT).ok
    assert not [finding for finding in findings(good) if finding.good is False]
    for rule in ("batch_comment", "batch_metadata", "batch_stamps", "batch_private"):
        seen = Bench(**{rule: False}).run()
        assert [finding.good for finding in findings(seen)].count(False) == 1
        assert conclude(seen, AT).why


# --- remembering ------------------------------------------------------------------------------------


@pytest.fixture
def state() -> Any:
    opened = State(None)
    yield opened
    opened.close()


def test_what_was_learnt_last_is_remembered(state: State) -> None:
    assert learnt(state) is None
    remember(state, but(ok=False, why="x"))
    remember(state, ALL_WELL)
    assert learnt(state) == ALL_WELL


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"how": "probe"}', '{"how": "guess", "ok": true}'])
def test_what_cannot_be_read_is_as_good_as_nothing(state: State, text: str) -> None:
    state.remember(**{FACT: text})
    assert learnt(state) is None
