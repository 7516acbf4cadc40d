"""Errors of settings as sentences: what is wrong, what was removed, which name was meant. Pure; no value is quoted."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from .schema import Settings
from .sources import Place, TomlFile

NOT_SET_BY_ANYBODY = frozenset({"notices", "stop_set_by", "lost", "use_classifier"})
"""Parts of the settings that only the program itself fills in."""
_KEY = "[key]"
_BY_NAME: Mapping[str, str] = {
    "api_key_variable": "the name of an environment variable: letters, digits and _",
    "tag_prefix": "1 to 20 small letters, digits and _",
    "name": "1 to 40 small letters, digits and _, a letter first",
    "tag": "1 to 60 small letters, digits and _",
    "daily_at": "a time such as 07:00 (UTC), or empty",
    "smtp_host": "the name of a server, and behind a colon its port if need be",
    "team_language": "a language code such as en or pt",
}
"""The form of a text setting, by the last word of its name."""


_BY_TYPE: Mapping[str, str] = {
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "frozen_set_type": "should be a list",
    "dict_type": "should be a table",
    "mapping_type": "should be a table",
    "path_type": "is not a valid path",
}
"""Where pydantic speaks of Python's types."""


def place_name(place: Place) -> str:
    """The setting as a person says it: ``skip.brands, 1st entry``."""
    words = ""
    for part in place:
        if isinstance(part, int):
            words += f", {_ordinal(part + 1)} entry"
        elif part != _KEY:
            words += (", " if words.endswith(" entry") else "." if words else "") + part
    return words


def sentence(error: ErrorDetails, origin: Mapping[Place, str], file: TomlFile) -> str:
    """One of pydantic's errors: where the setting was written, and pydantic's words.

    ``origin`` has the variable or option of a setting that does not come from ``file``.
    """
    place = error["loc"]
    for length in range(len(place), 0, -1):
        if place[:length] in origin:
            return f"{origin[place[:length]]}: {_words(error)}"
    if error["type"] == "extra_forbidden":
        return no_setting(place, file)
    return f"{place_name(place)} ({file.where(place)}): {_words(error)}"


def no_setting(place: Place, file: TomlFile) -> str:
    """That there is no such setting: which one came instead, or which one is probably meant."""
    words = [str(part) for part in place]
    if why := REMOVED.get(".".join(words)) or REMOVED.get(".".join([*words[:2], "NAME", *words[3:]])):
        return f"{place_name(place)} ({file.where(place)}) was removed: {why}; delete the line"
    near = None if place[0] in NOT_SET_BY_ANYBODY else _meant(place)
    return f"{place_name(place)} ({file.where(place)}) is no setting" + (f"; did you mean {near}?" if near else "")


def _words(error: ErrorDetails) -> str:
    name, limit = str(error["loc"][-1]), error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return f"must be {_BY_NAME.get(name, 'written otherwise')}"
    if error["type"] == "too_short" and limit.get("field_type") == "Value":  # a secret
        return f"needs at least {limit['min_length']} characters"
    if error["type"] in ("model_type", "model_attributes_type", "dataclass_type"):
        return "should be a table"
    words = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return _BY_TYPE.get(error["type"], words).replace("Tuple should", "should")


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


REMOVED: Mapping[str, str] = tomllib.loads(
    resources.files(__package__).joinpath("removed.toml").read_text(encoding="utf-8")
)
"""Settings of earlier versions, with a sentence for each. ``NAME`` stands for a name that the site itself chose."""


def _meant(place: Place) -> str | None:
    """The setting that is probably meant by a ``place`` at which there is none, in words.

    That is one of the same table with nearly that name or, failing that, the only one of that very name in another.
    """
    name = str(place[-1])
    near = difflib.get_close_matches(name, _beside(place) - NOT_SET_BY_ANYBODY, n=1)
    if near:
        return place_name((*place[:-1], near[0]))
    elsewhere = [names for names in _names(Settings) if names[-1] == name and names[0] not in NOT_SET_BY_ANYBODY]
    if len(elsewhere) != 1:
        return None
    (names,) = elsewhere
    under = f"under [{'.'.join(names[:-1])}]" if names[1:] else "above the first [table]"
    return f"{'.'.join(names)}, {under}"


def _beside(place: Place) -> frozenset[str]:
    """The names that may stand at ``place``; names that the site itself chose are skipped."""
    model: type[BaseModel] = Settings
    for part in place[:-1]:
        field = model.model_fields.get(str(part))
        model = next(_models_in(field.annotation), model) if field else model
    return frozenset(model.model_fields)


def _names(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every setting with those that it is part of."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        for inner in _models_in(field.annotation):
            yield from _names(inner, (*above, name))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
