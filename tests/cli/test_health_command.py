"""``ticketbot health``: the verdict on a real installation, with everything well and with everything down."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.clock import SystemClock
from ticket_processor.monitoring.doctor import Doctor
from ticket_processor.monitoring.health_checks import ASKING_S, Check, Health, Status
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings
from ticket_processor.wiring.runs import RunArguments, play

from ..imitation import FaultPlan
from .conftest import Command, Desk


def checks_of(told: Any) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in told["checks"]}


def unwell(told: Any) -> dict[str, str]:
    return {check["name"]: check["status"] for check in told["checks"] if check["status"] in ("warn", "fail")}


def settings_of(desk: Desk, **environ: str) -> Settings:
    """What the command would find."""
    folders = {"TICKETBOT_STATE_DIR": str(desk.state), "TICKETBOT_LOG_DIR": str(desk.logs)}
    return load(environ={**desk.environ, **folders, **environ}, folder=desk.folder)


def examined(desk: Desk, **environ: str) -> Health:
    """Its findings, without a process of its own."""
    return Doctor(settings_of(desk, **environ), SystemClock()).examine()


def triaged(desk: Desk) -> None:
    """A run by rules, without a process of its own."""
    assert play(settings_of(desk), RunArguments(since=0.0)).summary.exit_code == 0
    desk.seen.clear()


def check(found: Health, name: str) -> Check:
    return next(check for check in found.checks if check.name == name)


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# The verdict


def test_a_service_that_works_is_healthy_and_0_and_is_left_as_it_was(smart: Desk) -> None:
    smart("run", "--since", "1d")
    smart.seen.clear()
    files = content_of(smart.folder)
    told = smart("health", "--json").object
    assert (told["status"], unwell(told)) == ("healthy", {})
    assert told["account"] == smart.url.removeprefix("http://")
    assert told["metrics"]["outcomes"] == {"updated": 6}
    assert told["metrics"]["success_rate"] == 1.0
    assert told["metrics"]["p95_ms"] > 0
    assert checks_of(told)["model sandbox-model"]["facts"] == {"listed": True}
    assert sorted(f"{request.method} {request.path}" for request in smart.seen) == [
        "GET /api/v2/tickets",
        "GET /api/v2/users/me",
        "GET /v1/models",
        "POST /oauth/tokens",
    ]
    assert content_of(smart.folder) == files


def test_people_see_a_line_for_each_check_the_day_and_the_verdict(desk: Desk) -> None:
    triaged(desk)
    lines = desk("health").out.splitlines()
    assert lines[-1] == f"{desk.url.removeprefix('http://')}: healthy"
    assert lines[-2].startswith("Last 24 hours: 1 run; outcomes: 6 updated; success rate 100.0%, error rate 0.0%, ")
    marks = {line.split()[1]: line.split()[0] for line in lines[:-3]}
    assert marks["helpdesk"] == "ok"
    assert marks["models"] == "-"


@pytest.mark.slow
def test_everything_that_hangs_is_given_up_together_and_the_process_ends(smart: Desk) -> None:
    """The servers take the connection and never answer: whoever waited for one after the other would wait longer."""
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(4)]
        addresses = [
            f"[models.use.{name}]\nbase_url = 'http://127.0.0.1:{port}/v1'\n"
            for name, port in zip("abc", silent[1:], strict=True)
        ]
        smart.configure("[models]\nnames = ['a', 'b', 'c']\n" + "".join(addresses))
        environ = {"ZENDESK_URL": f"http://127.0.0.1:{silent[0]}", "TICKETBOT_MODELS": "a,b,c"}
        smart.environ.pop("OPENAI_BASE_URL")
        told = smart("health", "--json", code=3, **environ).object
    assert unwell(told) == {
        "helpdesk": "fail",
        **{f"model {name}": "warn" for name in "abc"},
        "last_run": "warn",
    }
    assert checks_of(told)["log_folder"]["status"] == "ok"
    assert told["seconds"] < 2 * ASKING_S


@pytest.mark.parametrize(
    ("fault", "status", "problem"),
    [
        ("status:GET:/v1/models:status=404", Status.OK, None),
        ("status:GET:/v1/models:status=401", Status.WARN, "model_not_authorised"),
        ("error-before:GET:/v1/models", Status.WARN, "model_http_503"),
        ("lost-request:GET:/v1/models", Status.WARN, "model_unreachable"),
        ("html:GET:/v1/models", Status.OK, None),
    ],
)
def test_a_model_server_that_answers_is_well_and_one_that_does_not_is_a_warning(
    smart: Desk, fault: str, status: Status, problem: str | None
) -> None:
    smart.sandbox.faults = FaultPlan.parse(fault)
    found = check(examined(smart), "model sandbox-model")
    assert (found.status, found.facts.get("problem")) == (status, problem)


def test_models_of_one_server_cost_one_request_and_unlisted_ones_are_told(smart: Desk) -> None:
    found = examined(smart, TICKETBOT_MODELS="sandbox-model,another")
    assert check(found, "model sandbox-model").facts == {"listed": True}
    assert check(found, "model another").facts == {"listed": False}
    assert check(found, "model another").status is Status.OK
    assert len(smart.model_requests()) == 1
    smart.configure("[models]\npreset = 'openai'\n")
    assert check(examined(smart, TICKETBOT_MODELS="retired"), "model retired").status is Status.WARN


def test_offline_asks_nobody(smart: Desk) -> None:
    told = smart("health", "--offline", "--json", code=1).object
    assert (smart.seen, told["status"], unwell(told)) == ([], "degraded", {"last_run": "warn"})
    left_out = [name for name, found in checks_of(told).items() if "--offline" in found["text"]]
    assert left_out == ["helpdesk", "clock", "model sandbox-model"]


def test_every_problem_of_the_settings_is_told_and_it_is_2(bare: Command) -> None:
    ended = bare("health", code=2, TICKETBOT_STATEDIR="x")
    for word in ("ZENDESK_SUBDOMAIN", "no credentials", "TICKETBOT_STATEDIR"):
        assert word in ended.out
    told = bare("health", "--json", code=2).object
    assert (told["status"], told["account"], told["metrics"]) == ("unhealthy", None, None)
    assert len(told["checks"][0]["facts"]["problems"]) == 2
    assert list(bare.folder.iterdir()) == []
