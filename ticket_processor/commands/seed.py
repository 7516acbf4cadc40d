"""``ticketbot seed``."""

from __future__ import annotations

import time
from pathlib import Path

from ..clock import Deadline, SystemClock
from ..config import load
from ..errors import ConfigError, ExitCode
from ..screen import Screen
from ..wiring import transport_for
from .moments import EXPORTED_AFTER_S

SEED_DEADLINE_S = 3600.0


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
    from ..seed_variation import vary
    from ..seeding import EXTERNAL_ID_PREFIX, load_corpus, load_file, payload
    from ..zendesk_seeding import SeedTarget, require_sandbox

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
