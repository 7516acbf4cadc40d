"""``ticketbot run`` with several configuration files: the accounts' runs side by side, one summary, one exit code.

Each account has a thread, and its own state, log, lock, deadline, alerts and heartbeat. They share analysing threads.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, Stopping, TicketbotError, unexpected, worst
from ..core.fair_pool import FairPool
from ..core.models import Outcome, OutcomeStatus
from ..monitoring.run_watch import tally_of, tended
from ..reporting.run_tally import RunTally, Seen
from ..reporting.run_words import headline
from ..settings.accounts import ConfiguredAccount, load_accounts, unused_variables
from ..state.sqlite import is_there
from ..wiring import runs
from ..wiring.ticket_subjects import Subjects
from .run import QUEUE
from .screen import Screen, run_data

if TYPE_CHECKING:
    from ..web.worker import TakenFirst

MOST_AT_ONCE = 32
"""Accounts that run at the same time; others wait for their turn."""
MOST_THREADS = 200
"""Analyses at the same time for all accounts, where nothing else is said."""
_LOOK_S = 0.25
_LOUD = "FAIL"
_WELL = (ExitCode.OK, ExitCode.LOCKED)


def run_all(
    clock: SystemClock,
    screen: Screen,
    files: Sequence[Path],
    asked: runs.RunArguments,
    *,
    flags: Mapping[tuple[str, ...], object],
    workers: int | None,
    without: Mapping[str, bool],
) -> tuple[int, int]:
    """Play a run for each of these files; the worst exit code, and how many threads were left behind.

    ``workers`` is the most analyses at a time for all of them. Raises :class:`ConfigError` for an option of ``without``
    that was given.
    """
    if wrong := [f"{option} is for one account: name its --config alone" for option, given in without.items() if given]:
        raise ConfigError(*wrong)
    screen.notices(unused_variables())
    accounts = load_accounts(files, flags)
    usable = [each.settings for each in accounts if each.settings is not None]
    pool = FairPool(workers or min(MOST_THREADS, sum(each.run.workers for each in usable)))
    asked = replace(asked, threads=pool.share)
    account_runs = [AccountRun(each, asked, clock, screen) for each in accounts]
    with screen.progress("triage"):
        _side_by_side([each for each in account_runs if each.exit_code is None], clock)
    return _show(account_runs, screen, dry_run=asked.dry_run), sum(each.abandoned for each in account_runs)


class AccountRun:
    """One account's run, in a thread of its own, and how it ended."""

    def __init__(
        self, account: ConfiguredAccount, asked: runs.RunArguments, clock: SystemClock, screen: Screen
    ) -> None:
        self.account = account
        self._asked = asked
        self._clock = clock
        self._screen = screen
        self._lock = threading.Lock()
        self._tally: RunTally | None = None
        self._planned: list[Seen] = []
        self.over = threading.Event()
        self.exit_code: int | None = None
        self.problems: Sequence[str] = account.problems
        self.finished: runs.Finished | None = None
        self.abandoned = 0
        if account.settings is None:
            self._ends(ExitCode.USAGE, account.problems)

    def start(self) -> None:
        """Begin; :attr:`over` is set at the end."""
        threading.Thread(target=self._run, name=self.account.name, daemon=True).start()

    def stopped(self, error: Stopping) -> None:
        """It was its turn only after a signal had come."""
        self._ends(error.exit_code, [str(error)])

    @property
    def told(self) -> str:
        """The end in a line."""
        return headline(self.finished.summary) if self.finished is not None else "; ".join(self.problems)

    @property
    def data(self) -> dict[str, object]:
        """The end as ``--json`` shows it."""
        settings = self.account.settings
        about = {
            "account": self.account.name,
            "config": str(self.account.file),
            "helpdesk": settings and settings.account,
            "state": settings and str(settings.state_folder),
        }
        if self.finished is None:
            return {**about, "error": list(self.problems), "exit_code": self.exit_code}
        return {**about, **run_data(self.finished.summary, self.finished.log, self._planned, self._tally)}

    def tell(self, *, dry_run: bool) -> None:
        """Print what a run of one account prints, but for its summary."""
        name, settings = self.account.name, self.account.settings
        if self.finished is None:
            quietly = self.exit_code == ExitCode.LOCKED
            (self._screen.notices if quietly else self._screen.problems)(self.problems, account=name)
            return
        for line in self._screen.planned(self._planned):
            self._screen.say(f"{name}: {line}", fit=True)
        if dry_run and settings is not None:
            self._screen.say(f"{name}: state in {settings.state_folder}, log in {settings.log_dir}")
        self._screen.shortcomings(self.finished.summary, self.finished.log, account=name)

    def _run(self) -> None:
        try:
            finished = self._played()
        except TicketbotError as error:
            problems = error.problems if isinstance(error, ConfigError) else (str(error),)
            self._ends(error.exit_code, problems)
        except BrokenPipeError:
            self._ends(ExitCode.OK, ())  # the reader has seen enough, as `| head` has
        except Exception as error:  # noqa: BLE001 - a bug that one account meets is no end to the others
            told = f"{unexpected(error)}; this is a bug in ticketbot, please report it"
            self._ends(ExitCode.CANNOT_RUN, [told])
        else:
            self._ends(finished.summary.exit_code, (), finished)

    def _ends(self, code: int, problems: Sequence[str], finished: runs.Finished | None = None) -> None:
        with self._lock:
            if self.exit_code is None:  # else it was given up, and came back all the same
                self.exit_code, self.problems, self.finished = int(code), problems, finished
                self.abandoned += finished.abandoned if finished is not None else 0
        self.over.set()

    def _given_up(self) -> None:
        self.abandoned += 1
        self._ends(ExitCode.CANNOT_RUN, ["a call did not end, and the run was given up after its deadline"])

    def _played(self) -> runs.Finished:
        settings, clock, asked, name = self.account.settings, self._clock, self._asked, self.account.name
        if settings is None:
            raise ConfigError(*self.account.problems)
        subjects = Subjects(lambda sentence: self._screen.notices([sentence], account=name))
        tally = self._tally = tally_of(settings, subjects)
        first: TakenFirst | None = None

        def listen(outcome: Outcome) -> None:
            planned = outcome.status is OutcomeStatus.PLANNED
            seen = tally.take(outcome, shown=planned or self._screen.tells_each)
            if planned:
                self._planned.append(seen)
            self._screen.outcome(seen, account=name)
            if first is not None:
                first.heard(outcome)

        with (
            ExitStack() as stack,
            tended(
                settings,
                clock,
                "run",
                deadline_s=settings.run.deadline_s,
                silent=asked.dry_run,
                account=name,
                give_up=self._given_up,
            ) as tending,
        ):
            if not (asked.dry_run or asked.limit) and is_there(settings.state_folder / QUEUE):
                from ..web.scheduled import taken_first

                first = taken_first(settings, clock.now, stack)
                asked = replace(asked, told_of=first)
            self._screen.notices(settings.notices, account=name)
            finished = runs.run(settings, asked, clock=clock, listener=listen, subjects=subjects)
            tending.ended(finished.summary, tally=tally)
            return finished


def _side_by_side(waiting: Iterable[AccountRun], clock: SystemClock) -> None:
    """Play them, so many at once; after a signal the rest is not begun, and those under way come to their end."""
    rest, active = deque(waiting), list[AccountRun]()
    while rest or active:
        try:
            clock.check()
        except Stopping as error:
            for each in rest:
                each.stopped(error)
            rest.clear()
        while rest and len(active) < MOST_AT_ONCE:
            active.append(rest.popleft())
            active[-1].start()
        if active:
            active[0].over.wait(_LOOK_S)
        active = [each for each in active if not each.over.is_set()]


def _show(account_runs: Sequence[AccountRun], screen: Screen, *, dry_run: bool) -> int:
    codes = [int(each.exit_code or 0) for each in account_runs]
    counts: Counter[str] = Counter()
    for each in account_runs:
        each.tell(dry_run=dry_run)
        counts.update(each.finished.summary.outcomes if each.finished is not None else {})
    rows = [("ok" if code in _WELL else _LOUD, str(code), each.account.name, each.told) for code, each in
            zip(codes, account_runs, strict=True)]  # fmt: skip
    screen.table(("", "Exit code", "Account", "Run"), rows, loud=_LOUD)
    code = worst(codes)
    well = sum(each in _WELL for each in codes)
    found = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing to do"
    screen.result(
        f"{len(codes)} accounts, {well} of them well: {found}",
        {"accounts": [each.data for each in account_runs], "outcomes": dict(counts), "exit_code": code},
    )
    return code
