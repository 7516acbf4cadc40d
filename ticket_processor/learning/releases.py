"""Releases: copies of the settings file as it was put in place, each with an id of all in it that decides.

The file stays the truth. A copy holds no secrets, since the file may hold none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic_core import to_jsonable_python

from ..analysis.classifier.storage import ClassifierUnusable, read_description
from ..analysis.model_server.prompt import fingerprint
from ..core.errors import CannotRun, ConfigError
from ..settings.schema import Settings
from ..settings.sources import VARIABLES
from .model import RELEASE
from .store import LearningStore

DECIDING = ("models", "policy", "classifier.use", "entities", "team_language", "learning")
"""The settings that decide, besides the categories: a release's id depends on these alone."""
NOT_DECIDING = ("models.prices", "learning.collect_share", "learning.auto_approve")
CATEGORIES = ("categories", "fallback_category")
_OF_THE_PROGRAM = frozenset({"notices", "stop_set_by", "lost"})
_SECRETS = "|".join(sorted({variable.path[-1] for variable in VARIABLES.values() if variable.secret}))
_COMMENTED_SECRET = re.compile(rf"^[^\n]*#.*\b(?P<name>{_SECRETS})\s*=\s*[\[\s]*[\"'][^\"'\s]{{8}}", re.MULTILINE)

Values = Mapping[str, Any]
"""Settings by dotted names, as JSON has them, without secrets and what is not set."""


@dataclass(frozen=True)
class Release:
    """A settings file, by the id of what it decides. ``at`` and ``who`` are of its first time in place."""

    id: str
    at: float
    who: str
    note: str
    file: bytes
    values: Values


@dataclass(frozen=True)
class SettingChange:
    """A setting of two releases; ``None`` where it is not set."""

    name: str
    before: Any
    after: Any


def values_of(settings: Settings) -> dict[str, Any]:
    """Every setting that has a value and is no secret, by its dotted name; categories by their names."""
    data = {name: getattr(settings, name) for name in type(settings).model_fields if name not in _OF_THE_PROGRAM}
    taxonomy = settings.taxonomy
    data |= {"categories": taxonomy.categories, "fallback_category": taxonomy.fallback}
    return dict(_dotted(data, ""))


def release_id(settings: Settings) -> str:
    """The id of what these settings decide: taxonomy, prompt, policy with what was learnt, models and classifier."""
    deciding = {name: value for name, value in values_of(settings).items() if decides(name, categories=False)}
    models = settings.models
    prompt = fingerprint(settings.taxonomy, settings.entities, settings.team_language, advice=models.advice)
    asked = [sorted(deciding.items()), settings.taxonomy.digest, prompt, _trained(settings)]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def decides(name: str, *, categories: bool = True) -> bool:
    """Whether a setting, by its dotted name, decides what becomes of a ticket that is triaged."""
    parts = (*DECIDING, *CATEGORIES) if categories else DECIDING
    return _within(name, parts) and not _within(name, NOT_DECIDING)


def changed(before: Values, after: Values) -> list[SettingChange]:
    """What differs, by name; of a category that only one of them has, what it says of itself."""
    names = sorted({*before, *after})
    found = (SettingChange(name, before.get(name), after.get(name)) for name in names)
    return [item for item in found if item.before != item.after and not _says_nothing(item)]


def _says_nothing(item: SettingChange) -> bool:
    """Whether a new or a former category has a value that it need not name."""
    parts = item.name.split(".")
    if parts[0] != "categories" or None not in (item.before, item.after):
        return False
    return parts[-1] == "name" or not (item.before or item.after)


def check_no_secret(file: bytes) -> None:
    """Raises :class:`ConfigError` for a comment that holds a secret; as a setting the file may hold none anyway."""
    if hit := _COMMENTED_SECRET.search(file.decode("utf-8", "replace")):
        raise ConfigError(f"a comment holds a value of {hit['name']}, a secret, and a release would keep it: delete it")


def put_in_place(file: bytes, path: Path) -> None:
    """Replace a file, whole or not at all. Raises :class:`CannotRun`."""
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with fresh.open("wb") as out:
            out.write(file)
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            shutil.copymode(target, fresh)
        fresh.replace(target)
    except OSError as error:
        raise CannotRun(f"{target} cannot be replaced: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


class Releases:
    """The releases of a learning store, and which was put in place when."""

    def __init__(self, store: LearningStore) -> None:
        self._store = store

    def all(self) -> list[Release]:
        """All of them, the oldest first."""
        rows = self._store.rows("SELECT id, at, who, note, file, settings FROM release ORDER BY at, rowid")
        return [
            Release(number, at, who, note, file, json.loads(values)) for number, at, who, note, file, values in rows
        ]

    def find(self, name: str) -> Release:
        """The release whose id begins so. Raises :class:`ConfigError` where it is none, or not the only one."""
        found = [release for release in self.all() if name and release.id.startswith(name.lower())]
        if len(found) != 1:
            several = "several releases begin" if found else "there is no release that begins"
            raise ConfigError(f"{several} with {name}; see 'ticketbot release list'")
        return found[0]

    def stack(self) -> list[str]:
        """The ids that were put in place on top of each other, the active one last; a rollback goes back in it."""
        found: list[str] = []
        for change in self._store.changes():
            if change.what != RELEASE:
                continue
            if (before := change.detail["before"]) not in found[-1:]:
                found.append(before)
            number = change.detail["release"]
            if change.detail["gate"] == "rollback" and number in found:
                del found[found.index(number) + 1 :]
            elif number not in found[-1:]:
                found.append(number)
        return found

    @property
    def active(self) -> Release | None:
        """The release that was put in place last; ``None`` where releases are not in use."""
        ids = self.stack()
        return self.find(ids[-1]) if ids else None

    def activate(
        self, release: Release, before: Release, path: Path, *, gate: str, note: str, who: str, at: float
    ) -> None:
        """Put a release in place of the file that holds ``before``, of which a copy is kept first.

        ``gate`` says why it may. Raises :class:`CannotRun` where the file cannot be replaced: nothing has changed then.
        """
        self._keep(before, release)
        with self._store.writing():
            detail = {"release": release.id, "before": before.id, "gate": gate, "note": note}
            self._store.record(RELEASE, who, detail, at)
            put_in_place(release.file, path)

    def _keep(self, *releases: Release) -> None:
        """Keep copies. Of an id that is there already the newest file counts: what decides is the same in both."""
        with self._store.writing() as db:
            db.executemany(
                "INSERT INTO release (id, at, who, note, file, settings) VALUES (?,?,?,?,?,?) "
                "ON CONFLICT (id) DO UPDATE SET file=excluded.file, settings=excluded.settings",
                [
                    (one.id, one.at, one.who, one.note, one.file, json.dumps(one.values, ensure_ascii=False))
                    for one in releases
                ],
            )


def _trained(settings: Settings) -> str:
    """The digest of the trained classifier, where it is used."""
    if settings.classifier.use:
        with suppress(ClassifierUnusable):
            return read_description(settings.classifier_folder).sha256
    return ""


def _dotted(data: Mapping[Any, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        name = f"{above}{key}"
        if isinstance(value, BaseModel):
            yield from _dotted({part: getattr(value, part) for part in type(value).model_fields}, f"{name}.")
        elif isinstance(value, Mapping):
            yield from _dotted(value, f"{name}.")
        elif isinstance(value, Sequence) and value and all(isinstance(item, BaseModel) for item in value):
            yield name, [item.name for item in value]
            yield from _dotted({item.name: item for item in value}, f"{name}.")
        elif value is not None and not isinstance(value, SecretStr) and not _holds_secrets(value):
            yield name, to_jsonable_python(value)


def _holds_secrets(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, SecretStr) for item in value)


def _within(name: str, parts: Sequence[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)
