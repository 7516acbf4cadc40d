"""What is wrong with a setting, in words for whoever wrote it: all of it at once, each with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ticket_processor.core.errors import ConfigError
from ticket_processor.settings.checks import REMOVED
from ticket_processor.settings.load import load

from ..support.cases import for_each

GOOD = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t0ken"}
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
        ("[run]\nworkers = 0", "run.workers (ticketbot.toml, line 2): should be greater than or equal to 1"),
        ("\n[run]\ndeadline_s = 'soon'", "run.deadline_s (ticketbot.toml, line 3): should be a valid number"),
        ('[run]\nwrite_mode = "x"', "run.write_mode (ticketbot.toml, line 2): should be 'auto', 'single' or 'batch'"),
        ("log_dir = 3", "log_dir (ticketbot.toml, line 1): is not a valid path"),
        ('[serve]\nproxies = "10.0.0.1"', "serve.proxies (ticketbot.toml, line 2): should be a list"),
        ("entities = 3", "entities (ticketbot.toml, line 1): should be a table"),
        ("run = 3", "run (ticketbot.toml, line 1): should be a table"),
        ("models = { prices = 3 }", "models.prices (ticketbot.toml, line 1): should be a table"),
        ("run = { statuses = 3 }", "run.statuses (ticketbot.toml, line 1): should be a list"),
        ('skip = { brands = ["acme"] }', "skip.brands, 1st entry (ticketbot.toml, line 1): should be a valid integer"),
        ("[run]\nwait_minutes = -1", "run.wait_minutes (ticketbot.toml, line 2): "),
        ("[run]\nwait_minutes = 1441", "run.wait_minutes (ticketbot.toml, line 2): "),
        ("[run]\ncanary_percent = 101", "run.canary_percent (ticketbot.toml, line 2): "),
        ('[skip]\nchannels = "chat"', "skip.channels (ticketbot.toml, line 2): should be a list"),
        ('[skip]\ntags = [""]', "skip.tags, 1st entry (ticketbot.toml, line 2): "),
        ('[skip]\nrequesters = ["Somebody"]', "skip.requesters (ticketbot.toml, line 2): takes user ids, e-mail"),
        (
            '[[categories]]\nname = "general"',
            "categories, 1st entry, description (ticketbot.toml, line 1): Field required",
        ),
        (
            '[policy]\ntag_prefix = "A B"',
            "policy.tag_prefix (ticketbot.toml, line 2): must be 1 to 20 small letters, digits and _",
        ),
        (
            'team_language = "English"',
            "team_language (ticketbot.toml, line 1): must be a language code such as en or pt",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_line_and_what_it_should_be(tmp_path: Path, toml: str, sentence: str) -> None:
    (problem,) = told(tmp_path, toml)
    assert problem.startswith(sentence)
    assert not re.search("tuple|dictionary|class", problem, re.IGNORECASE), "a word of Python's"


def test_a_secret_that_is_too_short_is_told_in_characters_and_not_quoted(tmp_path: Path) -> None:
    environ = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t", "TICKETBOT_AUDIT_KEY": "sekret"}
    with pytest.raises(ConfigError) as error:
        load(environ=environ, folder=tmp_path)
    assert error.value.problems == ("TICKETBOT_AUDIT_KEY: needs at least 16 characters",)


def test_a_status_that_the_helpdesk_does_not_know_is_refused_with_those_it_knows(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, '[run]\nstatuses = ["new", "oepn"]')
    assert problem.startswith("run.statuses, 2nd entry (ticketbot.toml, line 2): ")
    for status in ("new", "open", "pending", "hold", "solved", "closed"):
        assert f"'{status}'" in problem


def test_a_status_may_be_written_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "ticketbot.toml").write_text('[run]\nstatuses = ["New", " open "]', encoding="utf-8")
    assert load(folder=tmp_path, environ=GOOD).run.statuses == ("new", "open")


@pytest.mark.parametrize("tag", ["two words", "a,b", "caf\u00e9!", '\\"x\\"', "a&b", "x" * 300])
def test_what_the_helpdesk_would_not_keep_as_a_tag_is_refused(tmp_path: Path, tag: str) -> None:
    (problem,) = told(tmp_path, f'[skip]\ntags = ["vip", "{tag}"]')
    assert problem.startswith("skip.tags, 2nd entry (ticketbot.toml, line 2): must be one tag: ")


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


def test_what_names_a_category_is_checked(tmp_path: Path) -> None:
    toml = """
    [policy.escalation]
    categories = ["billing", "bilding"]
    plans = { anger = "Go.", critical = "Look." }
    [budget]
    run_usd = 1
    [models]
    names = ["m"]
    use = { other = {} }
    """
    found = {problem.partition(":")[0] for problem in told(tmp_path, toml)}
    assert found == {
        "policy.escalation.categories, 2nd entry",
        "policy.escalation.plans.anger",
        "budget.run_usd",
        "models.use.other",
    }


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        (RULES + '[[categories]]\nname = "general"\ndescription = "B."\n', "these occur twice: general"),
        (RULES + 'parent = "machines"\n', "the parent of category general"),
        ('fallback_category = "rest"\n' + RULES, "fallback_category"),
    ],
)
def test_categories_are_checked_against_each_other(tmp_path: Path, toml: str, words: str) -> None:
    (problem,) = told(tmp_path, toml)
    assert problem.startswith("categories: ")
    assert words in problem


def test_a_category_without_a_usable_name_starts_no_false_alarms(tmp_path: Path) -> None:
    toml = '[[categories]]\ndescription = "All."\n[policy.escalation]\ncategories = ["valves"]\n'
    assert told(tmp_path, toml) == ("categories, 1st entry, name (ticketbot.toml, line 1): Field required",)


def test_what_only_the_program_says_of_itself_is_no_setting(tmp_path: Path) -> None:
    for name in ("notices", "stop_set_by", "lost", "use_classifier"):
        assert told(tmp_path, f'{name} = ["x"]') == (f"{name} (ticketbot.toml, line 1) is no setting",)


def test_the_hands_off_tag_follows_the_prefix(tmp_path: Path) -> None:
    assert load(folder=tmp_path, environ=GOOD).hands_off_tag == "ai_hands_off"
    assert told(tmp_path, '[policy]\ntag_prefix = "tb_"\n') == ()
    assert load(folder=tmp_path, environ=GOOD).hands_off_tag == "tb_hands_off"


@pytest.mark.parametrize(
    ("toml", "environ", "by"),
    [
        *(
            ("", {"TICKETBOT_STOP": yes}, "TICKETBOT_STOP")
            for yes in ("1", "true", "yes", "STOP", "please", "2026-11-21")
        ),
        ('[run]\nstop = "perhaps"\n', {"TICKETBOT_STOP": "perhaps"}, "TICKETBOT_STOP"),
        ("[run]\nstop = true\n", {}, "run.stop in ticketbot.toml"),
        ("[run]\nstop = true\n", {"TICKETBOT_STOP": "1"}, "TICKETBOT_STOP"),
        ("[run]\nstop = true\n", {"TICKETBOT_STOP": "0"}, None),
        ("", {}, None),
    ],
)
def test_anything_but_a_clear_no_in_the_environment_stops_and_the_settings_know_what_did(
    tmp_path: Path, toml: str, environ: dict[str, str], by: str | None
) -> None:
    (tmp_path / "ticketbot.toml").write_text(toml, encoding="utf-8")
    found = load(folder=tmp_path, environ={**GOOD, **environ})
    assert (found.run.stop, found.stop_set_by) == (by is not None, by)


def test_a_kill_switch_in_env_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TICKETBOT_STOP=1\n", encoding="utf-8")
    assert load(folder=tmp_path, environ=GOOD).stop_set_by == "TICKETBOT_STOP (in .env)"


@pytest.mark.parametrize("name", REMOVED)
def test_a_setting_that_was_removed_is_told_by_its_line_and_why(tmp_path: Path, name: str) -> None:
    table, _, last = name.rpartition(".")
    (problem,) = told(tmp_path, f"{f'[{table}]' if table else ''}\n\n{last} = 25")
    assert problem.startswith(f"{name} (ticketbot.toml, line 3) was removed: {REMOVED[name]}; ")
