"""The pages about settings and reasons are what the program says of itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pydantic import BaseModel

from ticket_processor.analysis.model_server.settings import ModelUse
from ticket_processor.core.taxonomy import Category
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import CONFIG_VARIABLE, VARIABLES

ROOT = Path(__file__).resolve().parents[2]
FILLED_BY_LOAD = {"notices", "stop_set_by", "lost", "use_classifier", "embeddings.api_key", "models.use.NAME.api_key"}


def names_of(model: type[BaseModel], prefix: str = "") -> set[str]:
    """The dotted names of a model's settings."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= names_of(inner, f"{prefix}{name}.")
        else:
            found.add(prefix + name)
    return found


def test_the_pages_are_as_the_script_writes_them() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "reference.py"), "--check"]
    ended = subprocess.run(script, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_nothing_is_listed_without_a_word_about_it() -> None:
    for name, least in (("settings.md", 100), ("reasons.md", 50), ("report-figures.md", 15)):
        lines = re.findall(r"^\* .*", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert len(lines) > least
        assert [line for line in lines if not re.fullmatch(r"\* [`*]+[^`*]+[`*]+( \(.*?\))?: [`\w].*", line)] == []


def test_every_variable_is_in_the_row_of_its_setting_and_secrets_are_marked() -> None:
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\* `[^`]+` \((?:.*; )??((?:`[A-Z_]+`(?:; )?)+)\): (.*)$", settings, re.MULTILINE)
    meanings = {name: meaning for names, meaning in rows for name in re.findall("[A-Z_]+", names)}
    assert set(meanings) == set(VARIABLES)
    assert {name for name, meaning in meanings.items() if meaning.endswith("**(secret)**")} == {
        name for name, variable in VARIABLES.items() if variable.secret
    }
    assert f"`{CONFIG_VARIABLE}`" in settings


def test_every_setting_has_its_row() -> None:
    known = names_of(Settings) | names_of(Category, "categories.") | names_of(ModelUse, "models.use.NAME.")
    rows = set()
    for section in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        prefixes = [name.strip("[]") + "." for name in re.findall(r"`(\[.*?\]+)`", heading)] or [""]
        rows |= {
            prefix + name for prefix in prefixes for name in re.findall(r"^\* `([a-z_0-9]+)[` ]", text, re.MULTILINE)
        }
    assert known - rows == FILLED_BY_LOAD
