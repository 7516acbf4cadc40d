"""The runs that a scheduler is to start: of one account or several, and each one's settings as these runs see them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..monitoring.run_watch import GRACE_S
from ..schedule.job import limit_after
from ..settings.load import config_file
from ..settings.schema import Settings
from ..settings.sources import own_env_file
from . import installation
from .many_accounts import MOST_AT_ONCE, clashes_of, names_of, several


@dataclass(frozen=True)
class ScheduledAccount:
    """An account of such a run. Where it is the only one it has no ``name``, and perhaps no ``file``."""

    name: str
    file: Path | None
    folder: Path
    settings: Settings

    def named(self, sentences: Iterable[str]) -> list[str]:
        """The sentences, each with the account's name where there are several."""
        return [f"{self.name}: {each}" if self.name else each for each in sentences]

    @property
    def secrets(self) -> list[Path]:
        """The files that hold its credentials; ``.env`` need not be there."""
        own = [own_env_file(self.file)] if self.file else []
        return [self.folder / ".env", *(path for path in own if path.is_file())]

    def set_here_only(self) -> list[str]:
        """The variables of this terminal that such a run would see with other values."""
        return installation.set_here_only(self.file, one_of_many=bool(self.name))


class ScheduledRuns:
    """What ``--config`` names. The owner of ``place`` owns the runs, and ``mark`` tells them from others.

    Raises :class:`ConfigError` for files that cannot be several accounts'.
    """

    def __init__(self, configs: Sequence[Path] | None) -> None:
        self._files = several([absolute(path) for path in configs or ()])
        given = list(configs or ()) if self._files else [config_file(config=configs[0] if configs else None)]
        named = [absolute(path) for path in given if path is not None]
        self.place = named[0] if named else Path.cwd()
        self.folder = self.place if self.place.is_dir() else self.place.parent
        self.mark = ", ".join(map(str, named or [self.folder]))
        self.arguments = [word for path in named for word in ("--config", str(path))]
        self._file = named[0] if named else None

    def accounts(self, problems: list[str], *, in_terminal: bool) -> list[ScheduledAccount]:
        """The accounts; where one is wrong, ``problems`` says why, and it is left out.

        Without ``in_terminal`` the variables of this terminal do not count.
        """
        if not self._files:
            alone = installation.settings_of(self._file, self.folder, problems, in_terminal=in_terminal)
            return [] if alone is None else [ScheduledAccount("", self._file, self.folder, alone)]
        found, clashes = [], clashes_of(self._files)
        for name, file in zip(names_of(self._files), self._files, strict=True):
            wrong = list(clashes.get(file, ()))
            settings = installation.settings_of(file, file.parent, wrong, in_terminal=in_terminal, one_of_many=True)
            problems += [f"{name}: {problem}" for problem in wrong]
            if settings is not None and not wrong:
                found.append(ScheduledAccount(name, file, file.parent, settings))
        return found


def limits(accounts: Sequence[ScheduledAccount]) -> tuple[float, int]:
    """The longest ``run.deadline_s``, and after how many seconds the scheduler ends a run that hangs."""
    deadline_s = max((each.settings.run.deadline_s for each in accounts), default=Settings().run.deadline_s)
    turns = max(1, -(-len(accounts) // MOST_AT_ONCE))
    return deadline_s, limit_after(turns * (deadline_s + GRACE_S))


def place_of(configs: Sequence[Path] | None) -> Path:
    """The file or folder whose owner owns the runs; it need not be there."""
    return configs[0] if configs else config_file() or Path.cwd()


def absolute(path: Path) -> Path:
    """The absolute path without ``..``, which systemd refuses; links stay, since their targets may change."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow them
