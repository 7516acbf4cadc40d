"""Several configuration files for one command: an account each, and what two of them must not have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..core.errors import ConfigError
from .load import load, take_effect
from .schema import Settings
from .sources import shared


@dataclass(frozen=True)
class ConfiguredAccount:
    """A configuration file with a short name, and its settings; without any, ``problems`` says why."""

    name: str
    file: Path
    settings: Settings | None = None
    problems: tuple[str, ...] = ()


def several(given: Sequence[Path] | None) -> list[Path]:
    """The files where several accounts are meant: more than one file, or a folder with its ``*.toml``; else none.

    Raises :class:`ConfigError` for a file that is named twice, and for a folder without any.
    """
    given = given or ()
    if len(given) < 2 and not any(place.is_dir() for place in given):
        return []
    files, problems = [], []
    for place in given:
        found = sorted(place.glob("*.toml")) if place.is_dir() else [place]
        files += found
        if not found:
            problems.append(f"--config {place}: there is no .toml file in this folder")
    seen: set[Path] = set()
    for file in files:
        if file.resolve() in seen:
            problems.append(f"--config: {file} is named twice")
        seen.add(file.resolve())
    if problems:
        raise ConfigError(*problems)
    return files


def load_accounts(
    files: Sequence[Path],
    flags: Mapping[tuple[str, ...], object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    need_helpdesk: bool = True,
) -> list[ConfiguredAccount]:
    """The accounts of these files. One that is wrong has its problems, and stops no other."""
    load_one = partial(load, flags=flags, environ=environ, need_helpdesk=need_helpdesk, one_of_many=True)
    found = [_loaded(name, file, load_one) for name, file in zip(_names(files), files, strict=True)]
    found = list(_apart(found))
    if usable := [each.settings for each in found if each.settings is not None]:
        take_effect(*usable)
    return found


def unused_variables() -> list[str]:
    """A notice on variables of the environment that belong to one account, and so are used for none of several."""
    names = sorted(set(os.environ) - set(shared(os.environ)))
    told = "each belongs to one account, so several take it from a file: acme.env beside acme.toml, or .env there"
    return [f"{', '.join(names)}: {told}"] if names else []


def _loaded(name: str, file: Path, load_one: Callable[..., Settings]) -> ConfiguredAccount:
    try:
        return ConfiguredAccount(name, file, load_one(config=file))
    except ConfigError as error:
        return ConfiguredAccount(name, file, problems=error.problems)


def _names(files: Sequence[Path]) -> list[str]:
    """Each file's name without its ending, with its folder where two have the same."""
    stems = [file.stem for file in files]
    whole = [f"{file.absolute().parent.name}/{file.stem}" for file in files]
    short = [stem if stems.count(stem) == 1 else name for stem, name in zip(stems, whole, strict=True)]
    return [name if short.count(name) == 1 else str(file) for name, file in zip(short, files, strict=True)]


def _apart(accounts: Sequence[ConfiguredAccount]) -> Iterator[ConfiguredAccount]:
    """The accounts, those refused that have helpdesk, state or log in common with another."""
    for one in accounts:
        problems = [
            problem
            for other in accounts
            if one is not other and one.settings is not None and other.settings is not None
            for problem in _common(one.name, one.settings, other.file, other.settings)
        ]
        yield replace(one, settings=None, problems=tuple(problems)) if problems else one


def _common(name: str, one: Settings, file: Path, other: Settings) -> Iterator[str]:
    if one.desk.named and other.desk.named and one.desk.base_url == other.desk.base_url:
        yield f"{file} has the same account, {one.account}: run one of them; run.shard divides an account"
    if one.state_folder.resolve() == other.state_folder.resolve():
        yield f"{file} has the same state folder, {one.state_folder}: set state_dir to a folder of its own"
    if one.log_dir.resolve() == other.log_dir.resolve():
        yield f'{file} has the same log folder, {one.log_dir}: set log_dir = "logs/{Path(name).name}" in this one'
