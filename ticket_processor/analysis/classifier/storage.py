"""The trained classifier on disk: a description in JSON beside a skops file with scikit-learn's linear models.

Nothing in the file is ever run. Before skops opens it, every type that it names must be one of the few that the
writer uses; skops' own list of trusted types is much longer.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from ...core.errors import ConfigError, how_to_install
from ...core.files import make_file, make_folder
from ...core.models import Frozen

DESCRIPTION = "classifier.json"

Task = Literal["category", "urgency", "sentiment"]
TASKS: tuple[Task, ...] = ("category", "urgency", "sentiment")

_ALLOWED = frozenset(
    {
        ("builtins", "dict", "DictNode"),
        ("builtins", "list", "ListNode"),
        ("builtins", "str", "JsonNode"),
        ("builtins", "str", "TypeNode"),
        ("numpy", "ndarray", "NdArrayNode"),
        ("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode"),
    }
)
_WEIGHTS_NAME = re.compile(r"weights-[0-9a-f]{12}\.skops")
MOST_FORMER = 5
"""Former classifiers that are kept."""
_LARGEST = 2_000_000_000


class ClassifierUnusable(ConfigError):
    """The classifier cannot be used as it is; ``str()`` says why and what to do."""


class NotTrained(ClassifierUnusable):
    """There is no classifier in the folder."""


class TaskDescription(Frozen):
    """One learnt task, its scores, and those of the rules on the same held-out rows."""

    labels: tuple[str, ...] = Field(min_length=2)
    rows: int
    rows_by_label: dict[str, int]
    left_out: dict[str, int] = Field(
        default_factory=dict, description="labels that are not learnt by themselves, and how many rows have them"
    )
    macro_f1: float
    macro_f1_sd: float
    accuracy: float
    ece: float = Field(description="expected calibration error of the confidence")
    rules_macro_f1: float
    rules_accuracy: float
    gain_low: float = Field(description="of 100 such trainings 95 gain more macro-F1 over the rules than this")
    gain_high: float = Field(description="of 100 such trainings 95 gain less")
    used: bool = Field(description="whether it learnt from enough rows and beat the rules by more than chance")
    outage_floor: bool = Field(True, description="whether words of an outage keep the urgency high, as with the rules")


class Description(Frozen):
    """The classifier's JSON file: enough to say whether and for what it can be used, without opening the weights."""

    format: Literal[3] = 3
    ticketbot: str
    trained_at: str
    rows: int = Field(description="different tickets that were learnt from")
    source: str
    own_desk: bool = Field(False, description="whether the tickets are this helpdesk's own; others prove nothing")
    account: str = Field("", description="digest of the helpdesk's host; empty: not known")
    taxonomy: tuple[str, ...]
    tops: tuple[str, ...] = Field((), description="the first-level category of each of the labels of the category")
    tasks: dict[Task, TaskDescription]
    weights: str = Field("", pattern=r"^(weights-[0-9a-f]{12}\.skops)?$")
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")

    @property
    def used(self) -> tuple[Task, ...]:
        """The tasks for which it beat the rules on the desk's own tickets."""
        return tuple(task for task in TASKS if self.own_desk and task in self.tasks and self.tasks[task].used)


def account_digest(account: str | None) -> str:
    """What stands for a helpdesk's host in a description; empty for none."""
    return hashlib.sha256(account.casefold().encode()).hexdigest()[:16] if account else ""


def require_extra(*modules: str) -> None:
    """Raises :class:`ClassifierUnusable` with the command to type when one of ``modules`` is not installed."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ClassifierUnusable(f"the local classifier needs {' and '.join(missing)}: {how_to_install('ml')}")


def write(
    folder: Path, description: Description, content: Mapping[str, Mapping[str, Any]], *, keep_former: bool = False
) -> Description:
    """Store a classifier; a reader sees the old one or the new one, never half of each.

    Returns the description with the weights' name and checksum. ``keep_former`` keeps the one that is there for
    :func:`put_back`, as are the last few; it raises :class:`ClassifierUnusable` where that one cannot be read, and
    leaves it. Raises ``ConfigError`` when the folder cannot be written to.
    """
    import skops.io

    now = version(folder) if keep_former else ""
    try:
        make_folder(folder)
        fresh = folder / f".weights-{os.getpid()}.tmp"
        _make_private(fresh)
        skops.io.dump({**content}, fresh, compression=zipfile.ZIP_DEFLATED, compresslevel=6)
        digest = _digest(fresh)
        description = description.model_copy(update={"weights": f"weights-{digest[:12]}.skops", "sha256": digest})
        fresh.replace(folder / description.weights)
        if now:
            _write_whole(_former(folder, now), (folder / DESCRIPTION).read_text(encoding="utf-8"))
        _write_whole(folder / DESCRIPTION, description.model_dump_json(indent=2))
        formers = sorted(folder.glob("former-*.json"), key=lambda path: path.stat().st_mtime)
        for old in formers[:-MOST_FORMER]:
            old.unlink(missing_ok=True)
        kept = {description.weights, *(f"weights-{path.stem[7:]}.skops" for path in formers[-MOST_FORMER:])}
        for old in folder.glob("weights-*.skops"):
            if _WEIGHTS_NAME.fullmatch(old.name) and old.name not in kept:
                old.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"the classifier cannot be stored in {folder}: {error.strerror or error}") from error
    return description


def install(folder: Path, description: Description, weights: bytes) -> Path:
    """Put a classifier that was trained elsewhere where none is; returns its file. Raises ``ConfigError``."""
    place = folder / (description.weights or "weights")
    try:
        make_folder(folder)
        _make_private(place)
        place.write_bytes(weights)
        check(folder, description)
        _write_whole(folder / DESCRIPTION, description.model_dump_json(indent=2))
        return place
    except (OSError, ConfigError) as error:
        place.unlink(missing_ok=True)
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"the classifier cannot be stored in {folder}: {error.strerror or error}") from error


def version(folder: Path) -> str:
    """The beginning of the checksum of the classifier in ``folder``; empty where there is none.

    Raises :class:`ClassifierUnusable` where there is one that cannot be read, or from another version.
    """
    try:
        return read_description(folder).sha256[:12]
    except NotTrained:
        return ""


def put_back(folder: Path, former: str, now: str) -> None:
    """Put the classifier of the version ``former`` back in place of ``now``; empty: none was there.

    Raises ``ConfigError`` where another one is there, one that cannot be read, or the former one is kept no longer.
    """
    there, kept = version(folder), _former(folder, former)
    if there == former:
        return  # put back before
    if there != now:
        raise ConfigError(f"the classifier in {folder} was trained anew since then, and stays")
    try:
        if former:
            check(folder, Description.model_validate_json(kept.read_text(encoding="utf-8")))
            kept.replace(folder / DESCRIPTION)
        else:
            (folder / DESCRIPTION).unlink()
    except (OSError, UnicodeDecodeError, ValidationError):
        raise ConfigError(f"the former classifier is no longer in {folder}: train again") from None


def _former(folder: Path, digest: str) -> Path:
    return folder / f"former-{digest}.json"


def _write_whole(path: Path, text: str) -> None:
    whole = path.with_name(f".classifier-{os.getpid()}.tmp")
    _make_private(whole)
    whole.write_text(text, encoding="utf-8")
    whole.replace(path)


def read_description(folder: Path) -> Description:
    """The description in ``folder``. Raises :class:`NotTrained`; :class:`ClassifierUnusable` when it is unreadable."""
    path = folder / DESCRIPTION
    try:
        return Description.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotTrained(f"there is no classifier in {folder}; 'ticketbot train' makes one") from None
    except (OSError, UnicodeDecodeError, ValidationError):
        raise ClassifierUnusable(
            f"{path} is damaged, or from another version of ticketbot: learn it again with 'ticketbot train'"
        ) from None


def check(folder: Path, description: Description) -> Path:
    """Where the weights are, once they are known to be the described ones and to name no type that could run code.

    Opens them with the standard library only. Raises :class:`ClassifierUnusable`.
    """
    path = folder / (description.weights or "weights")
    try:
        if _digest(path) != description.sha256:
            raise ClassifierUnusable(f"{path} is not the file that {DESCRIPTION} describes: train again")
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST:
                raise ClassifierUnusable(f"{path} is too large to be a classifier of ticketbot: train again")
            strange = _strange_types(json.loads(archive.read("schema.json")))
    except ClassifierUnusable:
        raise
    except FileNotFoundError:
        raise ClassifierUnusable(f"{path} is missing: train again") from None
    except Exception:  # noqa: BLE001 - zip, zlib and JSON have their own words for the same; ours are above
        raise ClassifierUnusable(f"{path} is damaged: train again") from None
    if strange:
        raise ClassifierUnusable(f"{path} was not written by ticketbot: it holds more than linear models; train again")
    return path


def read_weights(path: Path) -> dict[str, dict[str, Any]]:
    """The content of a file that :func:`check` let pass. Raises :class:`ClassifierUnusable`."""
    try:
        import skops.io
        from sklearn.exceptions import InconsistentVersionWarning

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InconsistentVersionWarning)  # weights mean the same in each version
            content = skops.io.load(path, trusted=[])
    except ImportError as error:
        what = type(error).__name__
        raise ClassifierUnusable(f"the local classifier cannot be loaded ({what}): {how_to_install('ml')}") from None
    except Exception:  # noqa: BLE001 - whatever a damaged file does to skops or numpy, it means the same
        raise ClassifierUnusable(f"{path} is damaged: train again") from None
    if not isinstance(content, dict) or not all(isinstance(part, dict) for part in content.values()):
        raise ClassifierUnusable(f"{path} is damaged: train again")
    return content


def _strange_types(node: object) -> bool:
    """Whether a skops schema names a type that the writer does not use."""
    if isinstance(node, list):
        return any(map(_strange_types, node))
    if not isinstance(node, dict):
        return False
    if "__class__" in node or "__module__" in node or "__loader__" in node:
        if (node.get("__module__"), node.get("__class__"), node.get("__loader__")) not in _ALLOWED:
            return True
        if node.get("type", "numpy") != "numpy":
            return True  # an array of objects, or of anything else that is not numbers
    return any(map(_strange_types, node.values()))


def _make_private(path: Path) -> None:
    """An empty file that its owner alone may read: words of tickets go into it."""
    path.unlink(missing_ok=True)
    make_file(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
