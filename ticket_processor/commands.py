"""What the commands do once the command line is understood; each prints for a person, a log, or a program."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .clock import Deadline, SystemClock, parse_iso
from .config import load
from .errors import ConfigError, ExitCode, Stopping
from .models import Outcome, OutcomeStatus
from .screen import Screen
from .wiring import Asked, transport_for
from .wiring import run as run_once

if TYPE_CHECKING:
    from .sandbox import LatencyProfile

SEED_DEADLINE_S = 3600.0
WATCHDOG_GRACE_S = 20.0
EXPORTED_AFTER_S = 65
_AGO = re.compile(r"^(\d{1,6})\s*([mhdw])$")
_UNIT_S = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def run(
    clock: SystemClock,
    *,
    config: Path | None,
    dry_run: bool,
    limit: int | None,
    since: str | None,
    workers: int | None,
    sandbox: bool,
    no_llm: bool,
    resume: bool,
    quiet: bool,
    as_json: bool,
) -> tuple[int, int]:
    """``ticketbot run``. Returns the exit code, and how many threads were left behind in hanging calls."""
    flags: dict[tuple[str, ...], object] = {("run", "workers"): workers}
    if no_llm:
        flags["models", "names"] = []
    moment = None if since is None else parse_since(since, clock.now())
    asked = Asked(dry_run=dry_run, limit=limit, since=moment, resume=resume)
    screen = Screen(quiet=quiet, as_json=as_json)
    outcomes: list[Outcome] = []

    def listen(outcome: Outcome) -> None:
        if sandbox or outcome.status is OutcomeStatus.PLANNED:
            outcomes.append(outcome)  # kept only where they are shown afterwards: a backlog may be long
        screen.outcome(outcome, line=not sandbox)

    settings = load(config=config, flags=flags, need_helpdesk=not sandbox)
    watchdog = threading.Timer(settings.run.deadline_s + WATCHDOG_GRACE_S, _too_late)
    watchdog.daemon = True
    watchdog.start()
    if sandbox:
        from .tour import Tour

        with Tour(settings, clock, no_llm=no_llm) as tour:
            screen.say(tour.seeded)
            with screen.progress("triage"):
                finished = tour.run(asked, listen)
            if not dry_run:
                screen.before_and_after(tour.rows(outcomes))
    else:
        screen.notices(settings.notices)
        with screen.progress("triage"):
            finished = run_once(settings, asked, clock=clock, listener=listen)
    watchdog.cancel()
    screen.finished(finished.summary, finished.log, outcomes if dry_run else ())
    return finished.summary.exit_code, finished.abandoned


def _too_late() -> None:
    """The last resort against a call that never ends: cron must be able to start the next run."""
    sys.stderr.write("ticketbot: a call did not end, and the run was cut off after its deadline\n")
    sys.stderr.flush()
    os._exit(int(ExitCode.CANNOT_RUN))


def parse_since(text: str, now: float) -> float:
    """``now``, ``45m``, ``12h``, ``7d``, ``2w``, a date or a full ISO time as Unix seconds.

    Raises :class:`ConfigError`, also for the future. The newest minute is left to a later run, because the
    helpdesk's export withholds it.
    """
    cleaned = text.strip().lower()
    ago = _AGO.match(cleaned)
    try:
        moment = now if cleaned == "now" else now - int(ago[1]) * _UNIT_S[ago[2]] if ago else parse_iso(text.strip())
    except (ValueError, OverflowError):
        raise ConfigError(
            "--since: not understood; write now, 45m, 12h, 7d, 2w, 2026-11-01 or 2026-11-01T08:00:00Z"
        ) from None
    if moment > now:
        raise ConfigError("--since lies in the future")
    return max(0.0, min(moment, now - EXPORTED_AFTER_S))


def seed(
    clock: SystemClock,
    *,
    config: Path | None,
    count: int | None,
    file: Path | None,
    random_seed: int,
    insist: bool,
    as_json: bool,
) -> int:
    """``ticketbot seed``."""
    from .seed_variation import vary
    from .seeding import EXTERNAL_ID_PREFIX, load_corpus, load_file, payload
    from .zendesk_seeding import SeedTarget, require_sandbox

    settings = load(config=config)
    screen = Screen(quiet=False, as_json=as_json)
    screen.notices(settings.notices)
    tickets = list(load_file(file)) if file else list(load_corpus())
    if not tickets:
        raise ConfigError(f"{file} holds no tickets")
    total = count or len(tickets)
    deadline = Deadline(clock, SEED_DEADLINE_S)
    transport = transport_for(settings.zendesk, clock, deadline, share=1.0)
    try:
        target = SeedTarget(transport, deadline)
        judgement = target.judge()
        require_sandbox(judgement, insisted=insist)
        screen.say(f"{settings.zendesk.base_url}: {judgement.because}")
        with screen.progress("seeding", total) as progress:
            done = target.create(
                (payload(ticket) for ticket in vary(tickets, total, random_seed)),
                prefix=EXTERNAL_ID_PREFIX,
                progress=progress,
            )
    finally:
        transport.close()
    ready = time.strftime("%H:%M:%S", time.localtime(time.time() + EXPORTED_AFTER_S))
    screen.result(
        f"{done.created} tickets created, {done.existing} were there already, {done.failed} refused."
        + (f" Zendesk's export withholds the newest minute: run from {ready} on." if done.created else ""),
        {"created": done.created, "existing": done.existing, "failed": done.failed, "because": judgement.because},
    )
    return int(ExitCode.SOME_FAILED if done.failed else ExitCode.OK)


def serve_sandbox(
    clock: SystemClock, *, port: int, tickets: int, plan: str, faults: str, llm_latency: str, random_seed: int
) -> None:
    """``ticketbot sandbox``: serve until a signal comes."""
    from .sandbox import FaultPlan, Rules, Sandbox, SandboxServer, fill
    from .seed_variation import vary
    from .seeding import load_corpus, payload

    try:
        fault_plan = None
        if faults:
            a_file = faults.endswith(".json")
            text = Path(faults).read_text(encoding="utf-8") if a_file else faults
            fault_plan = FaultPlan.parse(text, random_seed)
        sandbox = Sandbox(
            plan=plan,
            seed=random_seed,
            faults=fault_plan,
            llm_latency=parse_latency(llm_latency, random_seed),
            rules=Rules(job_seconds=(0.1, 0.0)) if plan == "unlimited" else None,
        )
    except OSError as error:
        raise ConfigError(f"--faults {faults} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if tickets:
        fill(sandbox, [payload(ticket) for ticket in vary(load_corpus(), tickets, random_seed)])
    try:
        server = SandboxServer(sandbox, port=port)
    except OSError as error:
        raise ConfigError(f"--port {port} cannot be used: {error.strerror or error}") from None
    screen = Screen(quiet=False, as_json=False)
    with server:
        screen.say(f"The sandbox holds {tickets} tickets, plan {plan}. Look at {server.url}/ ; Ctrl-C ends it.")
        screen.say("Point ticketbot, or anything else, at it with:\n")
        for name, value in sandbox_environment(server.url).items():
            screen.say(f"  {name}={value}")
        try:
            while True:
                clock.wait(3600)
        except Stopping:
            screen.say("\nThe sandbox is gone, and everything in it.")


def parse_latency(text: str, seed: int = 0) -> LatencyProfile | None:
    """``2`` (median; the 95th percentile is half as much again) or ``2:4``; ``0`` is no latency at all."""
    from .sandbox import LatencyProfile

    median, _, high = text.partition(":")
    try:
        p50 = float(median)
        p95 = float(high) if high else p50 * 1.5
        return LatencyProfile(p50, p95, seed) if p50 else None
    except ValueError:
        raise ConfigError("--llm-latency: write seconds as 2 (median) or 2:4 (median:95th percentile)") from None


def sandbox_environment(url: str) -> dict[str, str]:
    """The variables that point ticketbot at a sandbox."""
    from .sandbox import Credentials

    known = Credentials()
    return {
        "ZENDESK_URL": url,
        "ZENDESK_OAUTH_CLIENT_ID": known.oauth_client_id,
        "ZENDESK_OAUTH_CLIENT_SECRET": known.oauth_client_secret,
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_KEY": known.openai_key,
        "TICKETBOT_MODELS": "sandbox-model",
    }


def init(folder: Path, *, force: bool, offline: bool) -> int:
    """``ticketbot init``."""
    from .setup_files import check_helpdesk, check_models, write_files

    screen = Screen(quiet=False, as_json=False)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder")
    for found in write_files(folder, force=force):
        screen.found(found.ok, found.text)
    if offline:
        return int(ExitCode.OK)
    code = ExitCode.OK
    settings = load(folder=folder, need_helpdesk=False)
    try:
        settings = load(folder=folder)
    except ConfigError as error:
        for problem in error.problems:
            screen.found(None, problem)
    else:
        helpdesk = check_helpdesk(settings)
        screen.found(helpdesk.ok, helpdesk.text)
        code = ExitCode.OK if helpdesk.ok else ExitCode.CANNOT_RUN
    for found in check_models(settings):
        screen.found(found.ok, found.text)
        code = ExitCode.CANNOT_RUN if found.ok is False else code
    return int(code)
