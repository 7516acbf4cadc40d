"""The documentation is tested: commands, options, settings, variables, files and links that it names exist."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from ticket_processor.core.models import Frozen
from ticket_processor.settings.checks import REMOVED
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import CONFIG_VARIABLE, VARIABLES

from ..support.help_text import help_text

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
GROUPS = ("retry", "local", "kb", "schedule", "audit", "learn")


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@functools.cache
def _commands(*group: str) -> frozenset[str]:
    shown = help_text(*group)
    listed = "".join(re.split(r"(?:Begin|Commands):\n", shown)[1:])
    return frozenset(re.findall(r"^  ([a-z]+)  ", listed, re.MULTILINE))


def _settings(model: type[Frozen], prefix: str = "") -> set[str]:
    names = set()
    for name, field in model.model_fields.items():
        names.add(prefix + name)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Frozen):
            names |= _settings(kind, f"{prefix}{name}.")
    return names


def _invocations(text: str) -> set[str]:
    """What is written as a command: in backticks, or at the beginning of a line of a block."""
    found = re.findall(r"`(?:\.venv[\\/](?:bin|Scripts)[\\/])?ticketbot ([a-z][^`]*)`", text)
    for block in re.findall(r"^```(?:console|bat|bash|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        found += re.findall(
            r"^\s*(?:sudo )?(?:\.venv[\\/](?:bin|Scripts)[\\/])?ticketbot ([a-z].*)$", block, re.MULTILINE
        )
    return {re.split(r"\s+#|\s+>|\||;|&&", re.sub(r"\s+", " ", one))[0].strip() for one in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_is_named_exists(page: Path) -> None:
    wrong = []
    for invocation in sorted(_invocations(_text(page))):
        words = invocation.split()
        if words[0] not in _commands():
            wrong.append(invocation)
            continue
        named = words[1].strip(",") if words[0] in GROUPS and len(words) > 1 else ""
        subcommand = named if named in _commands(words[0]) else ""
        command = (words[0], subcommand) if subcommand else (words[0],)
        if words[0] in GROUPS and not subcommand:
            continue  # "ticketbot retry" as such, or several of its commands at once
        offered = set(re.findall(r"(--[a-z][a-z-]+)", help_text(*command)))
        wrong += [
            f"{invocation}: {option}" for option in re.findall(r"(--[a-z][a-z-]+)", invocation) if option not in offered
        ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = _settings(Settings)
    if page.name == "CHANGELOG.md":
        known |= REMOVED.keys()
    tables = {name for name in known if "." not in name}
    named = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)(?: = [^`]*)?`", _text(page)))
    named = {
        name
        for name in named
        if name.split(".")[0] in tables and not name.endswith((".py", ".md", ".json", ".lock", ".key"))
    }
    free = ("models.prices", "models.use", "policy.escalation.plans", "policy.tiers")  # whose names are the site's
    assert {name for name in named if name not in known and not name.startswith(free)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_variable_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"\b((?:ZENDESK|TICKETBOT)_[A-Z_]+)\b", _text(page)))
    assert named - {*VARIABLES, CONFIG_VARIABLE, "TICKETBOT_VENV"} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = []
    for target in re.findall(r"\]\(([^)]+)\)", _text(page)):
        path, _, heading = target.partition("#")
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            missing.append(target)
        elif heading:
            headings = re.findall(r"^#+ (.+)$", _text(file), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
            missing += [] if heading in anchors else [target]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_whatever_is_installed_has_the_versions_that_were_tested(page: Path) -> None:
    for line in re.findall(r"pip install [^`\n]*\"\.\[.*", _text(page)):
        assert re.match(r"pip install (?:--upgrade )?-c constraints\.txt \"\.\[", line), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_script_that_is_named_exists(page: Path) -> None:
    for name in re.findall(r"scripts/[a-z_]+\.py", _text(page)):
        assert (ROOT / name).is_file(), name


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        targets = re.findall(r"\]\(([^)#]+\.md)", _text(page))
        waiting += [(page.parent / target).resolve() for target in targets if not target.startswith("http")]
    assert {page.name for page in PAGES} <= {page.name for page in seen}


def test_no_help_page_has_pythons_own_words_for_a_type() -> None:
    groups = {(name, each) for name in GROUPS for each in _commands(name)}
    told = {command: help_text(*command) for command in {(name,) for name in _commands()} | groups}
    assert [command for command, text in told.items() if re.search(r"<(?:str|int|Path|list\[)", text)] == []
    assert all(told.values())
