"""``ticketbot probe``: how a sandbox account treats jobs of updates, found out on a scratch ticket, and remembered."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ..batch_trust import Learnt, remember
from ..clock import Deadline, SystemClock, iso
from ..config import load
from ..errors import CannotRun, ConfigError, DeadlineReached, ExitCode, OutcomeUnknown
from ..probe import Finding, Observed, conclude, findings
from ..screen import Screen
from ..settings import Settings
from ..state import FILE_NAME, State
from ..state_file import is_there
from ..wiring import lock, opened_state, transport_for
from ..zendesk_probe import SUBJECT, Probe, without_answer
from ..zendesk_seeding import SeedTarget, require_sandbox

JOBS = 4
OTHER_S = 300.0
"""Seconds for everything besides waiting for jobs."""


def probe(
    clock: SystemClock, *, config: Path | None, insist: bool, wait_s: float, also_in: Path | None, as_json: bool
) -> int:
    """``ticketbot probe``. Returns the exit code: 0 when jobs may be used, 1 when single updates have to do.

    Raises ``CannotRun`` when nothing could be learnt; what was known before then stays.
    """
    settings = load(config=config)
    screen = Screen(quiet=False, as_json=as_json)
    screen.notices(settings.notices)
    account = settings.zendesk.base_url
    with ExitStack() as stack:
        folders = [settings.state_folder]
        stack.enter_context(lock(settings.state_folder))
        states = [stack.enter_context(opened_state(settings.state_folder, account))]
        if also_in is not None and also_in.resolve() != settings.state_folder.resolve():
            folders.append(also_in)
            states.append(_other_state(also_in, stack))
        probed = _probed(settings, screen, clock, wait_s, insist, stack)
        known = conclude(probed.seen, iso(clock.now()))
        for state in states:
            remember(state, known)
    found = findings(probed.seen)
    rows = [(_MARKS[finding.good], finding.check, finding.seen, finding.follows) for finding in found]
    screen.table(("", "Checked", "Seen", "What follows"), rows, loud=_MARKS[False])
    screen.result(
        f"{_verdict(known)} Remembered in {' and '.join(map(str, folders))}. The scratch ticket "
        f"{probed.ticket_id} stays{' as it is' if probed.trouble else ', solved'}: ticketbot deletes nothing.",
        {
            "account": account,
            "because": probed.because,
            "ticket": probed.ticket_id,
            "learnt": known.model_dump(),
            "findings": [_as_data(finding) for finding in found],
            "remembered_in": [str(folder) for folder in folders],
        },
    )
    good = known.ok and probed.seen.stale_single is not False
    return int(ExitCode.OK if good else ExitCode.SOME_FAILED)


@dataclass(frozen=True)
class Probed:
    """How one knows that the account is no production, the scratch ticket, what was seen, and what was left undone."""

    because: str
    ticket_id: int
    seen: Observed
    trouble: str | None


def _probed(
    settings: Settings, screen: Screen, clock: SystemClock, wait_s: float, insist: bool, stack: ExitStack
) -> Probed:
    deadline = Deadline(clock, OTHER_S + JOBS * wait_s)
    transport = transport_for(settings.zendesk, clock, deadline, share=1.0)
    stack.callback(transport.close)
    judgement = SeedTarget(transport, deadline).judge()
    require_sandbox(judgement, insisted=insist)
    screen.say(f"{settings.zendesk.base_url}: {judgement.because}")
    work = Probe(transport, clock, deadline, margin_s=settings.run.stable_read_s, job_limit_s=wait_s, tell=screen.say)
    trouble: str | None = None
    try:
        ticket_id = work.create()
        screen.say(f"ticket {ticket_id} ('{SUBJECT}') made")
        seen = work.observe()
    except OutcomeUnknown as error:
        raise without_answer(error) from None
    except DeadlineReached:
        raise CannotRun("the probe took too long; nothing was learnt, probe again later") from None
    finally:
        trouble = work.solve()
        screen.notices([trouble] if trouble else [])
    return Probed(judgement.because, ticket_id, seen, trouble)


def _other_state(folder: Path, stack: ExitStack) -> State:
    """The state of another account that what is learnt here is true of as well."""
    if not is_there(folder / FILE_NAME):
        raise ConfigError(f"--also-in {folder}: no state of ticketbot is there; the account's first run makes it")
    stack.enter_context(lock(folder))
    state = State(folder / FILE_NAME)
    stack.callback(state.close)
    return state


_MARKS = {True: "ok", False: "BAD", None: "-"}


def _verdict(known: Learnt) -> str:
    if known.ok:
        return "Jobs of many updates may be used here."
    return f"Jobs of many updates will not be used here, single updates will: {known.why}."


def _as_data(finding: Finding) -> dict[str, object]:
    return {"check": finding.check, "seen": finding.seen, "follows": finding.follows, "good": finding.good}
