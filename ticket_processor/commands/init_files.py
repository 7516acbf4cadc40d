"""Writes the files of ``ticketbot init``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from ..core.models import HelpdeskKind
from ..core.private_files import opener
from ..settings.sources import VARIABLES

ENV_EXAMPLE = ".env.example"
CONFIG_TEXT = resources.files(__package__).joinpath("settings_template.toml").read_text(encoding="utf-8")


def config_text(helpdesk: HelpdeskKind) -> str:
    """``ticketbot.toml`` with this helpdesk's table and none of the others; it names one that is not Zendesk."""
    others = "|".join(sorted({"zendesk", "freshdesk", "local"} - {helpdesk}))
    text = re.sub(rf"^\[(?:{others})\].*\n(?:.+\n)+\n", "", CONFIG_TEXT, flags=re.MULTILINE)
    if helpdesk == "zendesk":
        return text
    return re.sub(r'^# helpdesk = "zendesk".*$', f'helpdesk = "{helpdesk}"', text, flags=re.MULTILINE)


def env_text(helpdesk: HelpdeskKind = "zendesk") -> str:
    """``.env.example``: every environment variable with its meaning, but for those of Zendesk where it is not that."""
    lines = [
        "# Copy to .env and fill in what you use. Keep .env out of version control.",
        "# Lists take commas. Of several keys or secrets the first one writes, and older ones still count.",
        "",
    ]
    for name, variable in VARIABLES.items():
        if helpdesk != "zendesk" and name.startswith("ZENDESK_"):
            continue
        lines += [f"# {variable.meaning}{' (secret)' if variable.secret else ''}", f"# {name}=", ""]
    return "\n".join(lines)


def write_files(folder: Path, helpdesk: HelpdeskKind, *, force: bool = False) -> Iterator[str]:
    """Write ``ticketbot.toml`` and ``.env.example``; existing ones stay unless ``force``. A sentence for each."""
    for name, text in (("ticketbot.toml", config_text(helpdesk)), (ENV_EXAMPLE, env_text(helpdesk))):
        path = folder / name
        if path.exists() and not force:
            yield f"{name} is there already and stays as it is (--force overwrites)"
            continue
        # A copy of the example keeps its mode and will hold secrets. A container's user has to read the other file.
        with open(path, "w", encoding="utf-8", newline="\n", opener=opener if name == ENV_EXAMPLE else None) as file:
            file.write(text)
        yield f"{name} written"
