"""``ticketbot kb doctor``: says what to mend in the articles, and writes it down as proposals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ExitCode
from ..core.tables import markdown_text
from ..knowledge.doctor import Remark, examine
from ..settings.load import load
from ..wiring.knowledge import knowledge_store
from .options import ConfigOption, JsonOption
from .out_files import check_out, json_text, write_out
from .screen import Screen

_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\]+")
PROPOSALS = {
    "duplicate": ("The same text more than once", "Keep one article, and link to it from where the others were."),
    "near_duplicate": ("Nearly the same text", "Merge them, or say at the top of each what it is for."),
    "drafts": ("Unpublished articles", "Publish them, or delete them."),
    "pictures_only": ("Steps that exist only as pictures", "Write each step down beside its picture."),
    "stale": ("Old articles that are shown often", "Check them against how things are today."),
    "never_found": (
        "Articles that no search has shown",
        "Give them a title in the words of customers, or delete them.",
    ),
}
"""A heading for each kind, and what to do."""


def doctor(
    clock: SystemClock,
    out: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Write proposals (.md), or the findings (.json); may be repeated."),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """List copies, unpublished, old and never shown articles, and steps that exist only as pictures."""
    check_out(out or (), (".md", ".json"))
    settings = load(config=config, need_helpdesk=False)
    screen = Screen(as_json=as_json)
    with closing(knowledge_store(settings)) as store:
        remarks = examine(store, clock.now())
    data = {"remarks": [_data(remark) for remark in remarks]}
    written = write_out(out or (), {".md": lambda: _proposals(remarks), ".json": lambda: json_text(data)})
    told = [_told(remark) for remark in remarks] or ["nothing to mend"]
    screen.result("\n".join(written or told), data)
    return ExitCode.OK


def _told(remark: Remark) -> str:
    lines = [f"{remark.kind}: {remark.text}"]
    for place in remark.places:
        lines.append(f"  {place.article}  {' > '.join(filter(None, (place.title, place.heading)))}")
    return "\n".join(lines)


def _data(remark: Remark) -> dict[str, object]:
    return {**asdict(remark), "articles": [place.article for place in remark.places]}


def _proposals(remarks: Sequence[Remark]) -> str:
    """The remarks as Markdown for a person. Nothing in an article's words becomes mark-up."""
    lines = ["# Proposals for the articles"]
    for number, remark in enumerate(remarks, 1):
        heading, advice = PROPOSALS[remark.kind]
        lines += ["", f"## {number}. {heading}", "", f"{markdown_text(remark.text)}.", ""]
        for place in remark.places:
            names = (place.title, place.heading, place.article)
            lines.append(f"- {' · '.join(markdown_text(name) for name in names if name)}{_address(place.url)}")
        lines += [*([""] if remark.places else []), f"- [ ] {advice}"]
    return "\n".join(lines) + "\n"


def _address(url: str) -> str:
    return f" <{url}>" if _ADDRESS.fullmatch(url) else ""
