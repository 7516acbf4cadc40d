from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from ticket_processor.analysis.model_server.chat import OpenAIServer
from ticket_processor.analysis.model_server.settings import (
    LIST_PRICES,
    OPENAI_URL,
    PRESETS,
    ModelSettings,
    ModelTarget,
    ModelUse,
    Preset,
    list_price,
    resolve,
)
from ticket_processor.core.errors import ConfigError

from ..servers.scripted import scripted
from ..servers.test_odd_servers import GOOD

GENERAL = SecretStr("general-key")
OWN = SecretStr("own-key")


def settings(use: dict[str, Any] | None = None, **general: Any) -> ModelSettings:
    uses = {"m": ModelUse(**use)} if use is not None else {}
    return ModelSettings(names=("m",), use=uses, **{"api_key": GENERAL, **general})


def test_without_a_word_a_model_lives_on_the_general_server_or_at_openai() -> None:
    assert resolve(settings(), "m").base_url == OPENAI_URL
    target = resolve(settings(base_url="http://gpu.example:8000/v1/"), "m")
    assert (target.base_url, target.api_key, target.model) == ("http://gpu.example:8000/v1", "general-key", "m")
    assert "general-key" not in repr(target)


@given(
    preset=st.sampled_from([None, *get_args(Preset)]),
    general=st.sampled_from(get_args(Preset)),
    own_url=st.sampled_from([None, "https://mine.example/v1"]),
    own_key=st.sampled_from([None, OWN]),
)
def test_the_general_key_goes_to_the_general_server_and_nowhere_else(
    preset: Preset | None, general: Preset, own_url: str | None, own_key: SecretStr | None
) -> None:
    general_url = "https://general.example/v1"
    models = settings({"preset": preset, "base_url": own_url, "api_key": own_key}, preset=general, base_url=general_url)
    try:
        target = resolve(models, "m")
    except ConfigError:  # no target, no key
        return
    at_the_general_server = target.base_url.startswith("https://general.example/")
    assert (target.api_key == "general-key") == (at_the_general_server and own_key is None)


@pytest.mark.parametrize(
    ("models", "named"),
    [
        (settings(preset="openai", api_key=None), "OPENAI_API_KEY"),
        (settings({"preset": "openai"}, base_url="http://127.0.0.1:8000/v1"), r"models\.use\.m\.api_key_variable"),
        (settings(preset="azure"), "base_url"),
    ],
)
def test_a_server_is_not_asked_without_the_key_or_the_address_that_it_needs(models: ModelSettings, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        resolve(models, "m")


@pytest.mark.parametrize("path", ["", "/", "/openai", "/openai/", "/openai/v1", "/openai/v1/"])
def test_azure_is_asked_where_it_speaks_openais_own_protocol(path: str) -> None:
    target = resolve(settings(preset="azure", base_url=f"https://x.openai.azure.com{path}"), "m")
    assert target.base_url == "https://x.openai.azure.com/openai/v1"


def test_the_documentation_lists_every_preset_with_its_address_and_whether_it_wants_a_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "understanding.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z.-]+)` \| (.*\|.*)\|.*\|$", page, re.M))
    for name, traits in PRESETS.items():
        assert (traits.base_url is None) == ("http" not in rows[name])
        assert traits.base_url is None or f"`{traits.base_url}`" in rows[name]
        assert traits.needs_key == ("needed" in rows[name])


# What they are sent


def sent_to(**changes: Any) -> Any:
    with scripted(GOOD) as server:
        base_url = changes.pop("base_url", "{}").format(server.url)
        target = ModelTarget(**{"name": "m", "model": "m", "api_key": "key", "base_url": base_url, **changes})
        chat = OpenAIServer(target, lambda: 5.0)
        chat.complete("m", [{"role": "user", "content": "x"}], {"type": "json_schema", "json_schema": {}})
        chat.close()
        return server.received[0]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_limit_is_always_sent_in_the_name_that_the_server_knows(preset: Preset) -> None:
    body = sent_to(preset=preset, max_output_tokens=321).body
    other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
    assert body[PRESETS[preset].limit] == 321
    assert other[PRESETS[preset].limit] not in body
    assert body["temperature"] == 0


@pytest.mark.parametrize(
    "place",
    [
        {"preset": "compatible"},
        {"preset": "compatible", "api_key": None},
        {"preset": "openai"},
        {"preset": "azure", "base_url": "{}/openai/v1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("authorization", ["Authorization", "authorization"])
def test_headers_of_the_environment_are_told_to_nobody_and_replace_no_key(
    monkeypatch: pytest.MonkeyPatch, place: dict[str, Any], authorization: str
) -> None:
    named = [
        "X-Gateway: gateway-secret",
        f"{authorization}: Bearer environment-secret",
        "api-key: azure-secret",
        "Accept-Encoding: gzip",
        "openai-organization: other-secret",
        "no header",
    ]
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "\n".join(named))
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "environment-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "ad-secret")
    headers = sent_to(**place).headers
    assert "secret" not in json.dumps(dict(headers))
    assert headers["accept-encoding"] == "identity"
    assert headers["authorization"] == f"Bearer {place.get('api_key', 'key') or 'none'}"
    assert "api-key" not in headers


# List prices: for known models, with their date, and never over the settings' own


def priced(**settings: object) -> ModelSettings:
    return ModelSettings.model_validate({"api_key": "k", **settings})


@pytest.mark.parametrize(
    "name", ["gpt-5-mini", "openai/gpt-5-mini", "gpt-5-mini-2025-08-07", "azure/gpt-5-mini-2025-08-07"]
)
def test_a_known_model_has_its_list_price_under_all_its_names(name: str) -> None:
    assert list_price(name) == LIST_PRICES["gpt-5-mini"]


def test_a_server_of_ones_own_costs_what_the_settings_say_whatever_its_model_is_called() -> None:
    assert resolve(priced(names=["gpt-5-mini"], preset="ollama"), "gpt-5-mini").price is None
