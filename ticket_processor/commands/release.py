"""``ticketbot release``: settings as releases, put in place once they pass the gate, and back again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.clock import SystemClock, iso
from ..core.errors import ConfigError, ExitCode
from ..core.who import person_at_keyboard
from ..core.wording import p_value
from ..learning.releases import Release, Releases, SettingChange, changed, check_no_secret, release_id, values_of
from ..learning.split import SplitComparison, comparisons
from ..learning.store import FILE_NAME, LearningStore
from ..settings.load import DEFAULT_FILE, config_file, load
from ..settings.schema import Settings
from ..settings.sources import parse_toml
from .options import ConfigOption, JsonOption
from .screen import Screen

NoteOption = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the list of releases.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Replace the file although it was edited since.")]
_LONGEST = 100
_LEARNT_SINCE = "the program, or what was learnt, has changed since {}"


@dataclass(frozen=True)
class NamedSettings:
    """Settings that were named, as they would be in place, and their release."""

    settings: Settings
    release: Release


def show(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Show the release in place, and what was changed since by hand or by what was learnt."""
    running = in_place(config)
    with closing(_store(running)) as store:
        releases = Releases(store)
        active = releases.active
        splits = comparisons(store.reactions())
    screen, now = Screen(as_json=as_json), running.release
    since = changed(active.values, now.values) if active else []
    edited = active is not None and active.file != now.file
    lines = [f"runs decide as {now.id}", _in_place(active) if active else "no release was put in place yet"]
    if edited:
        lines.append(f"{_place(config)} was edited since" + ("" if since else "; no setting differs"))
    elif active is not None and active.id != now.id:
        lines.append(_LEARNT_SINCE.format(active.id))
    screen.result(
        "\n".join([*lines, *map(_told, since), *map(_compared, splits)]),
        {
            "running": now.id,
            "active": active and _data(active),
            "edited": edited,
            "changes": [asdict(item) for item in since],
            "splits": [one.as_data() for one in splits],
        },
    )
    return ExitCode.OK


def list_all(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Print the releases, the oldest first; a star marks the one in place."""
    with closing(_store(in_place(config))) as store:
        releases = Releases(store)
        found, active = releases.all(), releases.stack()[-1:]
    lines = [f"{'*' if one.id in active else ' '} {one.id}  {_since(one)}" for one in found]
    Screen(as_json=as_json).result(
        "\n".join(lines) or "no release was put in place yet",
        {"releases": [_data(one) for one in found], "active": active[0] if active else None},
    )
    return ExitCode.OK


def diff(
    first: Annotated[str, typer.Argument(metavar="RELEASE|FILE", help="A release's id, or changed settings.")],
    second: Annotated[str | None, typer.Argument(metavar="[RELEASE|FILE]", help="Default: what runs use now.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print the settings in which two releases differ, by their names."""
    running = in_place(config)
    with closing(_store(running)) as store:
        one, other = (
            running.release.values if name is None else _values(name, Releases(store), running, config)
            for name in (first, second)
        )
    found = changed(one, other)
    Screen(as_json=as_json).result(
        "\n".join(map(_told, found)) or "no setting differs", {"changes": [asdict(item) for item in found]}
    )
    return ExitCode.OK


def activate(
    clock: SystemClock,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The changed settings.")],
    note: NoteOption = "",
    labelled: Annotated[
        list[Path] | None,
        typer.Option("--labelled", metavar="FILE", help="Labelled tickets for the gate; default: solved ones."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Do without the gate; the log says so.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Put changed settings in place of the configuration file, once they pass the gate; that is kept.

    Exit code 1: refused, and nothing was changed.
    """
    from .gate import judged, told

    screen, running = Screen(as_json=as_json), in_place(config)
    wanted = as_if_in_place(file, config)
    with closing(_store(running, make=True)) as store:
        releases = Releases(store)
        active = releases.active
        there = wanted.release.file == running.release.file  # the file itself, perhaps edited by hand
        before = running
        if active is not None and there:
            before = replace(_named(active.file, Path(f"release {active.id}"), config), release=active)
        same = wanted.release.id == before.release.id
        if same and (active is not None or not there):
            raise ConfigError(f"{file} decides what is in place already: there is nothing to release")
        _check(before, wanted, active, _place(config), yes=yes)
        found = changed(before.release.values, wanted.release.values)
        for item in found:
            screen.say(_told(item))
        gate: dict[str, Any] | None = None
        if not (force or same):
            result = judged(clock, screen, labelled or (), before.settings, wanted.settings)
            for line in told(result):
                screen.say(line)
            gate = result.as_data()
            if not result.passed:
                screen.result("nothing was changed", {"release": None, "gate": gate})
                return ExitCode.SOME_FAILED
        why = "passed" if gate else "unchanged" if same else "forced"
        _put(releases, wanted, before, config, clock, gate=why, note=note)
    _done(screen, wanted, before, found, gate)
    return ExitCode.OK


def rollback(
    clock: SystemClock,
    release: Annotated[
        str | None, typer.Argument(metavar="[RELEASE]", help="Its id; default: the one before the one in place.")
    ] = None,
    note: NoteOption = "",
    yes: YesOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Put an earlier release back in place of the configuration file, without asking the gate."""
    screen, running = Screen(as_json=as_json), in_place(config)
    with closing(_store(running, make=True)) as store:
        releases = Releases(store)
        stack = releases.stack()
        if release is None and len(stack) < 2:
            raise ConfigError("there is no earlier release to go back to; one of 'ticketbot release list' may be named")
        kept = releases.find(release or stack[-2])
        wanted = _named(kept.file, Path(f"release {kept.id}"), config)
        found = changed(running.release.values, wanted.release.values)
        wanted = replace(wanted, release=kept)
        if kept.id == running.release.id:
            raise ConfigError(f"release {kept.id} is in place already")
        _check(running, wanted, releases.active, _place(config), yes=yes)
        _put(releases, wanted, running, config, clock, gate="rollback", note=note)
    for item in found:
        screen.say(_told(item))
    _done(screen, wanted, running, found, None)
    if (now := release_id(wanted.settings)) != kept.id:
        screen.notices([f"runs decide as {now}: {_LEARNT_SINCE.format(kept.id)}"])
    return ExitCode.OK


def in_place(config: Path | None) -> NamedSettings:
    """The settings that runs use now."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    place = _place(config)
    file = place.read_bytes() if place.exists() else b""
    return NamedSettings(settings, _release(file, settings))


def as_if_in_place(
    file: Path, config: Path | None, flags: Mapping[tuple[str, ...], object] | None = None
) -> NamedSettings:
    """The settings of a file as if it were the configuration file. Raises :class:`ConfigError`."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from None
    return _named(raw, file, config, flags)


def candidate_of(
    name: str, running: Settings, config: Path | None, flags: Mapping[tuple[str, ...], object]
) -> Settings:
    """The settings of a file, or of a release by its id, as if in place. Raises :class:`ConfigError`."""
    if Path(name).is_file():
        return as_if_in_place(Path(name), config, flags).settings
    return of_release(name, running, config, flags)


def of_release(
    name: str, running: Settings, config: Path | None, flags: Mapping[tuple[str, ...], object] | None = None
) -> Settings:
    """The settings of a release of these running ones, as if in place. Raises :class:`ConfigError`."""
    with closing(LearningStore(running.state_folder / FILE_NAME, read_only=True)) as store:
        kept = Releases(store).find(name)
    return _named(kept.file, Path(f"release {kept.id}"), config, flags).settings


def _named(
    raw: bytes, path: Path, config: Path | None, flags: Mapping[tuple[str, ...], object] | None = None
) -> NamedSettings:
    check_no_secret(raw)
    settings = load(config=_place(config), instead=parse_toml(raw, path), flags=flags, need_helpdesk=False)
    return NamedSettings(settings, _release(raw, settings))


def _values(name: str, releases: Releases, running: NamedSettings, config: Path | None) -> Any:
    """What a file sets as if in place; of a release, what it set at its time."""
    if Path(name).is_file():
        return as_if_in_place(Path(name), config).release.values
    return running.release.values if name == running.release.id else releases.find(name).values


def _release(file: bytes, settings: Settings) -> Release:
    return Release(release_id(settings), 0.0, "", "", file, values_of(settings))


def _place(config: Path | None) -> Path:
    return config_file(config=config) or Path(DEFAULT_FILE)


def _store(running: NamedSettings, *, make: bool = False) -> LearningStore:
    return LearningStore(running.settings.state_folder / FILE_NAME, read_only=not make)


def _check(running: NamedSettings, wanted: NamedSettings, active: Release | None, place: Path, *, yes: bool) -> None:
    """Raises :class:`ConfigError` for another account or state folder, and for a file that was edited by hand."""
    names = {
        "the helpdesk or its account": (running.settings.desk.base_url, wanted.settings.desk.base_url),
        "state_dir": (running.settings.state_folder.resolve(), wanted.settings.state_folder.resolve()),
    }
    if differing := [name for name, (before, after) in names.items() if before != after]:
        raise ConfigError(*(f"{name} differs, and a release changes what is decided only" for name in differing))
    check_no_secret(running.release.file)
    if active is not None and active.file != running.release.file and not yes:
        raise ConfigError(
            f"{place} was edited since release {active.id} was put in place ('ticketbot release show' says how): "
            "--yes replaces it, and keeps a copy"
        )


def _put(
    releases: Releases,
    wanted: NamedSettings,
    running: NamedSettings,
    config: Path | None,
    clock: SystemClock,
    *,
    gate: str,
    note: str,
) -> None:
    who, now = person_at_keyboard(), clock.now()
    release, before = (replace(one.release, at=now, who=who) for one in (wanted, running))
    if gate != "rollback":
        release = replace(release, note=note)
    releases.activate(release, before, _place(config), gate=gate, note=note, who=who, at=now)


def _done(
    screen: Screen,
    wanted: NamedSettings,
    running: NamedSettings,
    found: Sequence[SettingChange],
    gate: dict[str, Any] | None,
) -> None:
    before = running.release.id
    screen.result(
        f"release {wanted.release.id} is in place of {before}, for runs that begin now, and for 'serve' and 'portal' "
        "when they are started anew; 'ticketbot release rollback' goes back",
        {
            "release": wanted.release.id,
            "before": before,
            "changes": [asdict(item) for item in found],
            "gate": gate,
        },
    )


def _in_place(active: Release) -> str:
    return f"release {active.id} is in place, first put there {_since(active)}"


def _since(release: Release) -> str:
    return f"{iso(release.at)} by {release.who}  {release.note}".rstrip()


def _data(release: Release) -> dict[str, Any]:
    return {name: getattr(release, name) for name in ("id", "at", "who", "note")}


def _compared(split: SplitComparison) -> str:
    arms = "; ".join(
        f"{arm.release}: people kept {arm.kept:,} of {arm.judged:,}" + (f" ({arm.rate:.1%})" if arm.judged else "")
        for arm in (split.first, split.second)
    )
    word = f"{split.better} is better" if split.better else "no difference beyond chance yet"
    return f"split  {arms}; {p_value(split.p)}, {word}"


def _told(item: SettingChange) -> str:
    return f"{item.name}: {_short(item.before)} -> {_short(item.after)}"


def _short(value: Any) -> str:
    text = "-" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
