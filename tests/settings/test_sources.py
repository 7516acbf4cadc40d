"""A settings file that cannot be read is told with the line and the reason, and no value of it is quoted."""

from __future__ import annotations

import functools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.commands.init import CONFIG_TEXT
from ticket_processor.core.errors import ConfigError
from ticket_processor.settings import sources
from ticket_processor.settings.load import load
from ticket_processor.settings.sources import read_toml

from ..support.cases import for_each

GOOD = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t0ken"}
CANARY = "sk-CANARY-9f8e7d"


def told(folder: Path, toml: str | bytes = "", *, env: str | bytes = "", **environ: str) -> tuple[str, ...]:
    for name, content in (("ticketbot.toml", toml), (".env", env)):
        if content:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        load(folder=folder, environ={**GOOD, **environ})
    except ConfigError as error:
        return tuple(problem.replace(f"{folder}/", "").replace(f"{folder}\\", "") for problem in error.problems)
    return ()


@for_each(
    ("toml", "place"),
    [
        ("[run]\nworkers = 1\n[skip]\n[run]\ndeadline_s = 60\n", "line 4, "),
        ("[run]\nworkers = 1\n\nworkers = 2\n", "line 4, "),
        ('\nlog_dir = "C:\\logs"\n', "line 2, "),
        ("[zendesk]\nurl = acme\n", "line 2, column 7"),
        ("[run]\nworkers: 8\n", "line 2, "),
        ("[run\nworkers = 8\n", "line 1, "),
        ('[run]\nstatuses = ["new"', "end of document"),
    ],
)
def test_a_file_that_is_no_toml_is_told_with_the_place_of_the_mistake(tmp_path: Path, toml: str, place: str) -> None:
    (sentence,) = told(tmp_path, toml)
    assert sentence.startswith("ticketbot.toml is no valid TOML: ")
    assert f"(at {place}" in sentence


@for_each(
    "line",
    [
        'token = "{}',
        "token = {}",
        "token = '{}",
        'token = "{}" more',
        'token = "\\z{}"',
        "token = ['{}' '{}']",
        'token = "a"\ntoken = "{}"',
        'token = """{}',
        "token = {{ a = '{}', a = '{}' }}",
        "token: {}",
    ],
)
def test_no_mistake_in_the_file_has_its_value_quoted(tmp_path: Path, line: str) -> None:
    (sentence,) = told(tmp_path, line.format(CANARY, CANARY) + "\n")
    assert "TOML" in sentence
    assert CANARY not in sentence


@pytest.mark.parametrize("name", ["ticketbot.toml", ".env"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_a_file_saved_in_another_encoding_says_how_to_save_it(tmp_path: Path, name: str, encoding: str) -> None:
    text = "# Einstellungen\n# für uns\n".encode(encoding)
    content = {"toml": text} if name == "ticketbot.toml" else {"env": text}
    (sentence,) = told(tmp_path, **content)  # type: ignore[arg-type]
    assert sentence.startswith(f"{name}, line 2: " if encoding == "cp1252" else f"{name} is saved as UTF-16")
    assert "save it again as UTF-8" in sentence


def test_tabs_windows_line_ends_and_notepads_mark_are_no_mistake(tmp_path: Path) -> None:
    toml = "\ufeff[run]\r\n\tworkers\t=\t3\r\n"
    (tmp_path / "ticketbot.toml").write_bytes(toml.encode())
    (tmp_path / ".env").write_bytes("\ufeffZENDESK_SUBDOMAIN=acme\r\nZENDESK_OAUTH_TOKEN = x\r\n".encode())
    settings = load(folder=tmp_path, environ={})
    assert settings.run.workers == 3
    assert settings.zendesk.url == "https://acme.zendesk.com"


def test_the_lines_of_many_wrong_settings_are_found_without_reading_the_file_as_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = functools.cache(tomllib.loads)
    monkeypatch.setattr(sources, "_parsed", parsed)
    found = told(tmp_path, "".join(f"[models.prices.m{number}]\nnope = 1\n" for number in range(40)))
    assert [int(re.findall(r"line (\d+)", each)[0]) for each in found] == [*range(1, 80, 2)]
    assert parsed.cache_info().misses <= 80


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[run]\n\nworkres = 3\n", "run.workres (ticketbot.toml, line 3) is no setting; did you mean run.workers?"),
        ("log-dir = 'x'\n", "log-dir (ticketbot.toml, line 1) is no setting; did you mean log_dir?"),
        ("workers = 3\n", "workers (ticketbot.toml, line 1) is no setting; did you mean run.workers, under [run]?"),
        (
            "[run]\nlog_dir = 'x'\n",
            "run.log_dir (ticketbot.toml, line 2) is no setting; did you mean log_dir, above the first [table]?",
        ),
        (
            "[models]\nnames = ['m']\n[models.use.m]\nmodell = 'x'\n",
            "models.use.m.modell (ticketbot.toml, line 4) is no setting; did you mean models.use.m.model?",
        ),
        (
            '[[categories]]\nname = "general"\ndescription = "All."\n[[categories]]\nname = "a"\ndescriptoin = "x"\n'
            'description = "y"\n',
            "categories, 2nd entry, descriptoin (ticketbot.toml, line 6) is no setting; "
            "did you mean categories, 2nd entry, description?",
        ),
        (
            "[policy]\ntags = { mood = 'off' }\n",
            "policy.tags.mood (ticketbot.toml, line 2) is no setting; did you mean policy.tags.mode?",
        ),
        ("[runs]\nworkers = 3\n", "runs (ticketbot.toml, line 1) is no setting; did you mean run?"),
        ("[run]\nzebra = 3\n", "run.zebra (ticketbot.toml, line 2) is no setting"),
        ("notices = ['x']\n", "notices (ticketbot.toml, line 1) is no setting"),
        ("[run]\nnotice = 1\n", "run.notice (ticketbot.toml, line 2) is no setting"),
    ],
)
def test_a_name_that_is_no_setting_is_told_with_its_line_and_the_nearest_one(
    tmp_path: Path, toml: str, sentence: str
) -> None:
    assert told(tmp_path, toml) == (sentence,)


def test_lines_of_env_that_say_nothing_are_told_if_they_are_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    env = f"A LINE OF SOMEBODY ELSE\nZENDESK_EMAIL {CANARY}\nexport OPENAI_API_KEY='{CANARY}\nZENDESK_SUBDOMAIN=a\n"
    assert told(tmp_path, env=env) == (
        ".env, line 2: write NAME=value, with both quotation marks or none",
        ".env, line 3: write NAME=value, with both quotation marks or none",
    )
    assert caplog.text == ""


def test_a_misspelt_variable_of_the_helpdesk_is_pointed_out_where_something_is_missing(tmp_path: Path) -> None:
    problems = told(tmp_path, env="ZENDESK_OAUTH_CLIENTID=x\nZENDESK_OAUTH_CLIENT_SECRET=y\n", ZENDESK_OAUTH_TOKEN="")
    assert problems == (
        "ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET are needed together",
        "ZENDESK_OAUTH_CLIENTID is no setting; did you mean ZENDESK_OAUTH_CLIENT_ID?",
    )
    assert told(tmp_path, env="ZENDESK_OAUTH_CLIENTID=x\n") == ()  # another program's, as far as anybody can tell


@given(st.integers(0, len(CONFIG_TEXT)), st.text(alphabet="=[]{}\"'\\#,\n\t\r .x8:“ü\x00", min_size=1, max_size=6))
def test_whatever_is_typed_into_the_file_it_is_read_or_told_in_a_sentence_without_a_word_of_it(
    tmp_path_factory: pytest.TempPathFactory, place: int, typed: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "typed.toml"
    uncommented = CONFIG_TEXT.replace("\n# ", "\n").replace('"example"', f'"{CANARY}"')
    for text in (CONFIG_TEXT[:place] + typed + CONFIG_TEXT[place:], uncommented[:place] + typed + uncommented[place:]):
        path.write_text(text, encoding="utf-8", newline="")
        try:
            data: dict[str, Any] = read_toml(path).data
        except ConfigError as error:
            (sentence,) = error.problems
            assert sentence.startswith(f"{path}")
            assert len(sentence) < 400
            assert CANARY not in sentence
        else:
            assert isinstance(data, dict)
