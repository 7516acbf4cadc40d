"""This installation as a scheduler sees it: without the variables of the terminal that the user types in."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import ConfigError
from ..settings.load import load
from ..settings.schema import Settings
from ..settings.sources import VARIABLES, shared
from ..state.store import HORIZON
from ..wiring.parts import opened_state

ON_WINDOWS = sys.platform == "win32"


@dataclass(frozen=True)
class Account:
    """The account that a job on this machine runs as. ``other_user`` is its name if it is not the current user's."""

    name: str
    home: Path
    is_root: bool = False
    other_user: str | None = None


def account_for(path: Path) -> Account:
    """The current user's account; for root, that of the owner of ``path``.

    Raises :class:`ConfigError` for an owner without a name.
    """
    if sys.platform == "win32":
        return Account(windows_user(os.environ), Path.home())
    import pwd

    asks = os.geteuid()
    try:
        owner = path.stat().st_uid if asks == 0 else asks
    except OSError:  # reported as a problem of the settings
        owner = asks
    try:
        entry = pwd.getpwuid(owner)
    except KeyError:
        raise ConfigError(f"{path} belongs to user {owner}, which this system has no name for") from None
    return Account(entry.pw_name, Path(entry.pw_dir), owner == 0, entry.pw_name if owner != asks else None)


def barred(account: Account, places: Mapping[Path, int]) -> list[str]:
    """One sentence that names the places which the other user of ``account`` may not use; none for the current user.

    A place's number holds the mode bits of one group: 4 to read, 2 to write, 1 to enter. If a place does not exist,
    its first existing parent counts: it must let the user create the place.
    """
    if account.other_user is None or sys.platform == "win32":
        return []
    import pwd

    entry = pwd.getpwnam(account.other_user)
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)

    def may(path: Path, bits: int) -> bool:
        about = path.stat()
        own = 6 if about.st_uid == entry.pw_uid else 3 if about.st_gid in groups else 0
        return about.st_mode >> own & bits == bits

    found = []
    for place, bits in places.items():
        there = next(path for path in (place, *place.parents) if path.exists())
        needed = bits if there == place else 3 if bits & 2 else 0
        if not (may(there, needed) and all(may(path, 1) for path in there.parents)):
            found.append(str(place))
    told = f"the runs are {entry.pw_name}'s, who may not use {', '.join(found)}; change owner or mode (chown, chmod)"
    return [told] if found else []


def windows_user(environ: Mapping[str, str]) -> str:
    """The user who is logged on, as Task Scheduler names users."""
    domain, name = environ.get("USERDOMAIN", ""), environ.get("USERNAME", "")
    return f"{domain}\\{name}" if domain and name else name


def is_root() -> bool:
    """Whether this process runs as root; never on Windows."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def program() -> tuple[str, ...]:
    """This installation's own command, or its Python with ``-P``, which imports nothing from the current folder."""
    script = Path(sys.executable).with_name("ticketbot.exe" if ON_WINDOWS else "ticketbot")
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "ticket_processor")


def called_here() -> str:
    """What a person types in this folder to start this installation's program."""
    words = program()
    if shutil.which("ticketbot") == words[0]:
        return "ticketbot"
    path = Path(words[0])
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    first = f'"{path}"' if " " in str(path) else str(path)
    return " ".join((first, *words[1:]))


def reads(settings: Settings, folder: Path) -> tuple[str, ...]:
    """The paths that a run reads, as it names them and with symbolic links followed."""
    places = [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1], folder, folder / settings.stop_file]
    return tuple(dict.fromkeys(str(path) for place in places for path in (place, place.resolve())))


def settings_of(
    file: Path | None, folder: Path, problems: list[str], *, in_terminal: bool, one_of_many: bool = False
) -> Settings | None:
    """The settings of a run that starts in ``folder``; ``None`` if they are wrong, and then ``problems`` says why.

    Without ``in_terminal`` the variables of this terminal do not count.
    """
    try:
        environ = shared(os.environ) if one_of_many else os.environ
        return load(config=file, environ=environ if in_terminal else {})
    except ConfigError as error:
        problems += error.problems
    problems += [] if in_terminal else unseen(problems, folder / ".env")
    return None


def unseen(problems: Iterable[str], where: Path) -> list[str]:
    """A problem more: variables of this terminal that may be missing; ``where`` is the file for them."""
    told = {name for problem in problems for name in re.findall(r"\b[A-Z][A-Z0-9_]{3,}\b", problem)}
    names = sorted(name for name, text in os.environ.items() if text.strip() and (name in told or name in VARIABLES))
    if not names:
        return []
    return [f"{', '.join(names)}: set in this terminal, where no scheduled run sees it; put it into {where}"]


def set_here_only(file: Path | None, *, one_of_many: bool = False) -> list[str]:
    """The variables of this terminal whose values differ from those in ``.env``."""
    names = [name for name in VARIABLES if os.environ.get(name, "").strip()]
    try:
        here = load(config=file, environ=shared(os.environ) if one_of_many else os.environ)
        elsewhere = load(config=file, environ={})
    except ConfigError:
        return names
    return [name for name in names if _value(here, name) != _value(elsewhere, name)]


def state_folder(settings: Settings, folder: Path, account: Account) -> Path:
    """The state folder of a scheduled run, which has ``account``'s home and none of this terminal's variables."""
    if settings.state_dir is not None:
        return folder / settings.state_dir
    if ON_WINDOWS:
        return settings.state_folder
    parts = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
    return account.home.joinpath(*parts, "ticketbot", settings.state_folder.name)


def has_begun(settings: Settings, place: Path) -> bool:
    """Whether a first run has set where to begin; a scheduled run cannot. Raises what opening the state raises."""
    with opened_state(place, settings.desk.base_url, dry_run=True) as state:
        return state.fact(HORIZON) is not None


def _value(settings: Settings, variable: str) -> object:
    value: object = settings
    for part in VARIABLES[variable].path:
        value = getattr(value, part)
    return value
