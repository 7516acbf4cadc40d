"""``ticketbot taxonomy show``: prints the site's categories."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.errors import ExitCode
from ..core.taxonomy import Category, Taxonomy
from ..settings.load import load
from .options import ConfigOption, JsonOption
from .screen import Screen


def show(as_json: JsonOption = False, config: ConfigOption = None) -> int:
    """Print the categories of both levels as they are used."""
    taxonomy = load(config=config, need_helpdesk=False).taxonomy
    Screen(as_json=as_json).result(
        "\n".join(_tree(taxonomy)),
        {"fallback": taxonomy.fallback, "categories": [_as_data(taxonomy, name) for name in taxonomy.top]},
    )
    return ExitCode.OK


def _tree(taxonomy: Taxonomy) -> Iterator[str]:
    for name in taxonomy.top:
        mark = "   (for whatever fits nowhere else)" if name == taxonomy.fallback else ""
        yield f"{name}{mark}"
        yield from _lines(taxonomy[name], "    ")
        for child in taxonomy.children(name):
            yield f"  > {child}"
            yield from _lines(taxonomy[child], "      ")


def _lines(item: Category, indent: str) -> Iterator[str]:
    facts: dict[str, Any] = {
        "examples": len(item.examples),
        "keywords": sum(map(len, item.keywords.values())),
        "at least": item.priority_floor,
        "tag": item.tag,
        "group": item.group,
        "fields": ", ".join(f"{key} = {value}" for key, value in item.fields.items()),
    }
    yield f"{indent}{item.description or '(no description)'}"
    told = "; ".join(f"{name} {value}" for name, value in facts.items() if value)
    if told:
        yield f"{indent}{told}"


def _as_data(taxonomy: Taxonomy, name: str) -> dict[str, object]:
    data = taxonomy[name].model_dump(mode="json", exclude={"parent"})
    return {**data, "children": [_as_data(taxonomy, child) for child in taxonomy.children(name)]}
