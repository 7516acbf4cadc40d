"""The bill of materials is about everything that a user can install, and each part of that has a tested version."""

from __future__ import annotations

import configparser
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
USERS = (
    "report",
    "alerts",
    "encryption",
    "metrics",
    "ops",
    "dashboard",
    "dashboard-login",
    "serve",
    "cluster",
    "ml",
    "rag",
    "rag-local",
    "bench",
)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, which asks for everything and installs nothing; ``asked`` is what it would have installed."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    spec = importlib.util.spec_from_file_location("supply_chain", ROOT / "scripts" / "supply_chain.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    asked: list[str] = []

    def install(_python: Path, *what: str, into: Path | None = None) -> None:
        assert into is not None  # what it describes has no pip of its own
        asked.append(what[-1].removeprefix(str(ROOT)))

    def written(_command: Any) -> int:
        bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}, {}]}
        (tmp_path / "bill.json").write_text(json.dumps(bill), encoding="utf-8")
        return 0

    monkeypatch.setattr(module, "BILL", tmp_path / "bill.json")
    monkeypatch.setattr(module, "SUBJECT", tmp_path / "subject")
    monkeypatch.setattr(module, "_tool", Path)
    monkeypatch.setattr(module, "_environment", lambda folder, **_options: folder)
    monkeypatch.setattr(module, "_pip", install)
    monkeypatch.setattr(module.bootstrap, "run", written)
    module.asked = asked  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("words", "extras"),
    [((), f"[{','.join(USERS)}]"), (("--extras", "ops, ml"), "[ops,ml]"), (("--extras", ""), "")],
    ids=["all", "some", "none"],
)
def test_the_bill_is_about_the_extras_that_were_named_or_all_that_users_have(
    script: ModuleType, words: tuple[str, ...], extras: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["sbom", *words]) == 0
    assert script.asked == [extras]
    assert "2 packages" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["sbom", "--extras", "opps"], ["sbom", "--extras", "dev"], ["bill"], []])
def test_what_is_not_there_is_refused(script: ModuleType, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        script.main(words)
    assert script.asked == []
    assert "error:" in capsys.readouterr().err


def test_whatever_a_user_can_install_has_a_tested_version() -> None:
    pinned = {
        _plain(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    described = configparser.ConfigParser(interpolation=None)
    described.read(ROOT / "setup.cfg", encoding="utf-8")
    needed = [described["options"]["install_requires"], *described["options.extras_require"].values()]
    names = {
        _plain(match[0])
        for text in needed
        for line in text.splitlines()
        if (match := re.match(r"[A-Za-z][A-Za-z0-9._-]*", line))
    }
    assert {"typer", "duckdb", "catboost", "xgboost", "xgboost-cpu"} <= names
    assert names <= pinned


@pytest.mark.parametrize("name", ["requests", "urllib3", "openai", "pydantic", "apprise", "streamlit"])
def test_no_major_version_comes_in_that_is_likely_to_break_something(name: str) -> None:
    assert re.search(rf"^    {name}>=\d+(?:\.\d+)*,<\d+$", (ROOT / "setup.cfg").read_text(encoding="utf-8"), re.M)


def test_scripts_and_pages_name_no_extra_that_is_not_there() -> None:
    described = configparser.ConfigParser(interpolation=None)
    described.read(ROOT / "setup.cfg", encoding="utf-8")
    there = set(described["options.extras_require"])
    files = [*(ROOT / "scripts").glob("*.py"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "Dockerfile"]
    named = set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        named |= set(re.findall(r'"\.\[(\w+)\]"', text)) | set(re.findall(r"how_to_install\('(\w+)'\)", text))
    assert {"ops", "ml", "dev"} <= named <= there


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
