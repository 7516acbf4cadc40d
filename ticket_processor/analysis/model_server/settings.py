"""Settings of models: which are asked, where, and for how much money.

Kinds of model server, list prices, and the one place where a model's settings become a target.

A preset saves a server a few refused requests; what it does not say is learnt at run time. Behaviour was taken from the
servers themselves; addresses and ports are those of their own documentation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from ...core.errors import ConfigError
from ...core.http import whole_url
from ...core.models import Frozen, Usage
from ...core.text import RedactionLevel


def _server_url(value: str) -> str:
    whole_url(value, "http://127.0.0.1:11434/v1")
    return value


ServerUrl = Annotated[str, AfterValidator(_server_url)]
"""The whole address of a server that speaks OpenAI's protocol."""
Preset = Literal["openai", "azure", "ollama", "vllm", "llama.cpp", "lm-studio", "litellm", "compatible"]


ADVICE_TOKENS = 300
"""Added to the longest answer where models are asked for advice."""


Effort = Literal["none", "minimal", "low", "medium", "high"]


def _without_personal_data(value: object) -> object:
    if value not in (RedactionLevel.STANDARD, RedactionLevel.STRICT):
        raise ValueError('must be "standard" or "strict"; "secrets" was removed: no model needs personal data')
    return value


ModelRedaction = Annotated[
    Literal[RedactionLevel.STANDARD, RedactionLevel.STRICT], BeforeValidator(_without_personal_data)
]


class ModelUse(Frozen):
    """What differs for one model of the list."""

    model: str | None = Field(None, description="the model's name on its server; default: its name in the list")
    preset: Preset | None = Field(None, description="kind of its server; see `docs/understanding.md`")
    base_url: ServerUrl | None = Field(None, description="address of its server; `OPENAI_API_KEY` is not sent there")
    api_key_variable: str | None = Field(
        None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="environment variable that holds its server's key"
    )
    reasoning_effort: Effort | None = Field(
        None, description="how much this model thinks; default: the least on OpenAI and Azure, elsewhere its server's"
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
    redaction: ModelRedaction = Field(
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


OPENAI_URL = "https://api.openai.com/v1"
Price = tuple[float, float, float]


@dataclass(frozen=True)
class Traits:
    """One kind of server.

    ``forms`` are the kinds of ``response_format`` that it may know, and ``prompt`` for none; the others are refused
    without asking it. ``limit`` is the name it knows for the highest number of output tokens.
    """

    base_url: str | None
    needs_key: bool = False
    forms: tuple[str, ...] = ("json_schema", "json_object", "prompt")
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


PRESETS: Mapping[Preset, Traits] = MappingProxyType(
    {
        "openai": Traits(OPENAI_URL, needs_key=True, limit="max_completion_tokens"),
        "azure": Traits(None, needs_key=True, limit="max_completion_tokens"),
        "ollama": Traits("http://127.0.0.1:11434/v1"),
        "vllm": Traits("http://127.0.0.1:8000/v1"),
        "llama.cpp": Traits("http://127.0.0.1:8080/v1"),
        "lm-studio": Traits("http://127.0.0.1:1234/v1", forms=("json_schema", "prompt")),
        "litellm": Traits("http://127.0.0.1:4000/v1"),
        "compatible": Traits(None),
    }
)

ANSWER_TOKENS = 400
"""The longest answer: twice what our questions need; without a limit, an answer that loops is paid to its end."""


@dataclass(frozen=True)
class ModelTarget:
    """One model of the list with everything that a call needs; nothing is looked up elsewhere.

    ``name`` is the name in the list, ``model`` what its server calls it. ``listed`` says that its price
    is the vendor's list price.
    """

    name: str
    model: str
    preset: Preset
    base_url: str
    api_key: str | None = field(repr=False)
    timeout_s: float = 30.0
    max_output_tokens: int = ANSWER_TOKENS
    ticket_tokens: int = 800
    redaction: RedactionLevel = RedactionLevel.STANDARD
    price: Price | None = None
    listed: bool = False
    reasoning_effort: Effort | None = None

    @property
    def extras(self) -> Mapping[str, tuple[object, ...]]:
        """Arguments that not every server takes, with their values, the one to try first in front.

        OpenAI keeps answers of newer accounts unless it is told not to (its guide to the Responses API).
        """
        efforts: tuple[object, ...] = (self.reasoning_effort,) if self.reasoning_effort else ()
        if not efforts and self.preset in ("openai", "azure") and not self.model.startswith(("gpt-3", "gpt-4")):
            efforts = ("none", "minimal")
        return {
            "store": (False,) if self.preset == "openai" else (),
            "reasoning_effort": efforts,
        }

    @property
    def traits(self) -> Traits:
        """The traits of the server's kind."""
        return PRESETS[self.preset]


def resolve(models: ModelSettings, name: str) -> ModelTarget:
    """The target of the model ``name``: what stands under ``models.use`` for it wins over the general settings.

    An entry with a ``base_url``, or with a preset whose servers live elsewhere, is a server of its own and gets the
    key named beside it or none. Raises :class:`ConfigError` where an address or a key is missing. Pure.
    """
    use = models.use.get(name) or ModelUse()
    preset = use.preset or models.preset
    elsewhere = use.preset not in (None, models.preset, "compatible")
    own_server = use.base_url is not None or elsewhere
    key = use.api_key if own_server or use.api_key else models.api_key
    # The general address belongs to another server.
    address = use.base_url if own_server else models.base_url
    listed = list_price(use.model or name, preset)
    target = ModelTarget(
        name=name,
        model=use.model or name,
        preset=preset,
        base_url=_base_url(address, preset if own_server else models.preset, name),
        api_key=key.get_secret_value() if key else None,
        timeout_s=models.timeout_s,
        max_output_tokens=ANSWER_TOKENS + models.advice * ADVICE_TOKENS,
        ticket_tokens=models.ticket_tokens,
        redaction=models.redaction,
        price=models.prices.get(name, listed),
        listed=listed is not None and name not in models.prices,
        reasoning_effort=use.reasoning_effort,
    )
    if target.traits.needs_key and not target.api_key:
        where = f"models.use.{name}.api_key_variable" if own_server else "OPENAI_API_KEY"
        raise ConfigError(f"the model {name} is on a server that wants a key ({preset}): set {where}")
    return target


def targets(models: ModelSettings) -> tuple[ModelTarget, ...]:
    """Every model of the list in its order. Raises one :class:`ConfigError` with all that is missing."""
    found: list[ModelTarget] = []
    problems: list[str] = []
    for name in models.names:
        try:
            found.append(resolve(models, name))
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(*problems)
    return tuple(found)


def _base_url(address: str | None, preset: Preset, name: str) -> str:
    if preset == "azure":
        if address is None:
            raise ConfigError(
                f"the model {name} has the preset azure, which needs a base_url such as https://NAME.openai.azure.com"
            )
        address = address.rstrip("/")
        return address if address.endswith("/openai/v1") else address.removesuffix("/openai") + "/openai/v1"
    return (address or PRESETS[preset].base_url or OPENAI_URL).rstrip("/")


def price_note(models: Sequence[ModelTarget]) -> str:
    """A note beside costs that are computed from list prices; empty where none are."""
    named = ", ".join(target.name for target in models if target.listed)
    return f"list price of {LISTED} for {named}" if named else ""


CACHE_WRITE_SURCHARGE = 0.25
"""What OpenAI charges for input that it puts into its cache, beside the input's price (gpt-5.6 and later)."""


def cost_usd(usage: Usage, price: Price) -> float:
    """The tokens' price in US dollars. What the server reads from its cache, or puts there, has a price of its own."""
    fresh, output, cached = price
    reused = min(usage.cached, usage.input)
    written = min(usage.written, usage.input - reused)
    return (
        (usage.input - reused + written * CACHE_WRITE_SURCHARGE) * fresh + reused * cached + usage.output * output
    ) / 1e6


LISTED = "2026-11-24"
"""The day of the list: what vendors published by then. They change prices and grant discounts, so costs counted by it
say so; ``[models.prices]`` of the settings wins over it."""

LIST_PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "gpt-6-luna": (0.1, 0.5, 0.01),
        "gpt-5.6-luna": (0.2, 1.2, 0.02),
        # Of these, gpt-5, its mini and nano end on 2026-12-11, the gpt-4 models on 2027-01-14.
        "gpt-5": (1.25, 10.0, 0.125),
        "gpt-5-mini": (0.25, 2.0, 0.025),
        "gpt-5-nano": (0.05, 0.4, 0.005),
        "gpt-5.4-mini": (0.75, 4.5, 0.075),
        "gpt-4.1": (2.0, 8.0, 0.5),
        "gpt-4.1-mini": (0.4, 1.6, 0.1),
        "gpt-4o-mini": (0.15, 0.6, 0.075),
        "claude-haiku-4-5": (1.0, 5.0, 0.1),
        "claude-haiku-5-5": (0.1, 0.5, 0.01),
        "claude-sonnet-4-6": (3.0, 15.0, 0.3),
        "claude-sonnet-5-5": (2.0, 10.0, 0.1),
        # gemini-2.5-flash is left out: on 2026-12-01 the name goes over to another model at another price.
        "gemini-2.5-flash-lite": (0.1, 0.4, 0.01),
        # No price for cached input is published.
        "mistral-small-latest": (0.1, 0.3, 0.1),
    }
)
"""US dollars for a million tokens: input, output, cached input. Standard calls with prompts of ordinary length."""

_OWN_SERVERS = ("ollama", "vllm", "llama.cpp", "lm-studio")
_VENDOR = re.compile(r"(?:openai|azure|anthropic|gemini|google|mistral)/")
_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|20\d{6})$")


def list_price(model: str, preset: str = "compatible") -> Price | None:
    """The list price of a model by its vendor's name; ``None`` for an unknown one, and on a server of one's own.

    The vendor before it (``openai/gpt-5-mini``) and the date of its version behind it make no difference.
    """
    if preset in _OWN_SERVERS:
        return None
    return LIST_PRICES.get(_DATED.sub("", _VENDOR.sub("", model, count=1)))
