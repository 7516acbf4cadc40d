"""Documentation: what the pages say is what there is."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel

from ticket_processor.analysis.model_server.settings import ModelUse
from ticket_processor.core.models import Frozen, OutcomeStatus
from ticket_processor.core.taxonomy import Category
from ticket_processor.monitoring.doctor import Doctor
from ticket_processor.monitoring.health_checks import exposition
from ticket_processor.monitoring.run_metrics import RunMetrics
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.settings.helpdesks import ZendeskSettings
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import CONFIG_VARIABLE, VARIABLES

from ..monitoring.test_health import EVERYTHING
from ..support.fakes import ManualClock
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


# What ``docs/alerts.md`` lists of health is what there is


TEXT = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")


def part(heading: str) -> str:
    return re.split(r"\n##+ ", TEXT.partition(f"\n### {heading}\n")[2])[0]


def test_every_check_is_listed_and_no_other(tmp_path: Path) -> None:
    settings = Settings(
        zendesk=ZendeskSettings(url="https://desk.example", oauth_client_id="x"),
        state_dir=tmp_path / "state",
        log_dir=tmp_path / "logs",
    )
    made = {check.name for check in Doctor(settings, ManualClock(), offline=True).examine().checks} - {"models"}
    rows = [line.split("|")[1] for line in part("The checks").splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert listed == made | {"model NAME"}


def test_every_metric_that_is_named_is_there_and_says_what_it_is() -> None:
    made = {family.name: family for family in text_string_to_metric_families(exposition(EVERYTHING)[0].decode())}
    named = set(re.findall(r"\b(ticketbot_[a-z0-9_]+)", part("For load balancers and Prometheus")))
    assert named
    assert named <= set(made)
    assert all(family.documentation.endswith(".") for family in made.values())


def test_every_field_of_a_day_is_listed_and_no_other() -> None:
    rows = [line.split("|")[1] for line in part("The last 24 hours").splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row)} == set(RunMetrics.model_fields)


# The README and the pages are short, and what they name exists


ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_BYTES = 12_000
"""Of the README: a stranger reads it to the end, or not at all."""
MOST_WORDS = 17_500
"""Of all pages that people write, signs of tables aside: what takes longer than an hour to read is not kept true."""
MOST_WORDS_OF_CHANGES = 2_500
"""Of CHANGELOG.md: what it holds is what there is and what an update asks, and no history."""
GENERATED = ("settings.md", "reasons.md", "report-figures.md")


def test_the_readme_and_the_changes_are_short() -> None:
    assert len(README.encode()) <= MOST_BYTES
    assert len((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split()) <= MOST_WORDS_OF_CHANGES


def test_all_pages_together_are_short() -> None:
    pages = [README, *(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md") if page.name not in GENERATED)]
    words = sum(any(map(str.isalnum, word)) for page in pages for word in page.split())
    assert words <= MOST_WORDS


def test_every_outcome_is_listed() -> None:
    audit = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    assert all(f"`{status.value}`" in audit for status in OutcomeStatus)


def test_the_number_of_invented_tickets_is_told_right() -> None:
    told = re.search(r"with (\d+)\s+invented\s+tickets", README)
    assert told is not None
    assert int(told[1]) == len(load_corpus())


# The pages about settings and reasons are what the program says of itself


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
