"""Settings of several accounts: which variables each gets, and what two must not have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.core import tls
from ticket_processor.core.errors import ConfigError
from ticket_processor.settings.accounts import load_accounts, several
from ticket_processor.settings.load import load, secret_files
from ticket_processor.settings.schema import Settings


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
    file = a_file(tmp_path, "acme", '[zendesk]\nsubdomain = "acme"\n', "ZENDESK_OAUTH_TOKEN=mine\n")
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
    file = a_file(tmp_path, "acme", '[zendesk]\nsubdomain = "acme"\n', "")
    with pytest.raises(ConfigError, match="ZENDESK_OAUTH"):
        load(config=file, environ=OTHERS, folder=tmp_path)
    assert tmp_path / "acme.env" in secret_files(file)


def test_without_such_a_file_the_environment_counts_for_one_account_and_not_for_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in OTHERS.items():
        monkeypatch.setenv(name, text)
    files = [a_file(tmp_path, name, f'log_dir = "logs/{name}"\n') for name in ("acme", "bolt")]
    assert load(config=files[0]).zendesk.base_url == "https://other.zendesk.com"
    assert [each.settings for each in load_accounts(files)] == [None, None]


def test_the_strictest_tls_of_all_holds(tmp_path: Path) -> None:
    before = tls.lowest()
    login = "ZENDESK_OAUTH_TOKEN=t0ken\n"
    files = [
        a_file(
            tmp_path, name, f'log_dir = "logs/{name}"\nlowest_tls = "{version}"\nzendesk.subdomain = "{name}"', login
        )
        for name, version in (("acme", "1.3"), ("bolt", "1.2"))
    ]
    try:
        assert all(each.settings for each in load_accounts(files))
        assert tls.lowest().name == "TLSv1_3"
    finally:
        tls.require("1.3" if before.name == "TLSv1_3" else "1.2")


def test_accounts_of_the_same_file_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name in ("acme", "bolt"):
        (tmp_path / name).mkdir()
    files = [a_file(tmp_path / name, "ticketbot") for name in ("acme", "bolt")]
    assert [each.name for each in load_accounts(files)] == ["acme/ticketbot", "bolt/ticketbot"]


def test_one_file_is_no_several_and_a_file_named_twice_is_refused(tmp_path: Path) -> None:
    file = a_file(tmp_path, "acme")
    assert several(None) == several([file]) == []
    assert several([tmp_path]) == [file]
    with pytest.raises(ConfigError, match=r"acme\.toml is named twice"):
        several([tmp_path, file])
