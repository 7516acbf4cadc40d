"""``ticketbot learn``: what was learnt from people's changes, and how to take it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..learning.model import LearntChange
from ..learning.store import FILE_NAME, LearningStore
from ..settings.load import load
from .options import ConfigOption, JsonOption
from .screen import Screen


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
    with opened_learning(config) as store:
        undone = store.undo(change, clock.now())
    if undone is None:
        raise ConfigError(f"there is no change {change} that could be taken back; see 'ticketbot learn log'")
    Screen(as_json=as_json).result(_told(undone), {"undone": asdict(undone)})
    return ExitCode.OK


@contextmanager
def opened_learning(config: Path | None, *, read_only: bool = False) -> Iterator[LearningStore]:
    """The learning store of these settings; it is made unless ``read_only``."""
    settings = load(config=config, need_helpdesk=False)
    with closing(LearningStore(settings.state_folder / FILE_NAME, read_only=read_only)) as store:
        yield store


def _told(change: LearntChange) -> str:
    details = " ".join(f"{name}={_short(value)}" for name, value in change.detail.items() if name != "before")
    undone = "" if change.undone_at is None else f", taken back {iso(change.undone_at)}"
    return f"{change.id:>5}  {iso(change.at)}  {change.what} by {change.who}{undone}  {details}".rstrip()


def _short(value: object) -> str:
    return f"{len(value)}" if isinstance(value, list | dict) else str(value)
