"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Configuration file (default: TICKETBOT_CONFIG, or ticketbot.toml here)."
    ),
]
ConfigsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file (default: TICKETBOT_CONFIG, or ticketbot.toml here); several, or a folder of them: "
        "an account each.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print only what went wrong.")]
NoModelOption = Annotated[bool, typer.Option("--no-llm", help="Keyword rules only, whatever models are set.")]
DetailsOption = Annotated[
    bool, typer.Option("--details", help="With --dry-run: show every ticket in full, not totals and ten of them.")
]
DetailedOption = Annotated[bool, typer.Option("--details", help="Print all tables, not forty lines of them.")]


def _verbose(asked: bool) -> None:
    if asked:
        from ..core.verbose import show

        show("debug", insist=True)


VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        callback=_verbose,
        is_eager=True,
        expose_value=False,
        help="Show requests and decisions on standard error; TICKETBOT_LOG_LEVEL does so for every command.",
    ),
]
