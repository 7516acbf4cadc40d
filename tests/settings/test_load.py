"""Where settings come from, what is refused, and that no message quotes a value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.errors import ConfigError
from ticket_processor.settings.load import load, secret_files
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import VARIABLES

from ..support.cases import for_each

GOOD = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "t0ken"}
CANARY = "sk-CANARY-9f8e7d"


def settings(
    folder: Path, toml: str = "", env: str = "", environ: Mapping[str, str] = GOOD, **options: Any
) -> Settings:
    if toml:
        (folder / "ticketbot.toml").write_text(toml, encoding="utf-8")
    if env:
        (folder / ".env").write_text(env, encoding="utf-8")
    return load(folder=folder, environ=environ, **options)


def problems(folder: Path, toml: str = "", env: str = "", environ: Mapping[str, str] = GOOD, **options: Any) -> str:
    with pytest.raises(ConfigError) as error:
        settings(folder, toml, env, environ, **options)
    assert str(error.value) == "\n".join(error.value.problems)
    return str(error.value)


def test_a_flag_wins_over_the_environment_over_env_file_over_toml_over_the_default(tmp_path: Path) -> None:
    toml = 'log_dir = "by-toml"\n'
    flags = {("log_dir",): Path("by-flag")}
    environ = {**GOOD, "TICKETBOT_LOG_DIR": "by-environment"}
    env = "TICKETBOT_LOG_DIR=by-env-file\n"
    assert settings(tmp_path).log_dir == Path("logs")
    assert settings(tmp_path, toml).log_dir == Path("by-toml")
    assert settings(tmp_path, toml, env).log_dir == Path("by-env-file")
    assert settings(tmp_path, toml, env, environ).log_dir == Path("by-environment")
    assert settings(tmp_path, toml, env, environ, flags=flags).log_dir == Path("by-flag")


def test_a_flag_that_was_not_given_and_an_empty_variable_change_nothing(tmp_path: Path) -> None:
    environ = {**GOOD, "TICKETBOT_LOG_DIR": "  "}
    found = settings(tmp_path, 'log_dir = "here"\n', environ=environ, flags={("log_dir",): None})
    assert found.log_dir == Path("here")


def test_a_setting_of_a_table_is_overridden_without_losing_its_neighbours(tmp_path: Path) -> None:
    toml = '[models]\nnames = ["a"]\ntimeout_s = 5\n'
    found = settings(tmp_path, toml, environ={**GOOD, "TICKETBOT_MODELS": " b , c,, "})
    assert found.models.names == ("b", "c")
    assert found.models.timeout_s == 5


def test_the_file_may_be_named_by_flag_or_environment_and_has_its_env_file_beside_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    (elsewhere / "site.toml").write_text("[run]\nworkers = 3\n", encoding="utf-8")
    (elsewhere / ".env").write_text("ZENDESK_OAUTH_TOKEN=x\n", encoding="utf-8")
    named = {"ZENDESK_SUBDOMAIN": "acme", "TICKETBOT_CONFIG": str(elsewhere / "site.toml")}
    assert settings(tmp_path, environ=named).run.workers == 3
    assert settings(tmp_path, environ={"ZENDESK_SUBDOMAIN": "acme"}, config=elsewhere / "site.toml").run.workers == 3


def test_all_problems_are_told_at_once_each_with_its_setting(tmp_path: Path) -> None:
    toml = """
    colour = "red"
    [run]
    workers = 0
    limit_share = "soon"
    [zendesk]
    api_token = "x"
    oauth_scope = "magic!"
    [policy.tags]
    mode = "always"
    """
    environ = {"ZENDESK_URL": "ftp://x", "TICKETBOT_MODLES": "m", "ZENDESK_EMAIL": "a@example.com"}
    found = problems(tmp_path, toml, environ=environ, flags={("run", "deadline_s"): 0})
    for name in (
        "colour (ticketbot.toml, line 2) is no setting",
        "run.workers",
        "run.limit_share",
        "zendesk.api_token in ticketbot.toml is a secret",
        "zendesk.oauth_scope",
        "policy.tags.mode",
        "ZENDESK_URL",
        "TICKETBOT_MODLES",
        "--deadline-s",
    ):
        assert name in found, name


def test_what_is_missing_and_what_contradicts_is_told_once_no_value_is_wrong_by_itself(tmp_path: Path) -> None:
    contradiction = '[policy.escalation]\ncategories = ["nowhere"]\n'
    assert problems(tmp_path, f"[run]\nworkers = 0\n{contradiction}", environ={}).count("\n") == 0
    found = problems(tmp_path, contradiction, environ={})
    for told in ("policy.escalation.categories, 1st entry: no such", "ZENDESK_URL is missing", "no credentials"):
        assert told in found, told


@for_each(
    "toml",
    [
        f'"{CANARY[:3]}" = "{CANARY}"',
        f'colour = "{CANARY}"',
        f'[run]\nworkers = "{CANARY}"',
        f'[run]\ndeadline_s = "{CANARY}"',
        f'[run]\nstatuses = "{CANARY}"',
        f'[skip]\nrequesters = ["Somebody {CANARY}"]',
        f'run = "{CANARY}"',
        f'zendesk = ["{CANARY}"]',
        f'[zendesk]\noauth_client_secret = "{CANARY}"',
        f'[zendesk]\napi_token = "{CANARY}"',
        f'[zendesk]\noauth_secret = "{CANARY}"',
        f'[zendesk]\noauth_scope = "{CANARY}!"',
        f'[zendesk]\nurl = "{CANARY} x"',
        f'[zendesk]\nurl = "{CANARY}"',
        f'[zendesk]\nurl = "https://bot:{CANARY}"',
        f'[zendesk]\nurl = "http://{CANARY}.example.com"',
        f'[zendesk]\nurl = "https://{CANARY}\u2100.example.com"',
        f'[zendesk]\nurl = "https://[{CANARY}"',
        f'[models]\napi_key = "{CANARY}"',
        f'[models.prices]\nm = "{CANARY}"',
        f'[policy]\ntag_prefix = "{CANARY}"',
        f'[policy.priority]\nmode = "{CANARY}"',
        f'fallback_category = "{CANARY}"\n[[categories]]\nname = "a"\ndescription = "A."',
        f'[[categories]]\nname = "{CANARY}"\ndescription = "A."',
        f'[[categories]]\nname = "general"\ndescription = "A."\npriority_floor = "{CANARY}"',
        f'[zendesk\nsecret = "{CANARY}"',
        f"secret = {CANARY}",
        f'"{CANARY}',
    ],
)
def test_no_value_in_a_file_ever_appears_in_a_message(tmp_path: Path, toml: str) -> None:
    assert CANARY not in problems(tmp_path, toml, environ={})


@for_each("name", sorted(VARIABLES))
def test_no_value_in_the_environment_ever_appears_in_a_message(tmp_path: Path, name: str) -> None:
    for value in (CANARY, f"{CANARY} {CANARY}", f"http://{CANARY}.example.com", f"https://x:{CANARY}"):
        environ = {name: value, "TICKETBOT_WRONG": CANARY}
        assert CANARY.lower() not in problems(tmp_path, environ=environ).lower()


def test_secrets_do_not_show_in_the_settings_themselves(tmp_path: Path) -> None:
    environ = {
        "ZENDESK_URL": "https://acme.zendesk.com",
        "OPENAI_API_KEY": CANARY,
        "ZENDESK_OAUTH_CLIENT_ID": "bot",
        "ZENDESK_OAUTH_CLIENT_SECRET": CANARY,
        "ZENDESK_OAUTH_TOKEN": CANARY,
        "ZENDESK_EMAIL": "a@example.com",
        "ZENDESK_API_TOKEN": CANARY,
    }
    found = settings(tmp_path, environ=environ)
    assert CANARY not in repr(found)
    assert CANARY not in found.model_dump_json()
    assert found.zendesk.api_token is not None
    assert found.zendesk.api_token.get_secret_value() == CANARY


@pytest.mark.parametrize(
    ("table", "name", "variable"),
    [
        ("zendesk", "oauth_client_secret", "ZENDESK_OAUTH_CLIENT_SECRET"),
        ("zendesk", "oauth_token", "ZENDESK_OAUTH_TOKEN"),
        ("zendesk", "api_token", "ZENDESK_API_TOKEN"),
        ("models", "api_key", "OPENAI_API_KEY"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_its_place_named(
    tmp_path: Path, table: str, name: str, variable: str
) -> None:
    found = problems(tmp_path, f'[{table}]\n{name} = "x"\n')
    assert f"{table}.{name} in ticketbot.toml is a secret: put it into {variable} or .env" in found


@pytest.mark.parametrize("where", ["environment", "env file"])
def test_an_unknown_variable_of_ours_is_refused_with_a_suggestion(tmp_path: Path, where: str) -> None:
    if where == "environment":
        found = problems(tmp_path, environ={**GOOD, "TICKETBOT_STATEDIR": "x"})
    else:
        found = problems(tmp_path, env="TICKETBOT_STATEDIR=x\n")
    assert found == "TICKETBOT_STATEDIR is no setting; did you mean TICKETBOT_STATE_DIR?"


def test_other_programs_variables_are_none_of_our_business(tmp_path: Path) -> None:
    settings(tmp_path, environ={**GOOD, "ZENDESK_THEME": "x", "OPENAI_ORG": "x", "PATH": "/bin"})


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:9", "https://acme.zendesk.com"],
)
def test_https_or_this_machines_own_loopback_is_accepted(tmp_path: Path, url: str) -> None:
    found = settings(tmp_path, environ={"ZENDESK_URL": url + "/api/v2/", "ZENDESK_OAUTH_TOKEN": "t"})
    assert found.zendesk.base_url == url
    assert found.state_folder.name


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.zendesk.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "acme.example.com",
        "https://",
        "//acme",
        "file:///etc",
        "https://acme.zendesk.com:port",
        "https://acme.zendesk.com:99999",
        "https://[::1",
        "https://bot:secret@acme.zendesk.com",
    ],
)
def test_any_other_address_is_refused(tmp_path: Path, url: str) -> None:
    found = problems(tmp_path, environ={"ZENDESK_URL": url, "ZENDESK_OAUTH_TOKEN": "t"})
    assert found.startswith("ZENDESK_URL: must")


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({}, "no credentials"),
        ({"ZENDESK_EMAIL": "a@example.com"}, "ZENDESK_EMAIL and ZENDESK_API_TOKEN are needed together"),
        ({"ZENDESK_API_TOKEN": "x"}, "ZENDESK_EMAIL and ZENDESK_API_TOKEN are needed together"),
        ({"ZENDESK_OAUTH_CLIENT_ID": "x"}, "ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET are needed"),
        ({"ZENDESK_OAUTH_CLIENT_SECRET": "x"}, "ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET are needed"),
    ],
)
def test_missing_or_half_given_credentials_are_told(tmp_path: Path, environ: dict[str, str], problem: str) -> None:
    assert problem in problems(tmp_path, environ={"ZENDESK_SUBDOMAIN": "acme", **environ})


def test_what_needs_no_helpdesk_needs_no_credentials(tmp_path: Path) -> None:
    assert settings(tmp_path, environ={}, need_helpdesk=False).zendesk.url is None


def test_api_tokens_are_announced_to_end_and_oauth_is_not(tmp_path: Path) -> None:
    basic = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_EMAIL": "a@example.com", "ZENDESK_API_TOKEN": "x"}
    (notice,) = settings(tmp_path, environ=basic).notices
    assert "2027-04-30" in notice
    assert settings(tmp_path, environ={**basic, "ZENDESK_OAUTH_TOKEN": "t"}).notices == ()


def test_a_key_without_a_model_is_pointed_out(tmp_path: Path) -> None:
    (notice,) = settings(tmp_path, environ={**GOOD, "OPENAI_API_KEY": "k"}).notices
    assert "TICKETBOT_MODELS" in notice


def test_the_sites_own_categories_replace_the_default_ones(tmp_path: Path) -> None:
    toml = """
    fallback_category = "other"
    [[categories]]
    name = "pumps"
    description = "Pumps that leak."
    keywords = { en = ["leak"] }
    priority_floor = "high"
    [[categories]]
    name = "other"
    description = "The rest."
    """
    taxonomy = settings(tmp_path, toml).taxonomy
    assert taxonomy.names == ("pumps", "other")
    assert taxonomy.fallback == "other"
    assert taxonomy.categories[0].keywords == {"en": ("leak",)}
    assert "billing" in settings(tmp_path, "log_dir = 'x'").taxonomy.names


def test_a_secret_with_a_dollar_sign_is_taken_as_it_is(tmp_path: Path) -> None:
    found = settings(tmp_path, env="OPENAI_API_KEY=a${HOME}b\n")
    assert found.models.api_key is not None
    assert found.models.api_key.get_secret_value() == "a${HOME}b"


def test_a_file_that_was_named_and_is_not_there_is_told(tmp_path: Path) -> None:
    assert "does not exist" in problems(tmp_path, config=tmp_path / "none.toml")
    assert "does not exist" in problems(tmp_path, environ={**GOOD, "TICKETBOT_CONFIG": str(tmp_path / "none.toml")})


def test_each_account_has_a_state_folder_of_its_own(tmp_path: Path) -> None:
    urls = ("https://a.zendesk.com", "https://b.zendesk.com", "https://b.zendesk.com:444", "http://127.0.0.1:1")
    folders = {
        settings(tmp_path, environ={"ZENDESK_URL": url, "ZENDESK_OAUTH_TOKEN": "t"}).state_folder for url in urls
    }
    assert len(folders) == 4
    chosen = settings(tmp_path, environ={**GOOD, "TICKETBOT_STATE_DIR": str(tmp_path / "s")})
    assert chosen.state_folder == tmp_path / "s"


CATEGORY = '[[categories]]\nname = "{}"\ndescription = "x"\n[[categories]]\nname = "general"\ndescription = "y"\n'


@pytest.mark.parametrize(
    "name", ["processed", "review", "fallback", "escalated", "urgency_high", "urgency_x", "sentiment_negative"]
)
def test_a_category_cannot_be_called_like_a_tag_with_a_meaning(tmp_path: Path, name: str) -> None:
    assert name in problems(tmp_path, CATEGORY.format(name))


def elsewhere(folder: Path, toml: str) -> tuple[Path, Path]:
    """A folder to stand in, and a configuration file in another."""
    here, there = folder / "here", folder / "there"
    here.mkdir()
    there.mkdir()
    (there / "ticketbot.toml").write_text(toml, encoding="utf-8")
    return here, there / "ticketbot.toml"


def test_paths_of_a_file_elsewhere_are_meant_from_its_own_folder_and_the_environments_from_the_current_one(
    tmp_path: Path,
) -> None:
    here, path = elsewhere(tmp_path, 'log_dir = "my-logs"\nstate_dir = "my-state"\n')
    found = load(folder=here, environ=GOOD, config=path)
    assert (found.log_dir, found.state_dir) == (path.parent / "my-logs", path.parent / "my-state")
    environ = {**GOOD, "TICKETBOT_LOG_DIR": "l", "TICKETBOT_STATE_DIR": "s"}
    found = load(folder=here, environ=environ, config=path)
    assert (found.log_dir, found.state_dir) == (Path("l"), Path("s"))


def test_the_name_of_the_file_may_stand_in_env(tmp_path: Path) -> None:
    here, path = elsewhere(tmp_path, "[run]\nworkers = 3\n")
    assert settings(here, env=f"TICKETBOT_CONFIG={path.as_posix()}\n").run.workers == 3


OAUTH = {"ZENDESK_OAUTH_CLIENT_ID": "id", "ZENDESK_OAUTH_CLIENT_SECRET": "secret"}
TOKEN = {"ZENDESK_OAUTH_TOKEN": "t0ken"}
MAIL = {"ZENDESK_EMAIL": "bot@example.com", "ZENDESK_API_TOKEN": "k3y"}


@pytest.mark.parametrize("weak", [OAUTH, TOKEN, MAIL], ids=["weak-client", "weak-token", "weak-mail"])
@pytest.mark.parametrize("strong", [OAUTH, TOKEN, MAIL], ids=["client", "token", "mail"])
def test_a_stronger_source_that_names_one_way_to_sign_in_drops_the_others(
    tmp_path: Path, weak: dict[str, str], strong: dict[str, str]
) -> None:
    env = "".join(f"{name}={value}\n" for name, value in weak.items())
    found = settings(tmp_path, env=env, environ={"ZENDESK_SUBDOMAIN": "acme", **strong}).zendesk
    set_ones = {f"ZENDESK_{name.upper()}" for name in found.model_fields_set if getattr(found, name)}
    assert set_ones - {"ZENDESK_URL"} == set(strong)


@pytest.mark.parametrize("name", ["Acme", "Acme.zendesk.com", "Acme.Zendesk.com"])
def test_an_accounts_name_stays_as_it_is_written_since_the_state_knows_the_account_by_it(
    tmp_path: Path, name: str
) -> None:
    found = settings(tmp_path, environ={**GOOD, "ZENDESK_SUBDOMAIN": name})
    assert (found.desk.base_url, found.state_folder.name) == ("https://Acme.zendesk.com", "acme.zendesk.com")


def test_a_stronger_source_may_complete_what_a_weaker_one_began(tmp_path: Path) -> None:
    environ = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_API_TOKEN": "k3y"}
    found = settings(tmp_path, env="ZENDESK_EMAIL=bot@example.com\n", environ=environ).zendesk
    assert found.email == "bot@example.com"


@for_each("tail", ["\u2019", "\u00e9", "\u200b", "a\tb", "a\nb", "\x7f"])
@for_each("name", ["ZENDESK_OAUTH_TOKEN", "ZENDESK_API_TOKEN", "ZENDESK_OAUTH_CLIENT_SECRET", "OPENAI_API_KEY"])
def test_strange_characters_in_a_credential_are_told_by_its_name_alone(tmp_path: Path, name: str, tail: str) -> None:
    told = problems(tmp_path, environ={**GOOD, **OAUTH, **MAIL, name: CANARY + tail + "x"})
    assert name in told
    assert CANARY not in told


def test_an_empty_list_of_models_overrides_the_file(tmp_path: Path) -> None:
    toml = '[models]\nnames = ["m"]\n'
    assert settings(tmp_path, toml).models.names == ("m",)
    assert settings(tmp_path, toml, environ={**GOOD, "TICKETBOT_MODELS": ""}).models.names == ()


def test_a_server_named_for_one_model_gets_the_key_named_beside_it_and_no_other(tmp_path: Path) -> None:
    toml = """
    [models]
    names = ["near", "far"]
    [models.use.near]
    base_url = "http://127.0.0.1:9/v1"
    [models.use.far]
    base_url = "https://far.example/v1"
    api_key_variable = "FAR_KEY"
    """
    loaded = settings(tmp_path, toml, environ={**GOOD, "FAR_KEY": "far-secret", "OPENAI_API_KEY": "general"})
    assert loaded.models.use["near"].api_key is None
    key = loaded.models.use["far"].api_key
    assert key is not None
    assert key.get_secret_value() == "far-secret"
    assert "far-secret" not in repr(loaded)


def test_a_named_key_that_is_not_set_or_written_into_the_file_is_reported(tmp_path: Path) -> None:
    toml = """
    [models]
    names = ["near"]
    [models.use.near]
    api_key_variable = "NEAR_KEY"
    [models.use.nowhere]
    api_key = "CANARY"
    """
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, toml)
    told = "\n".join(caught.value.problems)
    assert "NEAR_KEY, which is not set" in told
    assert "models.use.nowhere.api_key is a secret" in told
    assert "models.use.nowhere: no such model" in told
    assert "CANARY" not in told


NEAR = "http://127.0.0.1:8000/v1"
FAR = "http://gpu.example:8000/v1"
SAFE = "https://gpu.example/v1"


def _dotted(toml: str) -> str:
    """The same without tables, so that another setting may stand above."""
    table, _, rest = toml.partition("]\n")
    return "\n".join(f"{table[1:]}.{line}" for line in rest.split("\n"))


@pytest.mark.parametrize(
    ("toml", "environ", "told"),
    [
        (f'[models]\nnames = ["m"]\nbase_url = "{FAR}"', {}, ["models.base_url is http"]),
        (f'[models]\nnames = ["m"]\nbase_url = "{FAR}"', {"OPENAI_API_KEY": "k"}, ["models.base_url is http"]),
        ('[models]\nnames = ["m"]', {"OPENAI_BASE_URL": FAR}, ["OPENAI_BASE_URL is http"]),
        (f'[models]\nnames = ["m"]\nuse.m.base_url = "{FAR}"', {}, ["models.use.m.base_url is http"]),
        (
            f'[models]\nnames = ["m", "n"]\nbase_url = "{SAFE}"\nuse.n.base_url = "{FAR}"',
            {},
            ["models.use.n.base_url is http: key and tickets travel unprotected"],
        ),
        (f'[embeddings]\nmodel = "e"\nbase_url = "{FAR}"', {}, ["embeddings.base_url is http: key and tickets"]),
        (f'[models]\nbase_url = "{FAR}"', {}, []),
        (f'[models]\nnames = ["m"]\nbase_url = "{FAR}"\nuse.m.base_url = "{NEAR}"', {}, []),
        (f'[models]\nnames = ["m"]\nbase_url = "{NEAR}"', {}, []),
        (f'[models]\nnames = ["m"]\nbase_url = "{SAFE}"', {}, []),
        (f'[embeddings]\nmodel = "e"\nbase_url = "{NEAR}"', {}, []),
        (f'[embeddings]\nbase_url = "{FAR}"', {}, []),
    ],
)
def test_plain_http_beyond_this_machine_has_to_be_allowed_by_its_setting(
    tmp_path: Path, toml: str, environ: dict[str, str], told: list[str]
) -> None:
    environ = {**GOOD, **environ}
    if told:
        wrong = problems(tmp_path, toml, environ=environ)
        assert told[0].partition(":")[0] in wrong
        assert "set models.allow_plain_http = true" in wrong
        assert "gpu.example" not in wrong
        toml = f"models.allow_plain_http = true\n{_dotted(toml)}"
    notices = settings(tmp_path, toml, environ=environ).notices
    assert [notice[: len(start)] for notice, start in zip(notices, told, strict=True)] == told
    assert "gpu.example" not in str(notices)


@pytest.mark.parametrize("where", ["models.use.m", "embeddings"])
@pytest.mark.parametrize("name", ["ZENDESK_API_TOKEN", "zendesk_api_token", "TICKETBOT_AUDIT_KEY", "ZENDESK_EMAIL"])
def test_no_server_is_sent_what_is_somebody_elses(tmp_path: Path, where: str, name: str) -> None:
    toml = (
        f'models.names = ["m"]\n{where}.model = "m"\n{where}.base_url = "{SAFE}"\n{where}.api_key_variable = "{name}"'
    )
    environ = {**GOOD, name: "CANARY-of-sixteen-letters"}
    told = problems(tmp_path, toml, environ=environ)
    assert f"{where}.api_key_variable names {name}, which this server must not be sent" in told
    assert "CANARY" not in told


def test_a_budget_in_dollars_needs_a_price_for_every_model(tmp_path: Path) -> None:
    toml = "[models]\nnames = ['m']\n[budget]\nday_usd = 1.5\n"
    with pytest.raises(ConfigError, match="no price for m"):
        settings(tmp_path, toml)
    assert settings(tmp_path, toml + "[models.prices]\nm = [0, 0, 0]").budget.day_usd == 1.5


def test_a_process_that_only_asks_models_reads_no_other_settings_and_no_credentials(tmp_path: Path) -> None:
    (tmp_path / "ticketbot.toml").write_text(
        "[zendesk]\nurl = 'acme'\n[portal]\nsmtp_user = 'u'\n[models]\ntimeout_s = 7\n", encoding="utf-8"
    )
    (tmp_path / ".env").write_text(
        "ZENDESK_OAUTH_TOKEN=t\nTICKETBOT_SMTP_PASSWORD=p\nOPENAI_API_KEY=k\n", encoding="utf-8"
    )
    environ = {"FRESHDESK_API_KEY": "f", "TICKETBOT_ALERT_URLS": "json://a.example", "TICKETBOT_MODELS": "m"}
    read = settings(tmp_path, environ=environ, need_helpdesk=False, models_only=True)
    assert read.model_fields_set <= {"models", "notices", "stop_set_by", "lost"}
    assert (read.models.names, read.models.timeout_s) == (("m",), 7)
    assert read.models.api_key is not None


def a_file(folder: Path, name: str, toml: str = "", env: str | None = None) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(toml, "utf-8")
    if env is not None:
        file.with_suffix(".env").write_text(env, "utf-8")
    return file


def token_of(settings: Settings) -> str:
    token = settings.zendesk.oauth_token
    return token.get_secret_value() if token else ""


OTHERS = {"ZENDESK_SUBDOMAIN": "other", "ZENDESK_OAUTH_TOKEN": "others", "OPENAI_API_KEY": "common"}


def test_credentials_beside_a_file_are_its_accounts_and_no_others_reach_it(tmp_path: Path) -> None:
    file = a_file(tmp_path, "acme", '[zendesk]\nurl = "acme"\n', "ZENDESK_OAUTH_TOKEN=mine\n")
    (tmp_path / ".env").write_text("ZENDESK_EMAIL=others@example.com\nTICKETBOT_MODELS=m\n", "utf-8")
    found = load(config=file, environ=OTHERS, folder=tmp_path)
    assert (found.zendesk.base_url, token_of(found)) == ("https://acme.zendesk.com", "mine")
    assert found.zendesk.email is None
    assert found.models.names == ("m",)
    assert found.models.api_key is not None
    assert found.models.api_key.get_secret_value() == "common"

    file.with_suffix(".env").write_text("ZENDESK_OAUTH_TOKEN=mine\nOPENAI_API_KEY=own\n", "utf-8")
    found = load(config=file, environ=OTHERS, folder=tmp_path)
    assert found.models.api_key is not None
    assert found.models.api_key.get_secret_value() == "own"


def test_an_empty_file_beside_it_still_keeps_others_credentials_out(tmp_path: Path) -> None:
    file = a_file(tmp_path, "acme", '[zendesk]\nurl = "acme"\n', "")
    with pytest.raises(ConfigError, match="ZENDESK_OAUTH"):
        load(config=file, environ=OTHERS, folder=tmp_path)
    assert tmp_path / "acme.env" in secret_files(file)
