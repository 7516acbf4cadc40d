"""Errors of settings as sentences: what is wrong, what was removed, which name was meant. Pure; no value is quoted."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import resources
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]
_KEY = "[key]"
_TABLE = "must be a table, such as { name = value }"
_THREE_PRICES = "needs three numbers: input, output, cached input"

_BY_TYPE: Mapping[str, str] = {
    "(tuple|list)_type": 'must be a list, such as ["a", "b"]',
    "bool_.*": "must be true or false",
    "int_.*": "must be a whole number",
    "float_.*|finite_number": "must be a number",
    "string_(type|unicode)": "must be text in quotation marks",
    "path_type": 'must be a path in quotation marks, such as "folder/file"',
    "dict_type": _TABLE,
    "missing": "is missing",
}
"""Words for pydantic's types of errors, each a regular expression."""
_BY_LIMIT: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda limit: f"must be more than {limit['gt']:g}",
    "greater_than_equal": lambda limit: f"must be {limit['ge']:g} or more",
    "less_than": lambda limit: f"must be less than {limit['lt']:g}",
    "less_than_equal": lambda limit: f"must be {limit['le']:g} or less",
    "string_too_short": lambda limit: "must not be empty",
    "string_too_long": lambda limit: f"must have {limit['max_length']} characters at most",
    "too_short": lambda limit: (
        # pydantic says so of a secret as well
        f"needs at least {limit['min_length']}" + " characters" * (limit.get("field_type") == "Value")
    ),
    "too_long": lambda limit: f"takes {limit['max_length']} at most",
    "literal_error": lambda limit: "must be " + limit["expected"].replace("'", '"'),
    "enum": lambda limit: "must be " + limit["expected"].replace("'", '"'),
}
_BY_NAME: Mapping[str, str] = {
    "api_key_variable": "must be the name of an environment variable: letters, digits and _",
    "tag_prefix": "must be 1 to 20 small letters, digits and _",
    "name": "must be 1 to 40 small letters, digits and _, a letter first",
    "tag": "must be 1 to 60 small letters, digits and _",
    "daily_at": "must be a time such as 07:00 (UTC), or empty",
    "smtp_host": "must be the name of a server, and behind a colon its port if need be",
    "team_language": "must be a language code such as en or pt",
}
"""The form of a text setting, by the last word of its name."""


def place_name(place: Place) -> str:
    """The setting as a person says it: ``skip.brands, 1st entry``."""
    words = ""
    for part in place:
        if isinstance(part, int):
            words += f", {_ordinal(part + 1)} entry"
        elif part != _KEY:
            words += (", " if words.endswith(" entry") else "." if words else "") + part
    return words


def sentence(error: ErrorDetails, origin: Mapping[tuple[str, ...], str], unknown: Callable[[Place], str]) -> str:
    """One of pydantic's errors, in words; ``origin`` says of a setting that comes from no file where it does.

    ``unknown`` has the words for a place at which there is no setting.
    """
    place = error["loc"]
    if error["type"] == "missing" and place[:2] == ("models", "prices"):
        place = place[:3]
    words = _words(error, place)
    texts = tuple(str(part) for part in place)
    for length in range(len(texts), 0, -1):
        if texts[:length] in origin:
            return f"{origin[texts[:length]]}: {words}"
    if error["type"] == "extra_forbidden":
        return unknown(place)
    return f"{place_name(place) or 'categories'}: {words}"


def sentences(
    errors: Iterable[ErrorDetails], origin: Mapping[tuple[str, ...], str], unknown: Callable[[Place], str]
) -> list[str]:
    """All of them, each once; not that what follows from a wrong setting could not be worked out."""
    told = (error for error in errors if error["type"] != "default_factory_not_called")
    return list(dict.fromkeys(sentence(error, origin, unknown) for error in told))


def _words(error: ErrorDetails, place: Place) -> str:
    kind, limit = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, ")
    if place[:2] == ("models", "prices") and len(place) == 3:
        return _THREE_PRICES
    if kind in ("model_type", "model_attributes_type", "dataclass_type"):
        if len(place) == 1:
            return f"must be a table, such as [{place[0]}] with its settings on lines of their own"
        return _TABLE
    if kind == "string_pattern_mismatch":
        words = _BY_NAME.get(str(place[-1]), "is not what this setting takes")
    elif kind in _BY_LIMIT:
        words = _BY_LIMIT[kind](limit)
    else:
        found = (words for types, words in _BY_TYPE.items() if re.fullmatch(types, kind))
        words = next(found, "is not what this setting takes")
    return re.sub(r"^must be", "a name here must be", words) if place[-1:] == (_KEY,) else words


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


Names = tuple[str, ...]

REMOVED: Mapping[str, str] = tomllib.loads(
    resources.files(__package__).joinpath("removed.toml").read_text(encoding="utf-8")
)
"""Settings of earlier versions, with a sentence for each. ``NAME`` stands for a name that the site itself chose."""


def removed(place: Place) -> str | None:
    """What came instead of a setting of earlier versions; ``None`` for any other place."""
    words = [str(part) for part in place]
    return REMOVED.get(".".join(words)) or REMOVED.get(".".join([*words[:2], "NAME", *words[3:]]))


def meant(model: type[BaseModel], place: Place, without: frozenset[str] = frozenset()) -> str | None:
    """The setting that is probably meant by a ``place`` at which there is none, in words.

    That is one of the same table with nearly that name or, failing that, the only one of that very name in another.
    """
    name = str(place[-1])
    near = difflib.get_close_matches(name, [*_beside(model, place).difference(without)], n=1)
    if near:
        return place_name((*place[:-1], near[0]))
    elsewhere = [names for names in _names(model) if names[-1] == name and names[0] not in without]
    if len(elsewhere) != 1:
        return None
    (names,) = elsewhere
    under = f"under [{'.'.join(names[:-1])}]" if names[1:] else "above the first [table]"
    return f"{'.'.join(names)}, {under}"


def _beside(model: type[BaseModel], place: Place) -> frozenset[str]:
    """The names that may stand at ``place``; names that the site itself chose are skipped."""
    for part in place[:-1]:
        field = model.model_fields.get(str(part))
        model = next(_models_in(field.annotation), model) if field else model
    return frozenset(model.model_fields)


def _names(model: type[BaseModel], above: Names = ()) -> Iterator[Names]:
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
