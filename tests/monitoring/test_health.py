from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from ticket_processor.core.clock import SystemClock, iso, parse_iso
from ticket_processor.core.errors import ConfigError, ExitCode, ReadOnlyViolation
from ticket_processor.core.guards import STOP_FILE as STOP
from ticket_processor.core.reasons import WAITING
from ticket_processor.core.run_summary import RunRecord, RunSummary
from ticket_processor.monitoring import doctor
from ticket_processor.monitoring import health_servers as servers
from ticket_processor.monitoring.doctor import Doctor
from ticket_processor.monitoring.health_checks import (
    Check,
    Examiner,
    Health,
    HealthVerdict,
    Probe,
    Status,
    exposition,
    fail,
    ok,
    skipped,
    warn,
)
from ticket_processor.monitoring.health_servers import _connected, ask_helpdesk, of_helpdesk
from ticket_processor.monitoring.memory import Failure, Memory
from ticket_processor.monitoring.rules import TOKENS_WARN_S
from ticket_processor.monitoring.run_metrics import RunMetrics
from ticket_processor.pipeline.context import HALTED
from ticket_processor.settings.helpdesks import TOKENS_END, SignIn, ZendeskSettings
from ticket_processor.settings.schema import Settings
from ticket_processor.state.records import Retry
from ticket_processor.state.store import FILE_NAME, State
from ticket_processor.wiring.parts import ACCOUNT

from ..support.fakes import BASE, START, ManualClock, ScriptedAdapter, Step, Wire, answer, refused

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
NOW = START
DATE = "Sat, 21 Nov 2026 03:30:00 GMT"


# What they come to


@pytest.mark.parametrize(
    ("checks", "status", "code"),
    [
        ((), HealthVerdict.HEALTHY, ExitCode.OK),
        ((ok("a", ""), skipped("b", "")), HealthVerdict.HEALTHY, ExitCode.OK),
        ((ok("a", ""), warn("b", "")), HealthVerdict.DEGRADED, ExitCode.SOME_FAILED),
        ((warn("a", ""), fail("b", ""), ok("c", "")), HealthVerdict.UNHEALTHY, ExitCode.CANNOT_RUN),
        ((fail("helpdesk", ""), fail("settings", "")), HealthVerdict.UNHEALTHY, ExitCode.USAGE),
    ],
)
def test_the_worst_check_decides_and_the_exit_code_follows(
    checks: tuple[Check, ...], status: HealthVerdict, code: ExitCode
) -> None:
    assert a_health(*checks).status is status
    assert a_health(*checks).exit_code is code


def a_health(*checks: Check, metrics: RunMetrics | None = None) -> Health:
    return Health(
        checks=checks,
        metrics=metrics,
        version="1.2.3",
        account="desk.example",
        at=iso(NOW),
        seconds=0.25,
    )


# All at the same time


def a_probe(name: str, look: Callable[[], object] = lambda: None) -> Probe:
    def found() -> list[Check]:
        look()
        return [ok(name, "well")]

    return Probe((name,), found)


def names_of(checks: Iterable[Check]) -> list[tuple[str, Status]]:
    return [(check.name, check.status) for check in checks]


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """What waits for it hangs until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_one_that_hangs_is_not_begun_again_until_it_has_come_back(stuck: threading.Event) -> None:
    begun: list[int] = []

    def look() -> None:
        begun.append(1)
        stuck.wait()

    examiner = Examiner([a_probe("slow", look)], SystemClock(), limit_s=0.2)
    for _ in range(3):
        assert names_of(examiner.examine().checks) == [("slow", Status.FAIL)]
    assert len(begun) == 1
    stuck.set()
    while examiner.abandoned:
        threading.Event().wait(0.01)
    assert names_of(examiner.examine().checks) == [("slow", Status.OK)]
    assert len(begun) == 2


def test_an_error_is_a_finding_whose_words_stay_inside() -> None:
    def look() -> None:
        raise ValueError("token abc123 of anna@example.com")

    def locked() -> None:
        raise ConfigError("the state belongs to another account")

    answers = Examiner([a_probe("odd", look), a_probe("state", locked)], SystemClock()).examine().checks
    odd, state = answers
    assert odd.status is Status.FAIL
    assert "ValueError" in odd.text
    assert "abc123" not in odd.text
    assert state.text == "the state belongs to another account"


# Runs


def a_run(
    minutes_ago: float, *, kind: str = "run", took: float = 30.0, by_hand: bool = False, **summary: Any
) -> RunRecord:
    finished = NOW - minutes_ago * MINUTE
    given: dict[str, Any] = {"run_id": f"run-{minutes_ago}", "dry_run": False, "caught_up": True, **summary}
    return RunRecord(
        run_id=given["run_id"],
        kind=kind,
        by_hand=by_hand,
        started=finished - took,
        finished=finished,
        summary=RunSummary(**given),
    )


@pytest.mark.parametrize(
    ("minutes", "status"),
    [(0, Status.OK), (24, Status.OK), (26, Status.WARN), (59, Status.WARN), (61, Status.FAIL), (5000, Status.FAIL)],
)
def test_a_run_is_missed_after_25_minutes_and_has_failed_after_60(minutes: float, status: Status) -> None:
    found = doctor.last_run([a_run(minutes)], NOW)
    assert found.status is status
    assert found.facts["age_s"] == minutes * 60


@pytest.mark.parametrize("every", [1, 10, 60, 1440])
def test_whoever_runs_less_often_is_expected_less_often(every: float) -> None:
    made = [a_run(every * number) for number in range(20, -1, -1)]
    used_to = max(every, 10)
    assert doctor.rhythm(made) == pytest.approx(used_to * MINUTE)
    for late, status in ((2.4, Status.OK), (2.6, Status.WARN), (6.1, Status.FAIL)):
        assert doctor.last_run(made, NOW + late * used_to * MINUTE).status is status


BY_HAND = [a_run(120, by_hand=True), a_run(90, by_hand=True)]
DOWN = {"exit_code": 3, "stopped": "Zendesk gives no answer"}
UNSEEN = [a_run(minutes, caught_up=False) for minutes in (14_200, 14_190, 14_180, 14_170)]
BACKLOG = [a_run(40, took=600), a_run(12, caught_up=False), a_run(2, caught_up=False)]
LAST_RUNS: dict[str, tuple[list[RunRecord], dict[str, Any], Status, str, dict[str, object]]] = {
    "none": ([], {}, Status.WARN, "--since now", {}),
    "none but an undo": ([a_run(5, kind="undo")], {}, Status.WARN, "--since now", {}),
    "one that could not be made": ([a_run(20), a_run(1, **DOWN)], {}, Status.WARN, "no answer", {"age_s": 1200}),
    "some tickets failed": ([a_run(3, exit_code=1)], {}, Status.OK, "", {}),
    "Ctrl-C": ([a_run(20), a_run(3, exit_code=130, stopped="by a signal")], {}, Status.OK, "by a signal", {}),
    "none that was completed": ([a_run(10, exit_code=3, stopped="kill switch")], {}, Status.FAIL, "kill switch", {}),
    "a clock that was wrong": ([a_run(90), a_run(-600)], {}, Status.FAIL, "", {}),
    "by hand, no schedule": (BY_HAND, {"scheduled": lambda: False}, Status.OK, "by hand", {}),
    "by hand, and a schedule starts none": (BY_HAND, {"scheduled": lambda: True}, Status.FAIL, "", {}),
    "by hand, and nobody has looked for one": (BY_HAND, {}, Status.FAIL, "", {}),
    "by hand, since it is gone": ([a_run(150), *BY_HAND], {"scheduled": lambda: False}, Status.FAIL, "", {}),
    "none, no schedule": ([], {"scheduled": lambda: False}, Status.WARN, "", {}),
    "by hand, the last one ended early": (
        [*BY_HAND, a_run(80, by_hand=True, **DOWN)],
        {"scheduled": lambda: False},
        Status.WARN,
        "no answer",
        {},
    ),
    "a schedule that died, and nothing was seen whole": (UNSEEN, {}, Status.FAIL, "has looked at every ticket", {}),
    "an outage without a good run": ([a_run(20, **DOWN)], {}, Status.FAIL, "", {}),
    "an outage after one": ([a_run(300), a_run(20, **DOWN)], {}, Status.FAIL, "", {"age_s": 18_000}),
    "a backlog": (BACKLOG, {}, Status.WARN, "start them more often", {"behind_s": 3060}),
    "all was seen": ([a_run(5)], {}, Status.OK, "", {}),
    "not all was seen": ([a_run(5, caught_up=False)], {}, Status.WARN, "", {}),
    "a retry run sees nothing": ([a_run(5), a_run(1, kind="retry")], {}, Status.OK, "", {"caught_up": iso(NOW - 330)}),
}


@pytest.mark.parametrize("name", LAST_RUNS)
def test_what_the_last_runs_prove(name: str) -> None:
    made, options, status, words, facts = LAST_RUNS[name]
    found = doctor.last_run(made, NOW, **options)
    assert (found.status, words in found.text) == (status, True), found.text
    assert found.facts.items() >= facts.items()
    assert ("caught_up" in found.facts) == any(run.kind == "run" and run.summary.caught_up for run in made)


def a_retry(hours: float, reason: str = "HTTP 422", *, dead: bool = False, since: float | None = None) -> Retry:
    return Retry(1, 1, reason, dead, NOW - hours * HOUR if since is None else since)


@pytest.mark.parametrize(
    ("waiting", "head_start_s", "status", "facts"),
    [
        ([], 0, Status.OK, {"waiting": 0, "dead": 0}),
        ([a_retry(0.9)], 0, Status.OK, {"waiting": 1, "dead": 0, "oldest_s": 3240}),
        ([a_retry(0.5), a_retry(1.5)], 0, Status.WARN, {"waiting": 2, "dead": 0, "oldest_s": 5400}),
        ([a_retry(0.1, dead=True)], 0, Status.WARN, {"waiting": 0, "dead": 1}),
        ([a_retry(0, since=0.0)], 0, Status.OK, {"waiting": 1, "dead": 0}),
        ([a_retry(3, WAITING)], 4 * HOUR, Status.OK, {"waiting": 1, "dead": 0, "oldest_s": 10_800}),
        ([a_retry(3, WAITING)], HOUR, Status.WARN, {"waiting": 1, "dead": 0, "oldest_s": 10_800}),
        ([a_retry(3)], 4 * HOUR, Status.WARN, {"waiting": 1, "dead": 0, "oldest_s": 10_800}),
    ],
    ids=[
        "none",
        "lately",
        "for long",
        "given up",
        "of unknown age",
        "people's head start",
        "is over",
        "is no failure's",
    ],
)
def test_what_waits_is_well_for_an_hour_and_what_was_given_up_is_not(
    waiting: list[Retry], head_start_s: float, status: Status, facts: dict[str, object]
) -> None:
    found = doctor.retry_list(waiting, NOW, head_start_s=head_start_s)
    assert (found.status, found.facts) == (status, facts)
    assert ("retry list" in found.text) == (status is Status.WARN)


# The machine and its surroundings


@pytest.mark.parametrize(
    ("ahead", "status"), [(0, Status.OK), (4, Status.OK), (6, Status.WARN), (58, Status.WARN), (62, Status.FAIL)]
)
@pytest.mark.parametrize("way", [1, -1])
def test_a_clock_is_wrong_from_5_seconds_on_and_useless_from_60(ahead: float, status: Status, way: int) -> None:
    assert servers.clock_check(NOW, NOW, None).status is Status.SKIPPED
    found = servers.clock_check(NOW + way * ahead, NOW + way * ahead + 0.1, NOW)
    assert found.status is status
    if status is not Status.OK:
        assert ("ahead" if way > 0 else "behind") in found.text


MB, GB = 10**6, 10**9


@pytest.mark.parametrize(
    ("free", "total", "status"),
    [
        (600 * MB, 10_000 * GB, Status.OK),  # a big disk that is nearly full
        (300 * MB, 1 * GB, Status.OK),  # a small one that is not
        (300 * MB, 100 * GB, Status.WARN),
        (49 * MB, 100 * GB, Status.FAIL),  # no run begins
        (90 * MB, 1 * GB, Status.WARN),  # runs ask for nearly as much
        (0, 0, Status.OK),  # a file system that does not say
    ],
)
def test_500_mb_or_5_percent_are_room_enough_unless_runs_ask_for_more(free: int, total: int, status: Status) -> None:
    assert doctor.room("log_folder", Path("logs"), free, total).status is status
    shut = doctor.room("log_folder", Path("logs"), free, total, unwritable="this user may not")
    assert (shut.status, "this user may not" in shut.text) == (Status.FAIL, True)


@pytest.mark.parametrize(
    ("kind", "now", "status"),
    [
        ("oauth_client", NOW, Status.OK),
        ("oauth_token", NOW, Status.OK),
        ("api_token", parse_iso("2026-11-21T00:00:00Z"), Status.OK),
        ("api_token", TOKENS_END - TOKENS_WARN_S - 1, Status.OK),
        ("api_token", TOKENS_END - TOKENS_WARN_S, Status.WARN),
        ("api_token", parse_iso("2027-04-29T23:59:00Z"), Status.WARN),
        ("api_token", parse_iso("2027-04-30T00:00:00Z"), Status.FAIL),
    ],
)
def test_credentials_that_end_are_told_while_there_is_time(kind: SignIn, now: float, status: Status) -> None:
    found = servers.credentials(kind, now)
    assert found.status is status
    if status in (Status.WARN, Status.FAIL):
        assert "ZENDESK_OAUTH_CLIENT_ID" in found.text


# The helpdesk


def ask(*steps: Step) -> Check:
    wire = Wire(*steps, seconds=6.5)
    return ask_helpdesk(TOKEN, wire.transport, wire.clock)[0]


@pytest.mark.parametrize(
    ("step", "status", "problem"),
    [
        (answer(200, {"tickets": []}), Status.OK, None),
        (answer(401, {"error": "Couldn't authenticate you"}), Status.FAIL, "not_authorised"),
        (answer(403, {"error": "Forbidden"}), Status.FAIL, "forbidden"),
        (answer(404, {"error": "InvalidEndpoint"}), Status.FAIL, "http_404"),
        (answer(503, {}), Status.FAIL, "no_answer"),
        (answer(429, {}, Retry_After="300"), Status.WARN, "rate_limited"),
        (requests.exceptions.ReadTimeout(), Status.FAIL, "timeout"),
        (requests.exceptions.ConnectTimeout(), Status.FAIL, "timeout"),
        (refused(), Status.FAIL, "unreachable"),
        (requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED"), Status.FAIL, "tls"),
        (answer(200, "<html>log in</html>"), Status.FAIL, "no_answer"),
        (answer(302, {}, Location="https://elsewhere.example/login"), Status.FAIL, "no_answer"),
    ],
)
def test_what_is_wrong_with_the_helpdesk_is_told_apart(step: Step, status: Status, problem: str | None) -> None:
    found = ask(step)
    assert found.status is status
    assert found.facts.get("problem") == problem
    assert BASE in found.text


def look(settings: ZendeskSettings, *steps: Step) -> tuple[dict[str, Check], ScriptedAdapter]:
    adapter = ScriptedAdapter(*steps)
    probe = of_helpdesk(settings, ManualClock(), offline=False, adapter=lambda: adapter)
    return {check.name: check for check in probe.answer()}, adapter


TOKEN = ZendeskSettings(url=BASE, oauth_token=SecretStr("s3cret-token"))


def test_a_look_is_two_requests_and_tells_how_long_credentials_last() -> None:
    basic = ZendeskSettings(url=BASE, email="bot@example.com", api_token=SecretStr("s3cret"))
    user = answer(200, {"user": {"id": 7, "role": "admin"}})
    found, adapter = look(basic, answer(200, {"tickets": []}, Date=DATE), user)
    assert found["clock"].status is Status.OK
    assert found["credentials"].facts["expires"] == "2027-04-30T00:00:00Z"
    assert [sent.path_url for sent in adapter.sent] == ["/api/v2/tickets?page%5Bsize%5D=1", "/api/v2/users/me"]
    assert adapter.sent[0].headers["Authorization"].startswith("Basic ")


def test_a_look_cannot_write_to_the_helpdesk() -> None:
    adapter = ScriptedAdapter(answer(200, {}))
    transport = _connected(TOKEN, ManualClock(), lambda: adapter)
    with pytest.raises(ReadOnlyViolation):
        transport.request("PUT", "/api/v2/tickets/1", json={"ticket": {"priority": "low"}})
    assert adapter.sent == []


# The state and the disk


def settings_in(folder: Path, **more: Any) -> Settings:
    return Settings(zendesk=TOKEN, state_dir=folder / "state", log_dir=folder / "logs", **more)


def checks_of(settings: Settings, clock: ManualClock | None = None, **options: Any) -> dict[str, Check]:
    health = Doctor(settings, clock or ManualClock(), offline=True, **options).examine()
    return {check.name: check for check in health.checks}


def stored(settings: Settings, *records: RunRecord, **facts: str) -> Path:
    path = settings.state_folder / FILE_NAME
    state = State(path)
    for record in records:
        state.keep_run(record)
    state.remember(**facts)
    state.close()
    return path


@pytest.mark.parametrize("damage", ["junk", "cut", "a page that no check reads"])
def test_a_damaged_state_has_failed_and_the_rest_is_looked_at(tmp_path: Path, damage: str) -> None:
    settings = settings_in(tmp_path)
    path = stored(settings, a_run(1))
    state = State(path)
    with state.transaction():
        for number in range(3000):
            state.settled(number, done=("run-1", f"key-{number}"))
    state.close()
    content = path.read_bytes()
    late = len(content) * 3 // 4 // 4096 * 4096
    broken = {
        "junk": b"no database " * 500,
        "cut": content[: len(content) // 2],
        "a page that no check reads": content[:late] + bytes(4096) + content[late + 4096 :],
    }
    path.write_bytes(broken[damage])
    found = checks_of(settings)
    assert found["state"].status is Status.FAIL
    assert "delete it" in found["state"].text
    assert found["log_folder"].status is Status.OK


def test_a_state_of_a_newer_program_or_of_another_account_has_failed(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = stored(settings, **{ACCOUNT: "https://other.example"})
    assert "belongs to https://other.example" in checks_of(settings)["state"].text
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 999")
    database.close()
    found = checks_of(settings)["state"]
    assert found.status is Status.FAIL
    assert "newer ticketbot" in found.text


def test_what_the_state_knows_of_the_helpdesk_is_told(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = stored(settings, a_run(1), **{HALTED: "ticket 7 shows an internal note"})
    state = State(path)
    state.retry_later(9, "HTTP 422", failed=True, max_attempts=1, now=NOW - 60)
    state.close()
    found = checks_of(settings)
    assert {name: check.status for name, check in found.items() if check.status in (Status.WARN, Status.FAIL)} == {
        "retry_list": Status.WARN,
        "halted": Status.FAIL,
    }


def test_the_kill_switch_is_told_with_how_to_release_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    stored(settings, a_run(1))
    (settings.state_folder / STOP).touch()
    found = checks_of(settings)["kill_switch"]
    assert found.status is Status.FAIL
    assert str(settings.state_folder / STOP) in found.text


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="only POSIX has such rights, and root has all")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_this_user_may_not_write_to_has_failed(tmp_path: Path, what: str) -> None:
    settings = settings_in(tmp_path)
    path = stored(settings, a_run(1))
    shut = path if what == "file" else path.parent
    shut.chmod(0o400 if what == "file" else 0o500)
    try:
        assert checks_of(settings)["state_folder"].status is Status.FAIL
        assert checks_of(settings)["state"].status is Status.OK
    finally:
        shut.chmod(0o700)


@pytest.mark.skipif(os.name != "posix", reason="rights of other users are POSIX's")
def test_what_other_users_can_read_is_told_as_far_as_its_folder_lets_them(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = stored(settings, a_run(1))
    secrets = tmp_path / ".env"
    secrets.write_text("ZENDESK_API_TOKEN=s3cret", encoding="utf-8")
    secrets.chmod(0o604)
    settings.log_dir.mkdir(0o755)
    log = settings.log_dir / "ticketbot-2026-11-21.jsonl"
    log.write_text("{}\n", encoding="utf-8")
    log.chmod(0o644)
    (settings.state_folder / "run.lock").touch(0o644)  # there is nothing to be read in it
    for folder in (tmp_path, settings.log_dir, settings.state_folder):
        folder.chmod(0o755)
    found = checks_of(settings, secret_files=[secrets])["permissions"]
    assert found.status is Status.WARN
    assert found.facts["files"] == [str(secrets), str(log)]
    assert "s3cret" not in found.text
    settings.log_dir.chmod(0o700)
    secrets.chmod(0o640)
    assert checks_of(settings, secret_files=[secrets])["permissions"].status is Status.OK
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o644)
    assert checks_of(settings)["permissions"].facts["files"] == [str(path)]


@pytest.mark.skipif(os.name != "posix", reason="rights of other users are POSIX's")
def test_folders_that_every_user_can_put_files_into_are_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    stored(settings, a_run(1))
    settings.log_dir.mkdir()
    site = tmp_path / "site"
    site.mkdir()
    folders = sorted([settings.log_dir, settings.state_folder, site])
    for folder in folders:
        folder.chmod(0o1777 if folder == site else 0o777)
    found = checks_of(settings, secret_files=[site / ".env"])["permissions"]
    assert found.status is Status.WARN
    assert found.facts == {"files": [], "folders": [str(folder) for folder in folders]}
    assert "chmod o-w" in found.text
    for folder in folders:
        folder.chmod(0o775)
    assert checks_of(settings, secret_files=[site / ".env"])["permissions"].status is Status.OK


def test_a_model_that_cannot_be_asked_as_the_settings_stand_is_a_problem_of_theirs(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, models={"names": ["gpt-x", "gpt-y"], "preset": "openai"})
    health = Doctor(settings, ManualClock(), offline=True).examine()
    assert health.exit_code is ExitCode.USAGE
    assert len(health.checks[0].facts["problems"]) == 2


# Remembered, and in Prometheus' words


def test_those_who_ask_at_the_same_time_share_one_examination() -> None:
    begun, go_on = threading.Event(), threading.Event()
    made, told = [], []

    def examine() -> Health:
        made.append(1)
        begun.set()
        go_on.wait(60)
        return a_health()

    from ticket_processor.web.server import remembered

    health = remembered(examine, SystemClock())
    threads = [threading.Thread(target=lambda: told.append(health())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert (len(made), len(told)) == (1, 8)


EVERYTHING = a_health(
    ok("settings", ""),
    servers.clock_check(NOW + 9, NOW + 9, NOW),
    ok("helpdesk", "", latency_ms=120),
    servers.credentials("api_token", NOW),
    ok('model "odd\nname"', ""),
    doctor.last_run([a_run(30), a_run(3, exit_code=3)], NOW),
    doctor.retry_list([a_retry(2)], NOW),
    doctor.room("log_folder", Path("logs"), 10 * GB, 20 * GB),
    doctor.room("state_folder", Path("state"), 10 * GB, 20 * GB),
    metrics=RunMetrics(
        runs=3, runs_failed=1, outcomes={"updated": 4, "failed": 1}, success_rate=0.8, error_rate=0.2, answers=4,
        p50_ms=900.0, p95_ms=4000.0, fallback_rate=0.1, review_rate=0.3, cost_usd=0.4, requests=40,
    ),
)  # fmt: skip


def samples_of(health: Health) -> dict[tuple[str, str], float]:
    text = exposition(health)[0].decode()
    return {
        (sample.name.removeprefix("ticketbot_"), ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_samples_say_what_the_checks_and_runs_do() -> None:
    found = samples_of(EVERYTHING)
    expected = {
        ("build_info", "desk.example,1.2.3"): 1,
        ("up", ""): 1,
        ("check_status", "clock"): 1,
        ("check_status", 'model "odd\nname"'): 0,
        ("last_run_timestamp_seconds", ""): NOW - 180,
        ("last_good_run_timestamp_seconds", ""): NOW - 1800,
        ("retry_list_oldest_seconds", ""): 7200,
        ("folder_free_bytes", "log"): 10 * GB,
        ("runs", "failed"): 1,
        ("runs", "finished"): 2,
        ("outcomes", "updated"): 4,
        ("answers", ""): 4,
        ("latency_p95_seconds", ""): 4.0,
        ("success_ratio", ""): 0.8,
    }
    assert {name: found.get(name) for name in expected} == expected


# Alerts

FAILURE = Failure(at=NOW, target="json (no. 1 of TICKETBOT_ALERT_URLS)", why="it did not answer in time")


@pytest.mark.parametrize(
    ("addresses", "problem", "hours_ago", "status"),
    [
        (0, None, 1, Status.SKIPPED),
        (1, None, 25, Status.OK),
        (1, None, 23, Status.WARN),
        (1, "the package is missing", 25, Status.WARN),
    ],
)
def test_a_message_that_did_not_arrive_is_a_warning_for_a_day(
    addresses: int, problem: str | None, hours_ago: float, status: Status
) -> None:
    memory = Memory(last_failure=FAILURE.model_copy(update={"at": NOW - hours_ago * HOUR}))
    found = doctor.alerting(addresses, problem, memory, NOW)
    assert found.status is status
    assert (FAILURE.target in found.text) is (hours_ago == 23)
