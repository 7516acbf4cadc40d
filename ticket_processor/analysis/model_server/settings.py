"""Settings of models: which are asked, where, and for how much money."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from ...core.models import Frozen, RedactionLevel
from ...core.urls import whole_url


def _server_url(value: str) -> str:
    whole_url(value, "http://127.0.0.1:11434/v1")
    return value


ServerUrl = Annotated[str, AfterValidator(_server_url)]
"""The whole address of a server that speaks OpenAI's protocol."""
Preset = Literal["openai", "azure", "ollama", "vllm", "llama.cpp", "lm-studio", "litellm", "compatible"]


ADVICE_TOKENS = 300
"""Added to the longest answer where models are asked for advice."""


Effort = Literal["none", "minimal", "low", "medium", "high"]


class ModelUse(Frozen):
    """What differs for one model of the list."""

    model: str | None = Field(None, description="the model's name on its server; default: its name in the list")
    preset: Preset | None = Field(None, description="kind of its server; see `docs/understanding.md`")
    base_url: ServerUrl | None = Field(None, description="address of its server; `OPENAI_API_KEY` is not sent there")
    api_key_variable: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="environment variable that holds its server's key"
    )
    redaction: RedactionLevel | None = Field(None, description="what is replaced before this model sees a ticket")
    reasoning_effort: Effort | None = Field(
        None, description="how much this model thinks; default: the least on OpenAI and Azure, elsewhere its server's"
    )
    service_tier: Literal["flex"] | None = Field(
        None, description="`flex`: OpenAI's cheaper, slower answers, for up to 300 seconds each"
    )
    api_key: SecretStr | None = None


class ModelSettings(Frozen):
    """The model server, and the models to ask there.

    A model that is particular has an entry of its own under ``use``: another server, another preset, its own key.
    """

    names: tuple[str, ...] = Field((), description="models to ask, in this order; none: keyword rules only")
    preset: Preset = Field("compatible", description="kind of server; see `docs/understanding.md`")
    base_url: ServerUrl | None = Field(
        None, description="address of an OpenAI-compatible server, with `/v1`; default: the preset's"
    )
    allow_plain_http: bool = Field(
        False, description="permit unencrypted http beyond this machine, to servers of models and embeddings"
    )
    api_key: SecretStr | None = Field(None, description="key of the model server")
    timeout_s: float = Field(30.0, gt=0, le=300, description="seconds that a request may take")
    ticket_tokens: int = Field(800, ge=50, le=100_000, description="a longer ticket is cut for the model")
    redaction: RedactionLevel = Field(
        RedactionLevel.STANDARD,
        description="what is replaced before a model sees a ticket; see `docs/privacy-and-security.md`",
    )
    advice: bool = Field(
        False, description="also ask for likely cause, steps to try, and whether the first reply will solve it"
    )
    prices: dict[str, tuple[float, float, float]] = Field(
        default_factory=dict,
        description="US dollars for a million tokens of each model: input, output, cached input; default: list prices",
    )
    use: dict[str, ModelUse] = Field(
        default_factory=dict, description="what differs for one model of the list; see below"
    )


class BudgetSettings(Frozen):
    """Limits on what models with a known price may cost; without one there is no limit."""

    run_usd: float | None = Field(None, ge=0, description="most US dollars of a run")
    day_usd: float | None = Field(None, ge=0, description="most US dollars of a UTC day")


LOCAL = "local"
"""In place of an embedding model's name: the one that the extra ``rag-local`` installs."""


class EmbeddingSettings(Frozen):
    """The model that finds articles by meaning; its server may be another one than the models'."""

    model: str | None = Field(
        None,
        min_length=1,
        description="name of the embedding model, or `local`: the one of the extra `rag-local`; none: words alone",
    )
    base_url: ServerUrl | None = Field(None, description="address of its server, with `/v1`")
    api_key_variable: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="environment variable that holds its server's key"
    )
    api_key: SecretStr | None = None
