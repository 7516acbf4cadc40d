"""What a run prints: a bar and a table where a person watches, plain lines for cron, one object for a program."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO, cast

from .errors import CannotRun
from .metric_words import why_no_model
from .models import Change, Forecast, Outcome, OutcomeStatus, RunSummary

Advance = Callable[[int], None]
PAPER_WIDTH = 200
TABLE_WIDTH = 150
_OBEYED = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)"
)
_LINE_ENDS = re.compile(r"[\r\n]")


def harmless(text: str, *, one_line: bool = False) -> str:
    """``text`` for a terminal: what that would obey, what turns text round and half characters, as JSON escapes them.

    A log may hold anything by now, and what a helpdesk or a model says too. JSON keeps its meaning. With ``one_line``
    line ends are written so as well, by which a text could pretend to be more lines of the program's.
    """
    text = _OBEYED.sub(_escaped, text)
    return _LINE_ENDS.sub(_escaped, text) if one_line else text


def standard_output() -> IO[bytes]:
    """Where bytes are printed to: as they are for a program, and :func:`harmless` for a person at a terminal."""
    return cast(IO[bytes], _Output(sys.stdout.buffer, shown=sys.stdout.isatty()))


@contextmanager
def printing() -> Iterator[None]:
    """Raises :class:`CannotRun` where standard output takes no more, as a file on a full disk.

    ``BrokenPipeError`` goes its way: whoever read along has seen enough.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotRun(f"nothing can be printed to standard output: {error.strerror or error}") from error


class _Output:
    """Takes whole lines."""

    def __init__(self, out: IO[bytes], *, shown: bool) -> None:
        self._out = out
        self._shown = shown

    def write(self, data: bytes) -> int:
        with printing():
            self._out.write(harmless(data.decode("utf-8", "backslashreplace")).encode() if self._shown else data)
        return len(data)

    def flush(self) -> None:
        with printing():
            self._out.flush()


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class Screen:
    """Prints to ``out``; problems and progress go to ``err``, so that ``--json`` output stays clean."""

    def __init__(self, *, quiet: bool, as_json: bool, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._quiet = quiet
        self._as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._advance: Advance | None = None
        self._above: Callable[[str], None] | None = None

    @property
    def watched(self) -> bool:
        """Whether a bar is being shown."""
        return self._advance is not None

    def _print(self, text: str, file: TextIO) -> None:
        """A line, above the bar if there is one on that terminal."""
        text = harmless(text)
        if self._above is not None and file.isatty():
            self._above(text)
        else:
            with printing() if file is self._out else nullcontext():
                print(text, file=file, flush=True)

    def _print_json(self, data: object) -> None:
        with printing():
            print(harmless(json.dumps(data, ensure_ascii=False)), file=self._out, flush=True)

    def say(self, text: str) -> None:
        """A line for whoever reads along; not with ``--json`` or ``--quiet``."""
        if not (self._quiet or self._as_json):
            self._print(text, self._out)

    def notices(self, notices: Sequence[str]) -> None:
        """Things to know that stop nothing."""
        for notice in () if self._quiet else notices:
            self._print(f"ticketbot: note: {notice}", self._err)

    def found(self, ok: bool | None, text: str) -> None:
        """One line of a check."""
        mark = {True: "ok  ", False: "FAIL", None: "todo"}[ok]
        self.say(f"{mark}  {text}")

    def findings(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """What a check found: severity, what it concerns, what to do. A table on a terminal, else a line each."""
        self.table(("", "Category", "What to do"), rows, loud="problem")

    def table(self, names: Sequence[str], rows: Sequence[tuple[str, ...]], *, loud: str) -> None:
        """Rows of cells, the last of which may be long. A table on a terminal, else a line for each row.

        A row whose first cell is ``loud`` stands out.
        """
        if self._quiet or self._as_json or not rows:
            return
        rows = [tuple(map(harmless, row)) for row in rows]
        if not self._out.isatty():
            widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
            for row in rows:
                self.say("  ".join((*map(str.ljust, row, widths), row[-1])))
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD)
        for name in names:
            table.add_column(name, no_wrap=name != names[-1])
        for first, *others in rows:
            style = "bold red" if first == loud else ""
            table.add_row(Text(first, style=style), *map(Text, others))
        Console(file=self._out).print(table)

    def blocks(self, blocks: Sequence[tuple[str, Sequence[str]]], *, loud: str) -> None:
        """A heading for each, with its lines below it on a terminal, else behind it in one line.

        A heading that begins with ``loud`` stands out.
        """
        if self._quiet or self._as_json:
            return
        blocks = [
            (harmless(heading, one_line=True), [harmless(line, one_line=True) for line in lines])
            for heading, lines in blocks
        ]
        if not self._out.isatty():
            for heading, lines in blocks:
                self.say("  ".join((heading, "; ".join(lines))).rstrip())
            return
        from rich.console import Console
        from rich.padding import Padding
        from rich.text import Text

        console = Console(file=self._out)
        for heading, lines in blocks:
            console.print(Text(heading, style="bold red" if heading.startswith(loud) else "bold"))
            for line in lines:
                console.print(Padding(Text(line), (0, 0, 0, 4)))

    def result(self, text: str, data: object) -> None:
        """The last word of a command: text, or the same as JSON."""
        if self._as_json:
            self._print_json(data)
        else:
            self.say(text)

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Advance]:
        """A bar on a terminal; elsewhere nothing. Yields the function that moves it."""
        if self._quiet or self._as_json or not self._err.isatty():
            yield lambda _count: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        count = MofNCompleteColumn() if total is not None else TextColumn("{task.completed:.0f}")
        bars = [BarColumn()] if total is not None else []  # one that cannot grow looks like one that is full
        columns = (TextColumn("{task.description}"), *bars, count, TimeElapsedColumn())
        with Progress(*columns, console=Console(file=self._err), transient=True) as bar:
            task = bar.add_task(what, total=total)
            self._advance = lambda count: bar.advance(task, count)
            self._above = lambda text: bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
            try:
                yield self._advance
            finally:
                self._advance = self._above = None

    def outcome(self, outcome: Outcome, *, line: bool = True) -> None:
        """One ticket's end: moves the bar, or prints a line where nobody watches one. Failures always print."""
        if self._advance is not None:
            self._advance(1)
        if outcome.status is OutcomeStatus.FAILED:
            self._print(outcome_line(outcome), self._err)
        elif line and self._advance is None and outcome.status is not OutcomeStatus.PLANNED:
            self.say(outcome_line(outcome))

    def finished(
        self, summary: RunSummary, log: Path | None, planned: Sequence[Outcome] = (), *, title: str | None = None
    ) -> None:
        """The run's summary, after the differences that a dry run would have made.

        ``title`` stands before the run's id; without ``log`` there are no receipts.
        """
        if self._as_json:
            data: dict[str, object] = {**summary.model_dump(mode="json"), "log": log and str(log)}
            if summary.dry_run:
                data["planned"] = [
                    {
                        "ticket_id": item.ticket_id,
                        "analysis": item.analysis and item.analysis.model_dump(mode="json"),
                        "change": item.change and item.change.model_dump(mode="json"),
                    }
                    for item in planned
                    if item.status is OutcomeStatus.PLANNED
                ]
            self._print_json(data)
        else:
            for item in planned:
                self.say(difference(item))
            self.say(summary_text(summary, log, title))
        for remark in summary.remarks:
            print(f"ticketbot: note: {harmless(remark)}", file=self._err, flush=True)
        if summary.stopped and (summary.exit_code or not self._quiet):
            print(f"ticketbot: ended early: {harmless(summary.stopped)}", file=self._err, flush=True)
        if summary.new_dead_letters:
            text = f"failed too often and will be left alone: {summary.new_dead_letters}"
            reasons = f"; the reasons are in {log}" if log else ""
            print(f"ticketbot: tickets that {text}{reasons}", file=self._err, flush=True)

    def before_and_after(self, rows: Sequence[BeforeAfter]) -> None:
        """The tour's table; on a narrow terminal, a few lines for each ticket instead."""
        if self._quiet or self._as_json:
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(file=self._out, width=None if self._out.isatty() else PAPER_WIDTH)
        if console.width < TABLE_WIDTH:
            for row in rows:
                console.print(Text(harmless(row.as_lines())))
            return
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("#", justify="right", no_wrap=True)
        table.add_column("Subject", max_width=26, no_wrap=True)
        table.add_column("Tags before", max_width=14)
        table.add_column("Tags after", max_width=44)
        table.add_column("Priority", no_wrap=True)
        table.add_column("Answered by", no_wrap=True)
        table.add_column("Internal note, or why there is none", max_width=60)
        for row in rows:
            before, after = (" ".join(tags) or "-" for tags in (row.tags_before, row.tags_after))
            cells = (str(row.ticket_id), row.subject, before, after, row.priority, row.answered_by, row.note)
            table.add_row(*(Text(harmless(cell), overflow="ellipsis") for cell in cells))
        console.print(table)


@dataclass(frozen=True)
class BeforeAfter:
    """One ticket before and after a run, in words."""

    ticket_id: int
    subject: str
    tags_before: tuple[str, ...]
    tags_after: tuple[str, ...]
    priority_before: str | None
    priority_after: str | None
    answered_by: str
    note: str

    @property
    def priority(self) -> str:
        """``- -> high``, or the value that stayed."""
        before, after = self.priority_before or "-", self.priority_after or "-"
        return before if before == after else f"{before} -> {after}"

    def as_lines(self) -> str:
        """The same for a narrow terminal."""
        note = self.note.replace("\n", "\n            ")
        return (
            f"#{self.ticket_id} {self.subject}\n"
            f"  tags      {' '.join(self.tags_before) or '-'} -> {' '.join(self.tags_after) or '-'}\n"
            f"  priority  {self.priority}   answered by {self.answered_by}\n"
            f"  note      {note}\n"
        )


def outcome_line(outcome: Outcome) -> str:
    """One ticket's end in a line."""
    words = [f"ticket {outcome.ticket_id}: {outcome.status} ({outcome.reason})"]
    if outcome.change is not None:
        words.append("+" + " +".join(outcome.change.tags_added) if outcome.change.tags_added else "no new tags")
        words += ["-" + " -".join(outcome.change.tags_removed)] if outcome.change.tags_removed else []
        words += _new_values(outcome.change)
    return "; ".join(words)


def _new_values(change: Change) -> list[str]:
    """Priority, group and fields, from and to; what a field held before is not told."""
    words = []
    if change.priority is not None or "priority" in change.cleared:
        words.append(f"priority {change.priority_before or '-'} -> {change.priority or '-'}")
    if change.group is not None or "group" in change.cleared:
        words.append(f"group {change.group_before or '-'} -> {change.group or '-'}")
    words += [f"field {key} -> {'(as it was)' if change.puts_back else value}" for key, value in change.fields.items()]
    return words + [f"field {key} -> -" for key in change.fields_cleared]


def difference(outcome: Outcome) -> str:
    """What a dry run would have changed on one ticket."""
    change = outcome.change
    if change is None:
        return outcome_line(outcome)
    lines = [f"ticket {outcome.ticket_id} ({outcome.reason})"]
    lines += [f"  + tag {tag}" for tag in change.tags_added]
    lines += [f"  - tag {tag}" for tag in change.tags_removed]
    lines += [f"  ~ {words}" for words in _new_values(change)]
    if change.priority is None and change.priority_before is not None and "priority" not in change.cleared:
        lines.append(f"    priority stays {change.priority_before}, set already")
    lines += [f"    field {key} stays as it is, set already" for key in change.fields_kept]
    lines += [f"  + note | {line}" for line in (change.note or "").splitlines()]
    return "\n".join(lines)


def summary_text(summary: RunSummary, log: Path | None, title: str | None = None) -> str:
    """The run in a few lines."""
    title = title or ("Dry run" if summary.dry_run else "Run")
    nothing = "nothing done" if summary.stopped else "nothing to do"
    counts = ", ".join(f"{count} {name}" for name, count in sorted(summary.outcomes.items())) or nothing
    lines = [f"{title} {summary.run_id}: {counts} ({summary.duration_s:.1f} s)"]
    if summary.answered_by:
        lines.append("  understood by " + ", ".join(f"{name}: {n}" for name, n in summary.answered_by.items()))
    if summary.fallbacks:
        most_first = sorted(summary.fallbacks.items(), key=lambda item: (-item[1], item[0]))
        why = (f"{why_no_model(reason, summary.causes.get(reason, ''))}: {n}" for reason, n in most_first)
        lines.append("  no model answered, because " + "; ".join(why))
    if summary.reasons:
        lines.append("  because " + ", ".join(f"{reason}: {n}" for reason, n in sorted(summary.reasons.items())))
    if summary.usage.input:
        cost = f", ${summary.cost_usd:.4f}" if summary.cost_usd else ", no price" if summary.unpriced else ""
        cost += f" ({summary.price_note})" if summary.price_note else ""
        lines.append(f"  tokens: {summary.usage.input} in, {summary.usage.output} out{cost}")
    if summary.cached:
        lines.append(f"  known answers, at no cost: {summary.cached}")
    if summary.forecast is not None:
        lines.append(f"  {forecast_text(summary.forecast)}")
    elif summary.dry_run and summary.cached:
        lines.append("  forecast: none, since nothing had to be paid for")
    if summary.writes.text:
        lines.append(f"  written: {summary.writes.text}")
    if summary.statement is not None and summary.statement.written:
        lines.append(f"  statement: {summary.statement.text}")
    if summary.retry_list:
        lines.append(f"  waiting for a later run: {summary.retry_list}")
    if summary.dead_letters:
        lines.append(f"  left alone after too many failures: {summary.dead_letters}")
    if log is not None:
        lines.append(f"  receipts: {log}")
    return "\n".join(lines)


def forecast_text(forecast: Forecast) -> str:
    """What models will cost, in a sentence."""
    priced = forecast.usd_per_ticket is not None
    price = f"${forecast.usd_per_ticket:.6f}" if priced else "no price in the settings"
    words = [f"forecast: {forecast.tokens_per_ticket:.0f} tokens a ticket ({price})"]
    if forecast.tickets_per_day is not None:
        words.append(f"{forecast.tickets_per_day:.0f} tickets a day")
    if forecast.usd_per_month is not None:
        words.append(f"at most ${forecast.usd_per_month:.2f} a month")
    return "; ".join(words)
