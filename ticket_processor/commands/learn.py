"""``ticketbot learn``: collects and shows what people changed; tells what was learnt, and takes it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..analysis.classifier.storage import put_back
from ..core.clock import Deadline, SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..core.tables import MOST_LINES, show_briefly
from ..core.tables import show as show_tables
from ..core.wording import many
from ..learning.model import LearntChange
from ..learning.pins import UNPINNED
from ..learning.retraining import RETRAINED
from ..learning.review import told
from ..learning.scoreboard import Scoreboard, kept_scoreboard
from ..learning.store import DECIDED, FILE_NAME, LearningStore
from ..reporting.export import scoreboard_data
from ..reporting.helpdesk_tables import scoreboard_tables
from ..settings.load import load
from .options import ConfigOption, DetailedOption, JsonOption, VerboseOption, parse_since
from .screen import Screen


def collect(
    clock: SystemClock,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Only tickets first written on since then, such as 30d.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Read at most N histories.")] = None,
    within: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Stop after this time.")] = 3600.0,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Read what people made of our labels on settled tickets, a history each; a later call goes on from there."""
    from ..wiring import learning as wiring  # the others need no helpdesk
    from ..wiring.desks import reading_desk
    from ..wiring.parts import transport_for

    settings = load(config=config)
    screen = Screen(as_json=as_json)
    deadline, now = Deadline(clock, within), clock.now()
    first = 0.0 if since is None else parse_since(since, now)
    with (
        closing(LearningStore(settings.state_folder / FILE_NAME)) as store,
        closing(
            transport_for(settings.desk, clock, deadline, share=settings.run.limit_share, read_only=True)
        ) as transport,
        reading_desk(settings, transport) as desk,
        screen.progress("reading which labels people kept and changed") as advance,
    ):
        done, expired = wiring.collect(
            settings, desk, transport, store, deadline, now, since=first, most=limit, advance=advance
        )
    left = ", ".join(f"{number:,} {why}" for why, number in done.left_out.items())
    screen.result(
        f"{many(done.settled, 'ticket')} settled, {many(done.histories, 'history')} read, "
        f"{many(done.corrections, 'correction')} found; "
        f"{many(done.waiting, 'ticket')} still wait; {many(done.requests, 'request')}"
        + (f"\nleft out: {left}" if left else "")
        + ("\n'ticketbot learn review' shows corrections, 'learn show' all of it" if done.histories else ""),
        vars(done),
    )
    screen.notices(expired)
    if done.ended_early is not None:
        screen.notices([f"not all was read: {done.ended_early}"])
    return ExitCode.OK


def show(
    clock: SystemClock,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Only labels confirmed or changed since then, such as 30d.")
    ] = None,
    details: DetailedOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show what people made of labels: accuracy and coverage by label."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    first = 0.0 if since is None else parse_since(since, clock.now())
    found = kept_scoreboard(settings.state_folder, first) or Scoreboard()
    screen = Screen(as_json=as_json)
    if as_json:
        screen.result("", scoreboard_data(found))
    elif not found.tickets:
        screen.say("nothing was collected; 'ticketbot learn collect' reads which labels people kept and changed")
    else:
        tables = [table for table in scoreboard_tables(found) if table.rows]
        if details:
            show_tables(tables)
        elif not show_briefly(tables, most=MOST_LINES - 2):
            screen.say("\n--details adds every label")
    return ExitCode.OK


def log(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Print everything that was learnt or decided, and what of it was taken back."""
    with opened_learning(config, read_only=True) as store:
        changes = store.changes()
    Screen(as_json=as_json).result(
        "\n".join(map(_told, changes)) or "nothing was learnt yet", {"changes": [asdict(item) for item in changes]}
    )
    return ExitCode.OK


def undo(
    clock: SystemClock,
    change: Annotated[int, typer.Argument(metavar="ID", help="As learn log prints it.", min=1)],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Take back something that was learnt; what was decided anew since then stays."""
    with opened_learning(config) as store, store.writing():
        what = next((item.what for item in store.changes() if item.id == change), None)
        if what == "release":  # of an earlier version
            raise ConfigError(f"change {change} put a settings file in place, which is not taken back here")
        if what == UNPINNED:
            raise ConfigError(f"change {change} deleted cases for good; 'ticketbot learn pin' pins them again")
        undone = store.undo(change, clock.now())
        if undone is not None and undone.what == RETRAINED:
            folder = load(config=config, need_helpdesk=False, need_any=True).classifier_folder
            put_back(folder, undone.detail["former"], undone.detail["now"])
    if undone is None:
        raise ConfigError(f"there is no change {change} that could be taken back; see 'ticketbot learn log'")
    Screen(as_json=as_json).result(_told(undone), {"undone": asdict(undone)})
    return ExitCode.OK


@contextmanager
def opened_learning(config: Path | None, *, read_only: bool = False) -> Iterator[LearningStore]:
    """The learning store of these settings; it is made unless ``read_only``."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    with closing(LearningStore(settings.state_folder / FILE_NAME, read_only=read_only)) as store:
        yield store


def _told(change: LearntChange) -> str:
    undone = "" if change.undone_at is None else f", taken back {iso(change.undone_at)}"
    start = f"{change.id:>5}  {iso(change.at)}  "
    if change.what == DECIDED:
        return f"{start}{told(change)}{undone}"
    details = " ".join(
        f"{name}={_short(value)}" for name, value in change.detail.items() if value and not isinstance(value, dict)
    )
    return f"{start}{change.what} by {change.who}{undone}  {details}"


def _short(value: object) -> str:
    return f"{len(value)}" if isinstance(value, list) else str(value)
