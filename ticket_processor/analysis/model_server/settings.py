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


class ModelUse(Frozen):
    """What is particular about one model of the list; what is not given here is as for all."""

    model: str | None = Field(None, description="what its server calls it; default: its name in the list")
    preset: Preset | None = None
    base_url: ServerUrl | None = None
    allow_plain_http: bool = Field(False, description="http to a server that is not this machine")
    api_key_variable: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    api_version: str | None = Field(None, description="Azure's, for its older addresses")
    timeout_s: float | None = Field(None, gt=0, le=300)
    max_output_tokens: int | None = Field(None, ge=50, le=4000)
    ticket_tokens: int | None = Field(None, ge=50, le=100_000)
    redaction: RedactionLevel | None = None
    api_key: SecretStr | None = None


class ModelSettings(Frozen):
    """The model server, and which models to try there, in order. No names: keyword rules only.

    A model that is particular has an entry of its own under ``use``: another server, another preset, its own key.
    """

    names: tuple[str, ...] = ()
    preset: Preset = "compatible"
    base_url: ServerUrl | None = None
    allow_plain_http: bool = Field(False, description="http to a server that is not this machine")
    api_key: SecretStr | None = None
    timeout_s: float = Field(30.0, gt=0, le=300)
    max_output_tokens: int = Field(400, ge=50, le=4000)
    ticket_tokens: int = Field(800, ge=50, le=100_000, description="a longer ticket is cut for the model")
    redaction: RedactionLevel = RedactionLevel.STANDARD
    cascade: bool = Field(False, description="an unsure model hands on to the next, stronger one")
    prices: dict[str, tuple[float, float, float]] = Field(
        default_factory=dict, description="US dollars for a million tokens: input, output, cached input"
    )
    use: dict[str, ModelUse] = Field(default_factory=dict)


class BudgetSettings(Frozen):
    """How much models may cost; what is not set has no limit. A day is a UTC day."""

    run_usd: float | None = Field(None, ge=0)
    day_usd: float | None = Field(None, ge=0)
    run_tokens: int | None = Field(None, ge=0)
    day_tokens: int | None = Field(None, ge=0)


class EmbeddingSettings(Frozen):
    """An embedding server, which may be another one than the models'. No model: word overlap does its work."""

    model: str | None = None
    base_url: ServerUrl | None = None
    allow_plain_http: bool = Field(False, description="http to a server that is not this machine")
    api_key_variable: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    timeout_s: float = Field(30.0, gt=0, le=300)
    api_key: SecretStr | None = None
