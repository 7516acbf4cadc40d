"""Prints: a bar and tables for a person at a terminal, plain lines for cron, one JSON object for a program."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from textwrap import TextWrapper
from typing import TextIO

from ..analysis.text.outgoing import told
from ..core import verbose
from ..core.errors import CannotRun
from ..core.models import OutcomeStatus
from ..core.run_summary import RunSummary
from ..core.tables import MOST_LINES, WHERE, Table, show
from ..reporting.run_words import (
    RunTally,
    Seen,
    again_step,
    counted,
    next_steps,
    outcome_line,
    planned_lines,
    summary_text,
    why_no_model,
)

Advance = Callable[[int], None]
_BAR_WIDTH = 16
_BESIDE_NAME = _BAR_WIDTH + 30
_SHORTEST_NAME = 10
MOST_SUBJECT = 36
"""Characters of a subject in a table, so that a line holds the reasons too."""
MOST_LISTED = 36
"""Lines of a list: with what stands around it they are forty at most."""
_OBEYED = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)"
)
_LINE_ENDS = re.compile(r"[\r\n]")


def harmless(text: str, *, one_line: bool = False) -> str:
    """``text`` made safe for a terminal: control, direction and surrogate characters become JSON escapes.

    Logs, helpdesks and models may deliver any character. JSON keeps its meaning. ``one_line`` escapes line ends too, so
    that a text cannot pretend to be further lines of the program's output.
    """
    text = _OBEYED.sub(_escaped, text)
    return _LINE_ENDS.sub(_escaped, text) if one_line else text


def shortened(lines: Sequence[str], *, last: bool = False, whole: str = "--json prints all") -> list[str]:
    """At most forty lines of a list: the first or, with ``last``, the last ones, and how many more there are."""
    left = len(lines) - MOST_LISTED
    if left <= 1:
        return [*lines]
    rest = f"{'and ' * (not last)}{left} {'earlier ones' if last else 'more'}: {whole}"
    return [rest, *lines[-MOST_LISTED:]] if last else [*lines[:MOST_LISTED], rest]


@contextmanager
def printing() -> Iterator[None]:
    """Raise :class:`CannotRun` when standard output takes no more, such as a file on a full disk.

    ``BrokenPipeError`` passes: the reader has seen enough.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotRun(f"nothing can be printed to standard output: {error.strerror or error}") from error


def print_raw(data: bytes) -> None:
    """Print whole lines: unchanged for a program, :func:`harmless` for a person at a terminal."""
    shown = sys.stdout.isatty()
    with printing():
        sys.stdout.buffer.write(harmless(data.decode("utf-8", "backslashreplace")).encode() if shown else data)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class Screen:
    """Prints to ``out``; problems and progress go to ``err``, so that ``--json`` output stays clean.

    ``brief``: of a dry run totals and some tickets, instead of every ticket.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        as_json: bool = False,
        brief: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self._quiet = quiet
        self._as_json = as_json
        self._brief = brief
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._advance: Advance | None = None
        self._above: Callable[[str], None] | None = None

    @property
    def speaks(self) -> bool:
        """Whether text is printed at all: not with ``--json`` or ``--quiet``."""
        return not (self._quiet or self._as_json)

    def _print(self, text: str, file: TextIO, *, fit: bool = False) -> None:
        """A line, above the bar if there is one on that terminal; with ``fit`` a terminal gets no broken words."""
        text = harmless(text)
        if fit and file.isatty():
            text = _fitted(text, file)
        if self._above is not None and file.isatty():
            self._above(text)
        else:
            with printing() if file is self._out else nullcontext():
                print(text + "\n", end="", file=file, flush=True)  # in one piece: other threads may print as well

    def _print_json(self, data: object) -> None:
        with printing():
            print(harmless(json.dumps(data, ensure_ascii=False)), file=self._out, flush=True)

    def _warn(self, text: str) -> None:
        self._print(text, self._err, fit=True)

    def say(self, text: str, *, fit: bool = False) -> None:
        """Print a line, unless ``--json`` or ``--quiet`` is given; with ``fit`` a terminal gets no broken words."""
        if self.speaks:
            self._print(text, self._out, fit=fit)

    def notices(self, notices: Sequence[str]) -> None:
        """Print notices, which stop nothing."""
        for notice in () if self._quiet else notices:
            self._warn(f"ticketbot: note: {notice}")

    def passed_on(self, line: str, *, error: bool) -> None:
        """Print a line of another process: on standard error, or where :meth:`say` prints."""
        if error:
            self._warn(line)
        else:
            self.say(line, fit=True)

    def found(self, ok: bool | None, text: str) -> None:
        """One line of a check."""
        mark = {True: "ok  ", False: "FAIL", None: "todo"}[ok]
        self.say(f"{mark}  {text}")

    def table(self, rows: Sequence[tuple[str, ...]]) -> None:
        """A line for each row, its cells below those of the others; the last one may be long."""
        rows = [tuple(map(harmless, row)) for row in rows]
        widths = [max(map(len, column)) for column in [*zip(*rows, strict=True)][:-1]]
        for row in rows:
            self.say("  ".join((*map(str.ljust, row, widths), row[-1])), fit=True)

    def blocks(self, blocks: Sequence[tuple[str, Sequence[str]]]) -> None:
        """A heading for each, with its lines below it on a terminal, else behind it in one line."""
        below = self._out.isatty()
        for heading, lines in blocks:
            plain = [harmless(line, one_line=True) for line in lines]
            text = "\n    ".join(("", *plain)) if below else f"  {'; '.join(plain)}"
            self.say(f"{harmless(heading, one_line=True)}{text}".rstrip())

    def result(self, text: str, data: object) -> None:
        """The last word of a command: text, or the same as JSON."""
        if self._as_json:
            self._print_json(data)
        else:
            self.say(text)

    @contextmanager
    def progress(
        self, what: str, total: int | None = None, under_way: Callable[[], int] = lambda: 0
    ) -> Iterator[Advance]:
        """A bar in one line on a terminal; elsewhere nothing. Yields the function that moves it.

        Without a ``total``, ``under_way`` says how many are begun and not done.
        """
        if not self.speaks or not self._err.isatty() or os.environ.get("TERM") == "dumb":
            yield lambda _count: None
            return
        from rich import progress as bars
        from rich.console import Console
        from rich.table import Column
        from rich.text import Text

        class SteadyConsole(Console):
            def show_cursor(self, show: bool = True) -> bool:
                return False  # a process that is ended in a hurry could not show a hidden one again

        class Count(bars.ProgressColumn):
            def render(self, task: bars.Task) -> Text:
                done = int(task.completed)
                return Text(f"{done:,} of {done + under_way() if total is None else total:,}")

        console = SteadyConsole(file=self._err)
        room = max(_SHORTEST_NAME, console.width - _BESIDE_NAME)
        name = bars.TextColumn(
            "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", max_width=room)
        )
        bar = [bars.BarColumn(_BAR_WIDTH)] if total is not None and room > _SHORTEST_NAME else []
        time = bars.TimeElapsedColumn() if total is None else bars.TimeRemainingColumn()
        with bars.Progress(name, *bar, Count(), time, console=console, transient=True) as progress:
            task = progress.add_task(harmless(what, one_line=True), total=total)
            self._advance = lambda count: progress.advance(task, count)
            self._above = lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True)
            try:
                yield self._advance
            finally:
                self._advance = self._above = None

    @property
    def tells_each(self) -> bool:
        """Whether each ticket's outcome is printed: not with ``--json``, ``--quiet`` or ``brief``, nor beside a bar."""
        return self.speaks and not self._brief and self._advance is None

    def outcome(self, seen: Seen, *, line: bool = True) -> None:
        """Take one ticket's outcome: move the bar, or print a line where there is none. Failures always print."""
        verbose.decision(seen.number, seen.outcome.status, lambda: told(seen.outcome.reason))
        if self._advance is not None:
            self._advance(1)
        if seen.outcome.status is OutcomeStatus.FAILED:
            self._warn(outcome_line(seen))
        elif line and self.tells_each and seen.outcome.status is not OutcomeStatus.PLANNED:
            self.say(outcome_line(seen), fit=True)

    def finished(
        self,
        summary: RunSummary,
        log: Path | None,
        planned: Sequence[Seen] = (),
        *,
        title: str | None = None,
        tally: RunTally | None = None,
        more: Sequence[str] = (),
    ) -> None:
        """The run's summary, after why it ended early and what a dry run would have changed.

        ``title`` stands before the run's id; without ``log`` there are no receipts. With ``tally`` a person at a
        terminal is shown as well what is worth a look and what to do next, or ``more`` instead, where there is any.
        """
        self._shortcomings(summary, log)
        if self._as_json:
            self._print_json(run_data(summary, log, planned, tally))
            return
        for line in planned_lines(planned, details=not self._brief):
            self.say(line, fit=True)
        self.say(summary_text(summary, log, title, tally), fit=True)
        if tally is not None and self._out.isatty() and not self._quiet:
            self._for_a_person(summary, tally, more)
        else:
            for line in more or again_step(summary):
                self.say(f"  {line}", fit=True)

    def _shortcomings(self, summary: RunSummary, log: Path | None) -> None:
        """Why the run ended early, its remarks, and tickets that it has given up."""
        if summary.stopped and (summary.exit_code or not self._quiet):
            self._warn(f"ticketbot: ended early: {summary.stopped}")
        for remark in summary.remarks:
            self._warn(f"ticketbot: note: {remark}")
        if summary.new_dead_letters:
            text = f"failed too often and will be left alone: {summary.new_dead_letters}"
            reasons = f"; the reasons are in {log}" if log else ""
            self._warn(f"ticketbot: tickets that {text}{reasons}")

    def _for_a_person(self, summary: RunSummary, tally: RunTally, more: Sequence[str]) -> None:
        if summary.categories and not (more or summary.dry_run):
            self.say(f"  categories: {counted(summary.categories)}", fit=True)
        if look_at := () if more or self._brief else tally.look_at:
            rows, links = [], any(seen.url for seen in look_at)
            for seen in look_at:
                reasons = f" ({', '.join(seen.reasons)})" if seen.reasons else ""
                why = ", ".join(seen.why).replace("escalated", f"escalated{reasons}", 1).replace("_", " ")
                subject = harmless(seen.subject or "-", one_line=True)
                cut = subject if len(subject) <= MOST_SUBJECT else f"{subject[: MOST_SUBJECT - 1]}…"
                rows.append((str(seen.number), cut, why, *[seen.url] * links))
            columns = ("ticket", "<subject", "<why", *[WHERE] * links)
            show([Table("Worth a look", columns, tuple(rows))], most=len(rows) + MOST_LINES, out=self._out)
        if steps := more or next_steps(summary, tally):
            self.say("Next")
        for step in steps:
            self.say(f"  {step}", fit=True)


def _fitted(text: str, file: TextIO) -> str:
    """``text`` with its long lines ended between words, where the terminal would end them within one."""
    try:
        columns = os.get_terminal_size(file.fileno()).columns
    except (OSError, ValueError):
        columns = shutil.get_terminal_size().columns
    lines = []
    for line in text.splitlines():
        if line.startswith("    "):  # a command, to be copied
            lines.append(line)
            continue
        indent = " " * (len(line) - len(line.lstrip()))
        wrap = TextWrapper(
            columns or 80, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent + "  "
        )
        lines += wrap.wrap(line) or [""]
    return "\n".join(lines)


def run_data(
    summary: RunSummary, log: Path | None, planned: Sequence[Seen], tally: RunTally | None
) -> dict[str, object]:
    """A run as ``--json`` shows it."""

    def about(seen: Seen) -> dict[str, object]:
        return {"ticket_id": seen.number, "subject": seen.subject or None, "url": seen.url or None}

    data: dict[str, object] = {**summary.model_dump(mode="json"), "log": log and str(log)}
    if tally is not None:
        data["to_look_at"] = dict(tally.counts)
        data["tickets_to_look_at"] = [
            {**about(seen), "why": list(seen.why), "reasons": list(seen.reasons)} for seen in tally.look_at
        ]
        data["why_no_model"] = why_no_model(summary)
        data["next"] = next_steps(summary, tally)
    if summary.dry_run:
        data["planned"] = [
            {
                **about(item),
                "analysis": item.outcome.analysis and item.outcome.analysis.model_dump(mode="json"),
                "change": item.outcome.change and item.outcome.change.model_dump(mode="json"),
            }
            for item in planned
            if item.outcome.status is OutcomeStatus.PLANNED
        ]
    return data
