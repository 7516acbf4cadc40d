"""What is wrong with a setting, in words for whoever wrote it: all of it at once, and without a library's jargon."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from ticket_processor.core.errors import ConfigError
from ticket_processor.settings.load import load
from ticket_processor.settings.messages import REMOVED
from ticket_processor.settings.schema import Settings

from ..support.cases import for_each

GOOD = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t0ken"}
_JARGON = re.compile(
    r"Input|input should|tuple|instance|<class|[Vv]alid (integer|number|boolean|list|string|dict)|pattern|\[key\]"
)
RULES = '[[categories]]\nname = "general"\ndescription = "All."\n'


def told(folder: Path, toml: str, **environ: str) -> tuple[str, ...]:
    (folder / "ticketbot.toml").write_text(toml, encoding="utf-8")
    try:
        load(folder=folder, environ={**GOOD, **environ})
    except ConfigError as error:
        return error.problems
    return ()


@for_each(
    ("toml", "sentence"),
    [
        ('[run]\nstatuses = "new"', 'run.statuses: must be a list, such as ["a", "b"]'),
        ("[run]\nretriage_on_reply = 3", "run.retriage_on_reply: must be true or false"),
        ('[run]\nstop = "perhaps"', "run.stop: must be true or false"),
        ("log_dir = 3", 'log_dir: must be a path in quotation marks, such as "folder/file"'),
        ("[run]\nworkers = 1.5", "run.workers: must be a whole number"),
        ("[run]\nworkers = 0", "run.workers: must be 1 or more"),
        ("[run]\nanalysis_timeout_s = 0", "run.analysis_timeout_s: must be more than 0"),
        ("[run]\nworkers = 501", "run.workers: must be 500 or less"),
        ('[run]\ndeadline_s = "soon"', "run.deadline_s: must be a number"),
        ('[run]\nwrite_mode = "x"', 'run.write_mode: must be "auto", "single" or "batch"'),
        ('[policy.tags]\nmode = "x"', 'policy.tags.mode: must be "off", "suggest" or "apply"'),
        ("run = 3", "run: must be a table, such as [run] with its settings on lines of their own"),
        ("[policy]\ntag_prefix = 3", "policy.tag_prefix: must be text in quotation marks"),
        ('[policy]\ntag_prefix = "A B"', "policy.tag_prefix: must be 1 to 20 small letters, digits and _"),
        ('skip = { brands = ["acme"] }', "skip.brands, 1st entry: must be a whole number"),
        ('skip = { channels = ["chat", 3] }', "skip.channels, 2nd entry: must be text in quotation marks"),
        ("[models.prices]\nm = [1, 2]", "models.prices.m: needs three numbers: input, output, cached input"),
        ("[models.prices]\nm = [1, 2, 3, 4]", "models.prices.m: needs three numbers: input, output, cached input"),
        ("[policy.tiers.groups]\n9 = 3", 'policy.tiers.groups.9: a name here must be "1", "2" or "complex"'),
        (RULES + "fields = { topic = 'x' }", "categories, 1st entry, fields.topic: a name here must be a whole number"),
        ('[[categories]]\nname = "general"', "categories, 1st entry, description: is missing"),
        ('entities = ["x"]', "entities: must be a table, such as { name = value }"),
        ('team_language = "English"', "team_language: must be a language code such as en or pt"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(tmp_path: Path, toml: str, sentence: str) -> None:
    assert told(tmp_path, toml) == (sentence,)


def test_a_secret_that_is_too_short_is_told_in_characters_and_not_quoted(tmp_path: Path) -> None:
    environ = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t", "TICKETBOT_AUDIT_KEY": "sekret"}
    with pytest.raises(ConfigError) as error:
        load(environ=environ, folder=tmp_path)
    assert error.value.problems == ("TICKETBOT_AUDIT_KEY: needs at least 16 characters",)


def places(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, field in model.model_fields.items():
        found.append((*prefix, name))
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += places(inner, (*prefix, name))
    return found


@for_each("place", places(Settings))
def test_no_value_whatever_brings_up_a_librarys_jargon(tmp_path: Path, place: tuple[str, ...]) -> None:
    values: tuple[Any, ...] = (
        '""',
        '"A b"',
        "3.5",
        "-1",
        "true",
        "[]",
        '["", 3, {}]',
        "{ a = {} }",
        "1979-05-27",
        "nan",
    )
    for value in values:
        inner = f"{place[-1]} = {value}"
        table = f"[{'.'.join(place[:-1])}]\n" if place[:-1] else ""
        for sentence in told(tmp_path, table + inner):
            assert not _JARGON.search(sentence), (value, sentence)


def test_a_status_that_the_helpdesk_does_not_know_is_refused_with_those_it_knows(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, '[run]\nstatuses = ["new", "oepn"]')
    assert problem.startswith("run.statuses, 2nd entry: ")
    for status in ("new", "open", "pending", "hold", "solved", "closed"):
        assert f'"{status}"' in problem


def test_a_status_may_be_written_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "ticketbot.toml").write_text('[run]\nstatuses = ["New", " open "]', encoding="utf-8")
    assert load(folder=tmp_path, environ=GOOD).run.statuses == ("new", "open")


@pytest.mark.parametrize("tag", ["two words", "a,b", "caf\u00e9!", '\\"x\\"', "a&b", "x" * 300])
def test_what_the_helpdesk_would_not_keep_as_a_tag_is_refused(tmp_path: Path, tag: str) -> None:
    (problem,) = told(tmp_path, f'[skip]\ntags = ["vip", "{tag}"]')
    assert problem.startswith("skip.tags, 2nd entry: must be one tag: ")


@pytest.mark.parametrize("tag", ["vip", "Keep_Out", "a-b", "team/x", "k:v", "\u0431\u043e\u0442", "a.b"])
def test_tags_that_it_keeps_are_taken(tmp_path: Path, tag: str) -> None:
    assert told(tmp_path, f'[skip]\ntags = ["{tag}"]') == ()


def test_no_category_may_be_taken_for_a_second_category(tmp_path: Path) -> None:
    also = '[[categories]]\nname = "also_billing"\ndescription = "Money as well."\n'
    also += '[[categories]]\nname = "general"\ndescription = "Everything else."\n'
    assert told(tmp_path, also) == ()
    (problem,) = told(tmp_path, "[policy]\ntag_secondary = true\n" + also)
    assert problem.startswith("categories, 1st entry, name: ")


def test_no_category_sets_the_tag_that_means_hands_off(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, RULES + 'tag = "ai_hands_off"\n')
    assert problem.startswith("categories, 1st entry, tag: ")


def test_what_names_a_category_is_checked_even_where_something_else_is_wrong(tmp_path: Path) -> None:
    toml = """
    [run]
    workers = 0
    [policy.tags]
    mode = "always"
    [policy.escalation]
    categories = ["billing", "bilding", 3]
    plans = { anger = "Go.", critical = "{nonsense}" }
    [budget]
    run_usd = 1
    [models]
    names = ["m"]
    use = { other = {} }
    """
    found = {problem.partition(":")[0] for problem in told(tmp_path, toml)}
    assert found == {
        "run.workers",
        "policy.tags.mode",
        "policy.escalation.categories, 2nd entry",
        "policy.escalation.categories, 3rd entry",
        "policy.escalation.plans.anger",
        "policy.escalation.plans.critical",
        "budget.run_usd",
        "models.use.other",
    }


def test_categories_are_checked_against_each_other_even_where_one_is_incomplete(tmp_path: Path) -> None:
    toml = """
    fallback_category = "rest"
    [[categories]]
    name = "pumps"
    [[categories]]
    name = "pumps"
    description = "Pumps."
    parent = "machines"
    [policy.escalation]
    categories = ["pumps", "valves"]
    """
    found = "\n".join(told(tmp_path, toml))
    for words in (
        "categories, 1st entry, description: is missing",
        "these occur twice: pumps",
        "the parent of category pumps",
        "fallback_category",
        "policy.escalation.categories, 2nd entry: no such category",
    ):
        assert words in found, words


def test_a_category_without_a_usable_name_starts_no_false_alarms(tmp_path: Path) -> None:
    toml = '[[categories]]\ndescription = "All."\n[policy.escalation]\ncategories = ["valves"]\n'
    assert told(tmp_path, toml) == ("categories, 1st entry, name: is missing",)


def test_what_only_the_program_says_of_itself_is_no_setting(tmp_path: Path) -> None:
    for name in ("notices", "stop_set_by", "lost", "use_classifier"):
        assert told(tmp_path, f'{name} = ["x"]') == (f"{name} (ticketbot.toml, line 1) is no setting",)


def test_anything_in_the_environment_stops_and_the_file_has_to_be_clear(tmp_path: Path) -> None:
    assert told(tmp_path, '[run]\nstop = "perhaps"\n', TICKETBOT_STOP="perhaps") == ()


@pytest.mark.parametrize(
    ("toml", "environ", "by"),
    [
        ("", {"TICKETBOT_STOP": "1"}, "TICKETBOT_STOP"),
        ("[run]\nstop = true\n", {}, "run.stop in ticketbot.toml"),
        ("[run]\nstop = true\n", {"TICKETBOT_STOP": "1"}, "TICKETBOT_STOP"),
        ("[run]\nstop = true\n", {"TICKETBOT_STOP": "0"}, None),
        ("", {}, None),
    ],
)
def test_the_settings_know_what_set_the_kill_switch(
    tmp_path: Path, toml: str, environ: dict[str, str], by: str | None
) -> None:
    (tmp_path / "ticketbot.toml").write_text(toml, encoding="utf-8")
    assert load(folder=tmp_path, environ={**GOOD, **environ}).stop_set_by == by


def test_a_kill_switch_in_env_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TICKETBOT_STOP=1\n", encoding="utf-8")
    assert load(folder=tmp_path, environ=GOOD).stop_set_by == "TICKETBOT_STOP (in .env)"


@pytest.mark.parametrize("name", REMOVED)
def test_a_setting_that_was_removed_is_told_by_its_line_and_why(tmp_path: Path, name: str) -> None:
    table, _, last = name.rpartition(".")
    (problem,) = told(tmp_path, f"{f'[{table}]' if table else ''}\n\n{last} = 25")
    assert problem.startswith(f"{name} (ticketbot.toml, line 3) was removed: {REMOVED[name]}; ")
