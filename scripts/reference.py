"""Write docs/settings.md, docs/reasons.md and docs/report-figures.md from the program itself.

python scripts/reference.py            # writes the pages
python scripts/reference.py --check    # writes nothing; exit code 1 when a page differs
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ticket_processor.core import reasons
from ticket_processor.core.reasons import MEANINGS, WITHOUT_MODEL
from ticket_processor.reporting.glossary import MEANINGS as FIGURES
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import CONFIG_VARIABLE, VARIABLES

DOCS = Path(__file__).resolve().parent.parent / "docs"
BY = "<!-- Written by `python scripts/reference.py`. Do not edit: change the description in the program instead. -->"
IN_JSON = {
    "cost": "`cost_usd`",
    "latency p50": "`latency_ms.p50`, `p50_ms`",
    "latency p95": "`latency_ms.p95`, `p95_ms`",
    "latency p99": "`latency_ms.p99`",
}
"""Figures whose names in JSON are not their own."""
TOLD_BY_A_VALUE = ("true or false", "number", "whole number", "path")
"""Kinds that a default or a limit shows."""
FILLED_BY_THE_PROGRAM = {
    "notices",
    "stop_set_by",
    "lost",
    "use_classifier",
    "models.use.NAME.api_key",
    "embeddings.api_key",
}


# --- settings


@dataclass(frozen=True)
class Section:
    """One table of the configuration file: its names, and the model that holds its settings."""

    names: tuple[str, ...]
    model: type[BaseModel]


def settings_page() -> str:
    """The page about every setting and environment variable."""
    parts = ["# Settings", BY]
    parts.append(
        "From strongest to weakest: command line, environment, `.env`, `ticketbot.toml`, default. The configuration "
        f"file is the one in the current folder, or the one that `--config` or `{CONFIG_VARIABLE}` names; `.env` and "
        "relative paths belong to its folder. Secrets come from the environment or `.env` only: the "
        "configuration file refuses them. A variable that holds a list takes commas."
    )
    parts.append("Each line gives a setting with its default, and in brackets what it takes and its variable.")
    for section in _sections():
        title = ", ".join(map(_heading, section.names))
        about = inspect.cleandoc(section.model.__doc__ or "").split("\n")[0].replace("``", "`")
        rows = [_setting(section, name, field) for name, field in section.model.model_fields.items()]
        if any(rows):
            parts += [f"## {title}", *([about] if section.names[0] else []), "\n".join(filter(None, rows))]
    return "\n\n".join(parts) + "\n"


def _heading(name: str) -> str:
    """The table's heading in the configuration file."""
    if not name:
        return "Above the first table"
    repeated = name in Settings.model_fields and get_origin(Settings.model_fields[name].annotation) is not None
    return f"`[[{name}]]`" if repeated else f"`[{name}]`"


def _sections() -> list[Section]:
    found: dict[type[BaseModel], list[str]] = {}
    for name, model in _models(Settings, ""):
        found.setdefault(model, []).append(name)
    return [Section(tuple(names), model) for model, names in found.items()]


def _models(model: type[BaseModel], name: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield name, model
    for field_name, field in model.model_fields.items():
        path = f"{name}.{field_name}".removeprefix(".")
        for inner, many in _inner_models(field.annotation):
            yield from _models(inner, f"{path}.NAME" if many is dict else path)


def _inner_models(kind: Any, container: type | None = None) -> Iterator[tuple[type[BaseModel], type | None]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind, container
    for inner in get_args(kind):
        yield from _inner_models(inner, dict if get_origin(kind) is dict else container)


def _setting(section: Section, name: str, field: FieldInfo) -> str | None:
    path = f"{section.names[0]}.{name}".removeprefix(".")
    inner = [model for model, _ in _inner_models(field.annotation)]
    if path in FILLED_BY_THE_PROGRAM or (inner and not field.description):
        return None
    default = "" if inner else _default(field)
    kind, limits = _kind(field.annotation), _limits(field)
    if kind == "text" or ((default or limits) and kind in TOLD_BY_A_VALUE):
        kind = ""
    variables = [variable for variable, each in VARIABLES.items() if ".".join(each.path) == path]
    parts = ["required" if field.is_required() else "", kind, limits, *(f"`{variable}`" for variable in variables)]
    takes = "; ".join(filter(None, parts))
    secret = " **(secret)**" if any(VARIABLES[variable].secret for variable in variables) else ""
    shown = f"`{name} = {default}`" if default else f"`{name}`"
    return f"* {shown}{f' ({takes})' if takes else ''}: {field.description or ''}{secret}"


def _kind(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _kind(inner[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (Union, UnionType):
        return _kind(next(each for each in inner if each is not type(None)))
    if origin is tuple and inner[-1] is Ellipsis:
        return "list of tables" if _kind(inner[0]) == "table" else f"list of {_kind(inner[0])}"
    if origin is tuple:
        return f"{len(inner)} of {_kind(inner[0])}"
    if origin is dict:
        return "table of tables" if _kind(inner[1]) == "table" else f"table of {_kind(inner[1])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{each.value}`" for each in kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "table"
    return {bool: "true or false", int: "whole number", float: "number", SecretStr: "text", Path: "path"}.get(
        kind, "text"
    )


def _limits(field: FieldInfo) -> str:
    words = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}
    found = [
        text.format(f"{value:g}" if isinstance(value, float) else value)
        for each in field.metadata
        for name, text in words.items()
        if (value := getattr(each, name, None)) is not None
    ]
    pattern = next((each.pattern for each in field.metadata if getattr(each, "pattern", None)), None)
    return ", ".join([*([" ".join(found)] if found else []), *([f"`{pattern}`"] if pattern else [])])


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or isinstance(value, dict) or value == ():
        return ""
    return _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return f'"{value}"'


# --- reasons


def reasons_page() -> str:
    """The page about the reasons of outcomes."""
    parts = [
        "# Reasons",
        BY,
        inspect.cleandoc(reasons.__doc__ or "").partition("\n\n")[2],
        _list(MEANINGS),
        "## Why no model answered",
        "The words of `why_fallback`:",
        _list(WITHOUT_MODEL),
    ]
    return "\n\n".join(parts) + "\n"


def _list(meanings: Mapping[str, str]) -> str:
    return "\n".join(f"* `{name}`: {meaning}" for name, meaning in meanings.items())


def figures_page() -> str:
    """The page about the figures of reports."""
    rows = (
        f"* **{name}** ({IN_JSON.get(name, '`' + name.replace(' ', '_') + '`')}): {meaning}"
        for name, meaning in FIGURES.items()
    )
    about = "Each figure with its name in JSON, in brackets."
    return "\n\n".join(["# What the figures mean", BY, about, "\n".join(rows)]) + "\n"


PAGES = {
    "settings.md": settings_page,
    "reasons.md": reasons_page,
    "report-figures.md": figures_page,
}


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a page differs")
    check = parser.parse_args(arguments).check
    code = 0
    for name, page in PAGES.items():
        path = DOCS / name
        if path.exists() and path.read_text(encoding="utf-8") == page():
            continue
        if check:
            print(f"docs/{name} differs from the program: python scripts/reference.py writes it")
            code = 1
        else:
            path.write_text(page(), encoding="utf-8", newline="\n")
            print(f"docs/{name} written")
    return code


if __name__ == "__main__":
    sys.exit(main())
