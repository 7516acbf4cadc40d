"""The names of the settings: those that were removed, and which one a misspelt name may mean. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from .messages import Place, place_name

Names = tuple[str, ...]

REMOVED: Mapping[Names, str] = {
    ("alerts", "gap_minutes"): "alerts no longer report pauses between runs, which the heartbeat notices",
    ("slo", "alert_below"): "there is no alert on a day's success rate any more; slo.success stays",
}
"""Settings of earlier versions, with a sentence for each."""


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
    """What may stand where ``place`` stands; names that the site itself chose are passed over."""
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
