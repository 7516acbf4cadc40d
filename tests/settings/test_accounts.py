"""Variables beside a configuration file belong to its account alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticket_processor.core.errors import ConfigError
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
