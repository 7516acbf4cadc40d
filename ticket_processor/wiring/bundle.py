"""What an export holds besides the local helpdesk: settings, approved corrections, pins and the trained classifier.

Secrets stay behind, since they are in the environment: only the names of their variables go along. Of erased tickets
nothing goes, and an import lets nothing of them come back.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from itertools import chain, groupby
from operator import methodcaller
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Base64Bytes, Field, TypeAdapter, ValidationError

from ..analysis.classifier import storage
from ..analysis.text.redact import redact
from ..audit.files import replace_file
from ..core.errors import CannotRun, ConfigError
from ..core.models import Frozen
from ..core.text import RedactionLevel, lazy_pattern, many, strip_hidden
from ..helpdesk.local_model import LocalHelpdeskError
from ..helpdesk.local_transfer import MOST
from ..helpdesk.protocol import HelpdeskKind
from ..learning.gate import PinnedCase, pin, pinned
from ..learning.store import FILE_NAME, Correction, LearningStore
from ..settings.load import load, set_variables, settings_file
from ..settings.schema import Settings
from ..settings.sources import VARIABLES, TomlFile, read_toml
from ..state.store import FILE_NAME as STATE
from ..state.store import State
from .erasing import cut_off

FORMAT = 1
"""Version of these lines."""
_LATEST = 1e11
_When = Annotated[float, Field(ge=0, lt=_LATEST)]
_Number = Annotated[int, Field(gt=0, lt=MOST)]
Bundle = dict[str, list[Any]]
"""The values of an import's lines that come before those of the helpdesk, by kind."""
_OF_THIS_MACHINE = ("state_dir", "log_dir", "local", "run", "log_level")


_SECRET = lazy_pattern(
    rf"(?:{'|'.join(name for name, variable in VARIABLES.items() if variable.secret)})\s*=|\b(?!https?:)[a-z][a-z\d+.-]*://",
    re.IGNORECASE,
)
"""Sets a variable that holds a secret, or is an address such as those of alerts, which hold tokens."""


class BundleHead(Frozen):
    """Whose export it is (of a local helpdesk, which goes along, no account), and the variables that were set there."""

    format: int
    helpdesk: HelpdeskKind
    account: str = Field(pattern=r"^[A-Za-z0-9_.:-]{0,300}$")
    variables: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,100}$")], ...]


def _known(correction: Correction) -> Correction:
    if not 0 < correction.ticket_id < MOST or abs(correction.author or 0) > 2**62:
        raise ValueError("no number of a ticket or a person")
    if not all(0 <= (at or 0) < _LATEST for at in (correction.at, correction.approved_at)):
        raise ValueError("no time")
    return correction


def _toml(text: str) -> str:
    tomllib.loads(text)
    return text


@cache
def _forms() -> dict[str, TypeAdapter[Any]]:
    """What the value of a line of each kind has to be; most commands need none of it."""
    return {
        "bundle": TypeAdapter(BundleHead),
        "settings": TypeAdapter(Annotated[str, AfterValidator(_toml)]),
        "erased": TypeAdapter(tuple[_Number, ...]),
        "correction": TypeAdapter(Annotated[Correction, AfterValidator(_known)]),
        "pin": TypeAdapter(tuple[PinnedCase, str, _When]),
        "classifier": TypeAdapter(tuple[storage.Description, Base64Bytes]),
    }


def bundle_lines(
    settings: Settings, file: Path, erased: Collection[int], say: Callable[[str], object]
) -> Iterator[dict[str, Any]]:
    """The lines of these settings, which ``file`` may hold; nothing of the tickets that were ``erased``.

    ``say`` gets a sentence about each part that is left out.
    """

    def line(kind: str, value: Any) -> dict[str, Any]:
        return {"kind": kind, "value": _forms()[kind].dump_python(value, mode="json")}

    toml = read_toml(file) if file.is_file() else TomlFile("")
    here = set_variables(toml, file)
    names = sorted(name for name in here if name not in VARIABLES or VARIABLES[name].path[0] not in _OF_THIS_MACHINE)
    account = _account(settings)
    yield line("bundle", BundleHead(format=FORMAT, helpdesk=settings.helpdesk, account=account, variables=tuple(names)))
    secrets = [text for name, text in here.items() if name not in VARIABLES or VARIABLES[name].secret]
    if wrong := _line_with_secret(toml.text, secrets):
        say(f"the settings are left out: line {wrong} of {toml.name} seems to hold a secret")
    elif toml.text:
        yield line("settings", toml.text)
    folder = settings.classifier_folder
    with (
        closing(LearningStore.scratch_copy(settings.state_folder / FILE_NAME)) as store,
        closing(State.scratch_copy(settings.state_folder / STATE)) as state,
    ):
        gone = {*erased, *cut_off(state), *store.erased()}
        yield line("erased", tuple(sorted(gone)))
        yield from (line("correction", item) for item in store.corrections("approved") if item.ticket_id not in gone)
        changes = dict(store.all("SELECT pin.id, change FROM pin"))
        made = {change.id: (change.who, change.at) for change in store.changes()}
        yield from (line("pin", (one, *made[changes[one.id]])) for one in pinned(store) if one.ticket_id not in gone)
    try:
        found = storage.read_description(folder)
        weights = storage.check(folder, found).read_bytes()
        if found.account == storage.account_digest(settings.account):  # of a local helpdesk, its place on this machine
            found = found.model_copy(update={"account": ""})
        yield line("classifier", (found, weights))
    except storage.NotTrained:
        return
    except storage.ClassifierUnusable as error:
        say(f"the classifier is left out: {error}")


def _line_with_secret(text: str, known: Collection[str]) -> int:
    """The first line that seems to hold a secret; 0 if none does."""
    for number, line in enumerate(text.split("\n"), start=1):
        is_redacted = redact(line, level=RedactionLevel.SECRETS).text != strip_hidden(line)
        if is_redacted or _SECRET.search(line) or any(secret in line for secret in known):
            return number
    return 0


def read_bundle(lines: Iterator[dict[str, Any]]) -> tuple[Bundle | None, Iterator[dict[str, Any]], int]:
    """These lines, those of the helpdesk, and the number of the first of those; ``None`` for an older export.

    Raises :class:`LocalHelpdeskError`, which names the line and never quotes it.
    """
    found, number = Bundle(), 0
    for number, line in enumerate(lines, start=1):
        kind = str(line.get("kind"))
        if kind not in _forms() or (kind == "bundle") != (number == 1):
            return found or None, chain([line], lines), number
        try:
            found.setdefault(kind, []).append(_forms()[kind].validate_python(line.get("value")))
        except (ValidationError, RecursionError):
            raise LocalHelpdeskError(f"line {number}: it is no {kind} of an export; nothing was imported") from None
        if found["bundle"][0].format != FORMAT:
            raise LocalHelpdeskError("line 1: this export was made by another version of ticketbot")
    return found or None, iter(()), number + 1


def settings_for(bundle: Bundle | None, config: Path | None) -> Settings:
    """The settings to import with: those that are here, or the bundle's where there are none.

    Raises :class:`ConfigError` if they name another helpdesk or account than the bundle.
    """
    if bundle is None:
        return load(config=config, need_helpdesk=False)
    file, sent, head = settings_file(config), bundle.get("settings"), bundle["bundle"][0]
    instead = TomlFile(file.name, tomllib.loads(sent[0]), sent[0]) if sent and not file.exists() else None
    settings = load(config=file if instead else config, instead=instead, need_helpdesk=False)
    there, here = (head.helpdesk, head.account), (settings.helpdesk, _account(settings))
    if there != here:
        names, missing = (there[1] or there[0], here[1] or here[0]), ", ".join(_missing(bundle, file))
        refused = "this is an export of {}, and the settings here name {}; nothing was imported".format(*names)
        raise ConfigError(refused + (f": set first, in .env for example: {missing}" if missing else ""))
    return settings


def _account(settings: Settings) -> str:
    return "" if settings.helpdesk == "local" else settings.account or ""


def _missing(bundle: Bundle, file: Path) -> list[str]:
    """The variables that were set where the bundle comes from, and are not here."""
    toml = read_toml(file) if file.is_file() else TomlFile("")
    return sorted(set(bundle["bundle"][0].variables) - set_variables(toml, file).keys())


@contextmanager
def taken_in(bundle: Bundle, settings: Settings, file: Path) -> Iterator[list[str]]:
    """Take in the bundle together with what is done inside, or nothing; yields sentences about it.

    What is here stays: the settings ``file``, a classifier, pins, and what was decided about corrections.
    """
    said, corrections, pins = list[str](), bundle.get("correction", []), bundle.get("pin", [])
    erased = frozenset(chain(*bundle.get("erased", [])))
    is_needed = bool(erased or corrections or pins)
    with ExitStack() as undo:
        said += [*_put_settings(bundle, file, undo), *_put_classifier(bundle, settings, undo)]
        with closing(LearningStore(settings.state_folder / FILE_NAME if is_needed else None)) as store:
            with store.transaction():
                store.ban(erased)
                counts = store.add_approved(corrections), _put_pins(store, pins)
                yield said
            undo.pop_all()
            store.vacuum()  # of what was erased here just now
        said.append(f"{many(counts[0], 'approved correction')} and {many(counts[1], 'pin')} imported")
        if missing := _missing(bundle, file):
            said.append(f"set these variables here too, in .env for example: {', '.join(missing)}")


def _put_settings(bundle: Bundle, file: Path, undo: ExitStack) -> Iterator[str]:
    for text in bundle.get("settings", ()):
        place = file
        if file.exists():
            if read_toml(file).text == text:
                return
            place = file.with_name(f"{file.name}.imported-{hashlib.sha256(text.encode()).hexdigest()[:8]}")
        try:
            if not place.exists():
                replace_file(place, methodcaller("write", text.encode()))
                undo.callback(place.unlink, missing_ok=True)
        except OSError as error:
            raise CannotRun(f"{place} cannot be written: {error.strerror or error}") from error
        yield f"the settings are in {place}" + (f"; {file} stays as it is" if place != file else "")


def _put_classifier(bundle: Bundle, settings: Settings, undo: ExitStack) -> Iterator[str]:
    folder = settings.classifier_folder
    for description, weights in bundle.get("classifier", ()):
        try:
            there = storage.version(folder)
        except storage.ClassifierUnusable:
            there = "unreadable"
        if not there:
            own = description.account or storage.account_digest(settings.account)
            place = storage.install(folder, description.model_copy(update={"account": own}), weights)
            for path in (place, folder / storage.DESCRIPTION):
                undo.callback(path.unlink, missing_ok=True)
            yield "the trained classifier is imported"
        elif there != description.sha256[:12]:
            yield f"the classifier in {folder} stays, and the export's is left out"


def _put_pins(store: LearningStore, lines: Collection[tuple[PinnedCase, str, float]]) -> int:
    """Pin what is not pinned here; returns how many."""
    before = {(case.ticket_id, case.field) for case in pinned(store)}
    new = (line for line in lines if (line[0].ticket_id, line[0].field) not in before)
    for (who, at), group in groupby(new, key=lambda line: line[1:]):
        pin(store, [case for case, *_ in group], who, at)
    return len(pinned(store)) - len(before)
