"""Needs 32 to 40: what a person needs who has to keep it running."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from ticket_processor.monitoring import receivers as heartbeat
from ticket_processor.sandbox.app import fill

from ..cli.alarmed import Desk as VirtualDesk
from ..cli.alarmed import Receiver
from ..cli.conftest import REPOSITORY, Command, Desk, OpenDesk, Unmarked, bare, desk, is_chat, open_desk, rows
from ..cli.test_sandbox_command import environment
from ..cli.test_schedule_command import with_crontab
from ..servers.certificates import a_certificate
from ..web.conftest import Serve, serve
from .parts import answers, lines

__all__ = ["bare", "desk", "open_desk", "serve"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell and a crontab")
def test_the_system_starts_runs_by_an_entry_that_is_shown_installed_and_removed(desk: Desk) -> None:
    """Need 32: `schedule install`, `show` and `remove` for cron, systemd, Task Scheduler; manifests for containers."""
    site = desk.folder / "our site; one & more"
    site.mkdir()
    places = {"TICKETBOT_STATE_DIR": str(desk.state), "TICKETBOT_LOG_DIR": str(desk.logs)}
    env = "".join(f"{name}='{value}'\n" for name, value in {**desk.environ, **places}.items())
    (site / ".env").write_text(env, encoding="utf-8")
    (site / "ticketbot.toml").write_text("[run]\nworkers = 2\n", encoding="utf-8")
    desk.environ |= {
        "PATH": with_crontab(desk.folder),
        "CRONTAB": str(desk.folder / "crontab.txt"),
    }
    config = ("--config", "our site; one & more/ticketbot.toml")
    table = desk.folder / "crontab.txt"
    table.write_text("# mine\n0 5 * * * backup\n", encoding="utf-8")
    desk("run", "--since", "1d", "--limit", "1", *config)

    shown = desk("schedule", "show", "cron", "--every", "15", *config).out
    for _ in range(2):
        desk("schedule", "install", "cron", "--every", "15", *config)
    entries = [line for line in table.read_text("utf-8").splitlines() if "ticketbot" in line and line[0] != "#"]
    assert len(entries) == 1
    assert entries[0] in shown
    command = entries[0].split(None, 5)[5].replace(r"\%", "%")
    bare_system = {"PATH": "/usr/bin:/bin"}
    ended = subprocess.run(["/bin/sh", "-c", command], cwd="/", env=bare_system, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    desk.assert_done()
    desk("schedule", "remove", "cron", *config)
    assert table.read_text("utf-8") == "# mine\n0 5 * * * backup\n"

    units = desk("schedule", "show", "systemd", "--every", "15", *config).out
    assert re.search(r"^ExecStart=.*\brun\b", units, re.MULTILINE)
    assert re.search(r"^On\w+=.*15", units, re.MULTILINE)
    task = desk("schedule", "show", "windows", *config, USERNAME="jo", USERDOMAIN="OFFICE").out
    assert re.search(r"<Interval>PT(0H)?10M(0S)?</Interval>", task)
    assert "ticketbot.toml" in task

    assert "ENTRYPOINT" in (REPOSITORY / "Dockerfile").read_text("utf-8")
    kinds = {
        document["kind"]: json.dumps(document)
        for path in (REPOSITORY / "deploy").rglob("*.y*ml")
        for document in yaml.safe_load_all(path.read_text("utf-8"))
        if document and "kind" in document
    }
    assert '"run"' in kinds["CronJob"], "Kubernetes"
    assert '"run"' in kinds["Job"], "Cloud Run"


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualDesk]:
    """A desk that is triaged every ten minutes of virtual time, with a webhook that hears alerts and a heartbeat."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(heartbeat, "START_AFTER_S", 0.0)  # a fast machine ends the whole run before that
    receiver = Receiver()
    made = VirtualDesk(tmp_path, receiver, TICKETBOT_HEARTBEAT_URL=receiver.beat)
    (tmp_path / "ticketbot.toml").write_text('[run]\nwrite_mode = "single"\n', encoding="utf-8")
    made.use_models()
    yield made
    made.close()
    receiver.close()


INCIDENTS: tuple[tuple[str, dict[str, Any], int, int], ...] = (
    ("helpdesk_unreachable", {"kind": "error-before", "path": "/api/"}, 4, 1),
    ("helpdesk_unreachable", {"kind": "unauthorised", "path": "/api/"}, 3, 1),
    ("model_fallback", {"kind": "error-before", "path": "/v1/"}, 4, 5),
    ("errors_fast", {"kind": "status", "method": "PUT", "path": r"/tickets/\d+", "status": 422}, 2, 2),
)
"""The rule, what goes wrong, for how many runs, and with how many new tickets before each."""


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated", "ignore::ResourceWarning")
def test_a_person_is_told_once_of_what_needs_one_and_that_it_is_over(watched: VirtualDesk) -> None:
    """Need 33: alerts, one message per incident and one when it is over; daily summary; heartbeat."""
    desk, receiver = watched, watched.receiver
    desk.run(4, tickets=3)
    assert receiver.said == []
    told: list[tuple[str, str]] = []
    for rule, fault, runs, new in INCIDENTS:
        desk.fault(**fault)
        desk.run(runs, tickets=new)
        told.append(("begun", rule))
        assert receiver.said == told
        desk.heal()
        desk.run(8, tickets=5)
        told.append(("over", rule))
        assert receiver.said == told
    begun = [message for message in receiver.messages if message["what"] == "begun"]
    assert all("docs/alerts.md" in message["message"] for message in begun), "what to do is said"
    assert "Charged twice" not in json.dumps(receiver.messages), "no word of a ticket"
    assert {"start", "0", "3"} <= {path for path, _ in receiver.pings}

    desk.daily_at = "07:00"
    desk.run(2, every=86_400.0)
    summaries = [message for message in receiver.messages if message["what"] == "summary"]
    assert "success rate" in summaries[0]["message"]
    assert len({message["title"] for message in summaries}) == len(summaries)


def test_health_says_whether_runs_can_be_made_and_service_levels_are_told(open_desk: OpenDesk, serve: Serve) -> None:
    """Need 34: `health` for load balancers and people; service levels (success, p95, errors) in the report."""
    desk = open_desk(4, faults="status:PUT:/tickets/2:status=422")
    desk.configure('[run]\nwrite_mode = "single"\n')
    desk("run", "--since", "1d", code=1)
    told = {line.strip(): line for line in desk("report").out.splitlines()}
    for figure in (r"success rate\s+75\.0%", r"error rate\s+25\.0%", r"latency p95\s+[\d.]+ m?s"):
        assert any(re.fullmatch(figure, line) for line in told), figure

    desk.sandbox.faults.rules.clear()
    desk("retry", "run")
    checks = {check["name"]: check["status"] for check in desk("health", "--json", code=None).object["checks"]}
    assert {checks[name] for name in ("helpdesk", "credentials", "state")} == {"ok"}
    ended = desk("health", ZENDESK_OAUTH_CLIENT_SECRET="wrong", code=3)
    assert re.search(r"^FAIL +helpdesk .*no token", ended.out, re.MULTILINE)

    for status in (200, 503):
        serving = serve(desk)
        answer = requests.get(f"{serving.url}/health", timeout=30)
        assert (answer.status_code, answer.json()["checks"]["worker"]) == (status, "ok"), answer.text
        assert serving.stop() == 0
        desk.logs.rename(desk.folder / f"former {status}")
        desk.logs.write_text("no folder", encoding="utf-8")


def key(number: int) -> str:
    return base64.b64encode(bytes([number]) * 32).decode()


def test_the_log_proves_itself_is_sealed_forgets_a_customer_and_is_kept_for_a_year(desk: Desk) -> None:
    """Need 35: JSON lines and text, a chain; 365 days; a customer erased; sealed by one current key."""
    desk("run", "--since", "1d", "--limit", "3")
    (file,) = desk.logs.glob("*.jsonl")
    (plain,) = desk.logs.glob("*.log")
    assert "updated" in plain.read_text("utf-8")
    number = next(iter(answers(desk)))
    desk("audit", "verify")
    assert "ai_processed" in desk("audit", "show", str(number)).out

    words = re.compile(rb"charged twice|log in|parcel|Geld", re.IGNORECASE)
    assert words.search(file.read_bytes())
    desk("audit", "erase", *(f"--ticket={one}" for one in answers(desk)), "--yes")
    left = [path for folder in (desk.logs, desk.state) for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in left if words.search(path.read_bytes())] == []
    desk("audit", "verify")

    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"outcome":"updated"', b'"outcome":"skipped"', 1))
    assert file.name in desk("audit", "verify", code=1).out
    file.write_bytes(whole)

    today = datetime.fromtimestamp(desk.sandbox.clock.now(), UTC).date()
    for days in (400, 300):
        shutil.copy(file, desk.logs / f"ticketbot-{today - timedelta(days=days)}.jsonl")
    desk("run")
    kept = {path.name[10:20] for path in desk.logs.glob("*.jsonl*")}
    assert kept == {str(today), str(today - timedelta(days=300))}

    sealed = {"TICKETBOT_AUDIT_ENCRYPTION_KEYS": key(1), "TICKETBOT_LOG_DIR": str(desk.folder / "sealed")}
    newer = {**sealed, "TICKETBOT_AUDIT_ENCRYPTION_KEYS": f"{key(2)},{key(1)}"}
    fourth, fifth = fill(desk.sandbox, rows(2))
    desk("run", "--ticket", str(fourth), **sealed)
    desk("run", "--ticket", str(fifth), **newer)
    for path in (desk.folder / "sealed").iterdir():
        assert b"ai_processed" not in path.read_bytes()
        # Long base64 holds any four letters now and then; no sentence is so long without a blank.
        assert not words.search(re.sub(rb"[A-Za-z0-9+/]{60,}", b"", path.read_bytes()))
    for number in (fourth, fifth):
        assert "ai_processed" in desk("audit", "show", str(number), **newer).out
    desk("audit", "verify", **newer)
    unread = desk("audit", "show", str(fourth), code=None, **sealed | {"TICKETBOT_AUDIT_ENCRYPTION_KEYS": key(2)})
    assert "ai_processed" not in unread.out


@contextmanager
def of_tls_1_2(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A server that speaks no newer TLS, whose certificate nobody trusts: its address, and why handshakes failed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*a_certificate(folder, lasts=timedelta(days=40)))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    failed: list[str] = []

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            failed.append(str(sys.exc_info()[1]))

    server = Server(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield f"https://localhost:{server.server_port}", failed
    server.shutdown()
    server.server_close()


def test_what_leaves_is_redacted_and_encrypted_and_what_stays_is_for_its_owner_alone(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    """Need 36: the privacy page and what it says: TLS 1.2 or 1.3, secrets from the environment only, files 0600."""
    page = (REPOSITORY / "docs" / "privacy-and-security.md").read_text("utf-8")
    for words in ("GDPR", "HIPAA", "SOC 2", "What leaves", "What stays"):
        assert words in page, words

    planted = ("melody@example.com", "4111 1111 1111 1111", "+49 30 901820")
    body = f"I was charged twice. Write to {planted[0]} or call {planted[2]}; my card is {planted[1]}."
    desk = open_desk([{"subject": "Charged twice", "body": body, "age": 7200.0}], model=True)
    desk("run", "--since", "1d", "--verbose")
    (asked,) = [request.body.decode() for request in desk.seen if is_chat(request)]
    assert "charged twice" in asked
    made = [path for folder in (desk.state, desk.logs) for path in folder.rglob("*") if path.is_file()]
    for text in (asked, str(desk.notes(1)), *(path.read_bytes().decode("latin-1") for path in made)):
        assert not [value for value in planted if value in text]
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in made} == {0o600}

    desk.configure('[zendesk]\noauth_token = "hunter2-canary"\n')
    refused = desk("run", code=2)
    assert "hunter2" not in refused.out + refused.err
    assert "ticketbot.toml" in refused.err

    with of_tls_1_2(tmp_path) as (url, failed):
        account = {"ZENDESK_URL": url, "TICKETBOT_STATE_DIR": str(tmp_path / "elsewhere")}
        for lowest, why in (("1.2", "UNKNOWN_CA"), ("1.3", "UNSUPPORTED_PROTOCOL")):
            desk.configure(f'lowest_tls = "{lowest}"\n')
            failed.clear()
            desk("run", "--since", "1d", "--dry-run", code=3, **account)
            assert {why in each for each in failed} == {True}, failed


def test_invented_tickets_fill_a_sandbox_and_never_an_account_that_looks_like_production(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    """Need 37: `seed`: invented tickets for a sandbox account, a guard against production; `--llm`: by a model."""
    desk = open_desk(0, model=True)
    for _ in range(2):
        desk("seed", "--count", "12")
    assert len(desk.tickets) == 12, "twice is once"
    assert len({desk.ticket(number)["subject"] for number in desk.tickets}) == 12

    desk.seen.clear()
    wanted = ("--category", "refund", "--language", "de", "--count", "3", "--out", "new.jsonl")
    desk("seed", "--llm", *wanted)
    desk("seed", "--file", "new.jsonl")
    saved = [json.loads(line) for line in (desk.folder / "new.jsonl").read_text("utf-8").splitlines()]
    assert [(row["category"], row["language"]) for row in saved] == [("refund", "de")] * 3
    assert [request for request in desk.seen if is_chat(request)]
    new = {desk.ticket(number)["description"] for number in desk.tickets}
    assert len(desk.tickets) == 15
    assert all(any(row["body"].strip() == text.strip() for text in new) for row in saved)

    real = open_desk(3, kind=Unmarked, plan="enterprise")
    own = lines(real, "own.jsonl", [{"subject": "a"}, {"subject": "b"}])
    assert "production" in real("seed", "--file", own, code=2).err
    assert len(real.tickets) == 3


def test_the_sandbox_imitates_both_helpdesks_and_a_model_with_faults_and_the_tour_needs_nothing(bare: Command) -> None:
    """Need 38: `sandbox`: local imitation of Zendesk, Freshdesk and a model server with faults; the tour."""
    for helpdesk, faults in (("zendesk", "lost-reply:PUT:times=2"), ("zendesk", "unauthorised:GET"), ("freshdesk", "")):
        options = ("--tickets", "8", *(("--faults", faults) if faults else ()))
        process = bare.start("sandbox", "--port", "0", "--helpdesk", helpdesk, *options)
        place = {**environment(process), "TICKETBOT_STATE_DIR": str(bare.folder / helpdesk / faults)}
        assert f"{helpdesk.upper()}_URL" in place
        ended = [bare("run", "--since", "1d", "--json", code=None, **place) for _ in range(2)]
        if "unauthorised" in faults:
            assert [one.code for one in ended] == [3, 3]
        else:
            outcomes = [one.object["outcomes"] for one in ended]
            done = sum(one.get("updated", 0) for one in outcomes)
            assert done + outcomes[0].get("skipped", 0) == 8, outcomes
            assert {*ended[0].object["answered_by"]} == {"sandbox-model"}
        process.terminate()
        process.wait(30)

    tour = bare("run", "--sandbox", "--limit", "12")
    assert tour.out.count("Ref tb-") > 3, "notes as agents see them"
    assert not (bare.folder / "state").exists()


HEAVY = {
    "pandas", "numpy", "sklearn", "streamlit", "duckdb", "openai", "matplotlib", "apprise", "fastapi",
    "distributed", "cryptography",
}  # fmt: skip


def test_what_costs_nothing_loads_nothing_and_says_more_when_asked(desk: Desk) -> None:
    """Need 39: `--help` and an idle run load no heavy module; debug level by option and variable; completion."""
    desk("run", "--since", "1d")
    for arguments in (("--help",), ("run", "--help"), ("run", "--quiet")):
        ended, modules = desk.loaded(*arguments)
        assert (ended.code, modules & HEAVY) == (0, set()), arguments
    assert "api/v2/" not in desk("run").err
    for options, environ in ((("--verbose",), {}), ((), {"TICKETBOT_LOG_LEVEL": "debug"})):
        assert "api/v2/" in desk("run", *options, **environ).err
    shell = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    assert "_TICKETBOT_COMPLETE=complete_bash" in desk("--show-completion", "bash", fresh=True, **shell).out
    typed = {"_TICKETBOT_COMPLETE": "complete_bash", "COMP_WORDS": "ticketbot au", "COMP_CWORD": "1"}
    assert desk(fresh=True, **typed).out.split() == ["audit"]


@pytest.mark.skipif(sys.platform == "win32", reason="its Python is no script")
def test_one_command_shows_the_tour_and_one_runs_the_tests(bare: Command) -> None:
    """Need 40: two commands: the tour, the tests; each sets up what it needs."""
    home = bare.folder / "venv"
    (home / "bin").mkdir(parents=True)
    python = home / "bin" / "python"
    asked = bare.folder / "asked.txt"
    script = (
        f'#!/bin/sh\ncase "$*" in *"pip install"*) echo "$*" >> "{asked}"; exit 0;; esac\nexec {sys.executable} "$@"\n'
    )
    python.write_text(script, encoding="utf-8")
    python.chmod(0o755)
    bare.environ |= {"TICKETBOT_VENV": str(home), "TICKETBOT_STATE_DIR": str(bare.folder / "state")}
    scripts = REPOSITORY / "scripts"
    tour = (str(scripts / "tour.py"), "--no-llm", "--limit", "6")
    tests = (str(scripts / "run_tests.py"), "-q", "-p", "no:cacheprovider", "tests/core/test_reasons.py")
    for _ in range(2):
        ended = bare.end(bare.python(*tour))
        assert "ai_processed" in ended.out
    assert re.search(r"\d+ passed", bare.end(bare.python(*tests)).out)
    installed = asked.read_text("utf-8").splitlines()
    assert len(installed) == 2, "once for each"
    assert all("constraints.txt" in line for line in installed)
    assert installed[1].endswith("[dev]")
