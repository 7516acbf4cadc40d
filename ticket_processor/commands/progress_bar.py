"""The bar that shows a person how far a command is, how fast it goes and how long it takes. Imports rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

UnderWay = Callable[[], tuple[int, bool]]
"""How many are begun and not done, and whether these are the last. It is called from another thread."""
_BAR_WIDTH = 16
_LONGEST_PACE = 42
_SHORTEST_NAME = 10
_SETTLED_S = 2.0
"""Before that a rate says nothing."""


class _QuietCursor(Console):
    """Never hides the cursor: a process that is ended in a hurry could not show it again."""

    def show_cursor(self, show: bool = True) -> bool:
        return False


class _Pace(ProgressColumn):
    """Such as ``45 of 128, 12/s, 0:00:07 left``, or ``45 of 145 so far, 12/s, 0:00:04``."""

    def __init__(self, under_way: UnderWay | None) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))
        self._under_way = under_way

    def render(self, task: Task) -> Text:
        under_way, last = self._under_way() if self._under_way else (0, False)
        total = task.total if task.total is not None else task.completed + under_way if last else None
        return Text(pace(task.completed, total, task.elapsed or 0.0, under_way=under_way))


def pace(done: float, total: float | None, seconds: float, *, under_way: int = 0) -> str:
    """How far it is after ``seconds``, how fast it goes, and the time left, where the ``total`` is known."""
    if total is not None:
        count = f"{done:,.0f} of {total:,.0f}"
    else:
        count = f"{done:,.0f} of {done + under_way:,.0f} so far" if under_way else f"{done:,.0f} so far"
    rate = done / seconds if seconds > 0 else 0.0
    if seconds < _SETTLED_S or rate == 0.0:
        return f"{count}, {_time(seconds)}"
    clock = _time(seconds) if total is None else f"{_time(max(0.0, total - done) / rate)} left"
    return f"{count}, {rate:,.{0 if rate >= 10 else 1}f}/s, {clock}"


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


@contextmanager
def bar(
    err: TextIO, what: str, total: int | None, under_way: UnderWay | None = None
) -> Iterator[tuple[Callable[[int], None], Callable[[str], None]]]:
    """A bar on the terminal ``err``, in one line at any width. Yields what moves it, and what prints above it."""
    console = _QuietCursor(file=err)
    room = max(_SHORTEST_NAME, console.width - _BAR_WIDTH - _LONGEST_PACE)
    name = Column(no_wrap=True, overflow="ellipsis", max_width=room)
    columns: list[ProgressColumn] = [TextColumn("{task.description}", markup=False, table_column=name)]
    if total is not None and room > _SHORTEST_NAME:  # without a total it would look full
        columns.append(BarColumn(_BAR_WIDTH))
    columns.append(_Pace(under_way))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield (
            lambda count: progress.advance(task, count),
            lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True),
        )
