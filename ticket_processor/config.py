"""Settings from flags, environment, ``.env`` and ``ticketbot.toml``, in this order of precedence.

Every problem is reported at once, each naming its setting; values never appear in a message, since a mistyped
name can hold a secret. Secrets come from the environment or ``.env`` only.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

import dotenv
import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator

from .errors import ConfigError
from .kill_switch import FILE_NAME as STOP_FILE
from .loopback import is_loopback
from .models import Frozen, RedactionLevel
from .policy import RESERVED_TAGS, Policy
from .setting_checks import misfits
from .setting_errors import sentences
from .skip_rules import HANDS_OFF, SkipSettings, Status
from .taxonomy import Category, Taxonomy, default_taxonomy

DEFAULT_FILE = "ticketbot.toml"
DEFAULT_LOG_DIR = "logs"


class ZendeskSettings(Frozen):
    """Where the account is and how to sign in."""

    subdomain: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")
    url: str | None = None
    source: Literal["auto", "export", "search"] = "auto"
    oauth_client_id: str | None = None
    oauth_client_secret: SecretStr | None = None
    oauth_token: SecretStr | None = None
    email: str | None = None
    api_token: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = _whole_url(value, "https://example.zendesk.com")
        if parts.scheme == "http" and not is_loopback(value):
            raise ValueError("must begin with https:// (http only for this machine's own loopback)")
        return value.rstrip("/").removesuffix("/api/v2")

    @property
    def base_url(self) -> str:
        """The account's address without a path. :func:`load` has made sure that there is one."""
        return self.url or f"https://{self.subdomain}.zendesk.com"


def _whole_url(value: str, example: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its message quotes the value
        whole = False
    if not whole or "@" in parts.netloc:
        raise ValueError(f"must be a whole base URL such as {example}")
    return parts


def _server_url(value: str) -> str:
    _whole_url(value, "http://127.0.0.1:11434/v1")
    return value


ServerUrl = Annotated[str, AfterValidator(_server_url)]
"""The whole address of a server that speaks OpenAI's protocol."""
Preset = Literal["openai", "azure", "ollama", "vllm", "llama.cpp", "lm-studio", "litellm", "compatible"]


class ModelUse(Frozen):
    """What is particular about one model of the list; what is not given here is as for all."""

    model: str | None = Field(None, description="what its server calls it; default: its name in the list")
    preset: Preset | None = None
    base_url: ServerUrl | None = None
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


class CacheSettings(Frozen):
    """How long models' answers are kept for texts that come again. 0 days: not at all."""

    days: int = Field(30, ge=0, le=3650)
    max_answers: int = Field(100_000, ge=1)


class ClassifierSettings(Frozen):
    """The local classifier that ``ticketbot train`` makes; used where it has proved better than the rules."""

    use: bool = True
    folder: Path | None = Field(None, description="default: 'classifier' in the state folder")


class EmbeddingSettings(Frozen):
    """An embedding server, which may be another one than the models'. No model: word overlap does its work."""

    model: str | None = None
    base_url: ServerUrl | None = None
    api_key_variable: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    timeout_s: float = Field(30.0, gt=0, le=300)
    api_key: SecretStr | None = None


class AuditSettings(Frozen):
    """The log: how long it is kept, what seals it, and what it is encrypted with. Of keys the first is written with."""

    retention_days: int = Field(365, ge=1, le=3650)
    keys: tuple[Annotated[SecretStr, Field(min_length=16)], ...] = ()
    encryption_keys: tuple[SecretStr, ...] = ()


def apprise_urls(urls: SecretStr | None) -> list[str]:
    """The URLs in a list with commas, which may also stand within a URL."""
    text = urls.get_secret_value() if urls else ""
    return [url for url in re.split(r"[,\s]+(?=[A-Za-z][A-Za-z0-9+.-]*:/)", text.strip(" ,\t\r\n")) if url]


def _apprise_urls(value: SecretStr | None) -> SecretStr | None:
    for number, url in enumerate(apprise_urls(value), start=1):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://?[^\s]+", url):
            raise ValueError(f"the URL no. {number} is none that Apprise knows, such as slack://… or mailtos://…")
    return value


def _heartbeat_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        url = value.get_secret_value()
        if _whole_url(url, "https://hc-ping.com/your-uuid").scheme == "http" and not is_loopback(url):
            raise ValueError("must begin with https:// (http only for this machine's own loopback)")
    return value


AppriseUrls = Annotated[SecretStr | None, AfterValidator(_apprise_urls)]


class AlertSettings(Frozen):
    """Who is told when something is wrong, and from when on; see ``docs/alerts.md``."""

    urls: AppriseUrls = None
    page_urls: AppriseUrls = None
    heartbeat_url: Annotated[SecretStr | None, AfterValidator(_heartbeat_url)] = None
    daily_at: str = Field("07:00", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$", description="of the summary, UTC")
    cool_down_minutes: float = Field(60.0, ge=0, le=1440, description="what comes back so soon is not told again")
    gap_minutes: float = Field(25.0, ge=2, le=10_080, description="a longer gap between runs is told of")
    stale_minutes: float = Field(40.0, ge=2, le=10_080, description="so long a run may not have seen all tickets")
    day_usd: float | None = Field(None, gt=0, description="what models may cost in a UTC day before it is told")
    runbook: str = Field("docs/alerts.md", min_length=1, description="where messages point; '#' and the rule follow")


class SloSettings(Frozen):
    """The objectives that alerts watch over. Shares are of tickets."""

    success: float = Field(0.995, ge=0.5, lt=1)
    alert_below: float = Field(0.99, gt=0, lt=1)
    latency_s: float = Field(15.0, gt=0)
    latency_share: float = Field(0.95, gt=0, le=1)
    fallback_share: float = Field(0.1, gt=0, le=1, description="that no model answered, in the last six runs")


def _says_stop(text: str) -> bool:
    """In the environment anything but a clear no stops: whoever reaches for this switch may be in a hurry."""
    return text.lower() not in ("0", "false", "no", "off")


class RunSettings(Frozen):
    """How a run goes about its work."""

    workers: int = Field(8, ge=1, le=500)
    deadline_s: float = Field(540.0, ge=10, le=86_400)
    analysis_timeout_s: float = Field(90.0, gt=0)
    limit_share: float = Field(0.5, gt=0, le=1, description="share of the helpdesk's rate limits that we may use")
    stable_read_s: float = Field(6.0, ge=1, le=60)
    max_attempts: int = Field(5, ge=1, le=100)
    retriage_on_reply: bool = Field(False, description="triage again when the customer answers")
    write_mode: Literal["auto", "single", "batch"] = Field(
        "auto", description="one update after the other, jobs of a hundred, or whichever fits"
    )
    verify_sample: int = Field(20, ge=0, le=10_000, description="writes of a run that are read back at its end")
    statuses: tuple[Status, ...] = ("new", "open")
    wait_minutes: float = Field(0.0, ge=0, le=1440, description="head start of people, from a ticket's creation")
    canary_percent: float = Field(100.0, ge=0, le=100, description="share of the tickets that is handled")
    min_free_mb: int = Field(
        50, ge=0, le=10_000_000, description="with less room on the disk of the log or the state nothing is changed"
    )
    stop: bool = Field(False, description="the kill switch")
    stop_file: Path | None = Field(None, description="another; default: 'STOP' in the state folder")


def _no_tag_of_ours(category: Category) -> Category:
    if category.name in RESERVED_TAGS or category.name.startswith(("urgency_", "sentiment_")):
        raise ValueError(f"'{category.name}' is the name of a tag with a meaning of its own; choose another")
    return category


SiteCategory = Annotated[Category, AfterValidator(_no_tag_of_ours)]


class Settings(Frozen):
    """Everything a run needs to know."""

    zendesk: ZendeskSettings = ZendeskSettings()
    models: ModelSettings = ModelSettings()
    run: RunSettings = RunSettings()
    skip: SkipSettings = SkipSettings()
    policy: Policy = Policy()
    budget: BudgetSettings = BudgetSettings()
    cache: CacheSettings = CacheSettings()
    classifier: ClassifierSettings = ClassifierSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    audit: AuditSettings = AuditSettings()
    alerts: AlertSettings = AlertSettings()
    slo: SloSettings = SloSettings()
    categories: tuple[SiteCategory, ...] | None = None
    fallback_category: str = "general"
    entities: dict[str, str] = Field(
        default_factory=dict, description="what to pick out of a ticket: a name, and what it means"
    )
    team_language: str = Field("en", pattern=r"^[a-z]{2,3}$", description="in which summaries are written")
    state_dir: Path | None = None
    log_dir: Path = Path(DEFAULT_LOG_DIR)
    notices: tuple[str, ...] = ()
    stop_set_by: str | None = Field(None, description="what set the kill switch, if it is a setting that did")

    @field_validator("entities")
    @classmethod
    def _few_and_named(cls, value: dict[str, str]) -> dict[str, str]:
        if len(value) > 12:
            raise ValueError("at most 12: each makes every prompt longer")
        for name in value:
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
                raise ValueError(f"'{name}' is no name for an entity: use small letters, digits and _")
        return value

    @property
    def stop_file(self) -> Path:
        """The file whose presence stops every run."""
        return self.run.stop_file or self.state_folder / STOP_FILE

    @property
    def hands_off_tag(self) -> str:
        """The tag on a ticket that is never touched."""
        return self.skip.hands_off_tag or self.policy.tag(HANDS_OFF)

    @property
    def classifier_folder(self) -> Path:
        """Where the trained classifier is kept."""
        return self.classifier.folder or self.state_folder / "classifier"

    @property
    def taxonomy(self) -> Taxonomy:
        """The site's categories, or the default ones."""
        if self.categories is None:
            return default_taxonomy()
        return Taxonomy(categories=self.categories, fallback=self.fallback_category)

    @property
    def state_folder(self) -> Path:
        """One folder for each account, so that a cursor never meets the wrong helpdesk."""
        if self.state_dir is not None:
            return self.state_dir
        parts = urlsplit(self.zendesk.base_url)
        host = re.sub(r"[^A-Za-z0-9.-]", "_", f"{parts.hostname}{f'-{parts.port}' if parts.port else ''}")
        return Path(platformdirs.user_state_dir("ticketbot", appauthor=False)) / host


@dataclass(frozen=True)
class Variable:
    """An environment variable: where its value goes, and whether it is a secret, a list, or the kill switch."""

    path: tuple[str, ...]
    meaning: str
    secret: bool = False
    many: bool = False
    switch: bool = False

    def value(self, text: str) -> object:
        """What ``text`` stands for."""
        if self.many:
            return [item.strip() for item in text.split(",") if item.strip()]
        return _says_stop(text) if self.switch else text


VARIABLES: Mapping[str, Variable] = {
    "ZENDESK_SUBDOMAIN": Variable(("zendesk", "subdomain"), "the name before .zendesk.com"),
    "ZENDESK_URL": Variable(("zendesk", "url"), "whole base URL, instead of the subdomain"),
    "ZENDESK_OAUTH_CLIENT_ID": Variable(("zendesk", "oauth_client_id"), "OAuth client's unique identifier"),
    "ZENDESK_OAUTH_CLIENT_SECRET": Variable(
        ("zendesk", "oauth_client_secret"), "its secret; tokens are fetched and renewed with it", secret=True
    ),
    "ZENDESK_OAUTH_TOKEN": Variable(("zendesk", "oauth_token"), "an OAuth access token made elsewhere", secret=True),
    "ZENDESK_EMAIL": Variable(("zendesk", "email"), "agent's e-mail, with an API token"),
    "ZENDESK_API_TOKEN": Variable(("zendesk", "api_token"), "API token; Zendesk ends these on 2027-04-30", secret=True),
    "OPENAI_API_KEY": Variable(("models", "api_key"), "key of the model server", secret=True),
    "OPENAI_BASE_URL": Variable(("models", "base_url"), "address of any OpenAI-compatible server, with /v1"),
    "TICKETBOT_MODELS": Variable(
        ("models", "names"), "models to try in order, comma-separated; empty: keyword rules only", many=True
    ),
    "TICKETBOT_STATE_DIR": Variable(("state_dir",), "folder for cursor, open intents and retry list"),
    "TICKETBOT_LOG_DIR": Variable(("log_dir",), "folder for receipts"),
    "TICKETBOT_AUDIT_KEY": Variable(
        ("audit", "keys"),
        "what seals the log, of 16 characters or more; older ones after a comma",
        secret=True,
        many=True,
    ),
    "TICKETBOT_AUDIT_ENCRYPTION_KEYS": Variable(
        ("audit", "encryption_keys"),
        "encrypts the log: 32 bytes in base64; older ones after a comma",
        secret=True,
        many=True,
    ),
    "TICKETBOT_ALERT_URLS": Variable(
        ("alerts", "urls"),
        "where alerts go: Apprise URLs (Slack, Teams, mail, PagerDuty, …), comma-separated",
        secret=True,
    ),
    "TICKETBOT_PAGE_URLS": Variable(
        ("alerts", "page_urls"), "the same for who is woken up: critical alerts only", secret=True
    ),
    "TICKETBOT_HEARTBEAT_URL": Variable(
        ("alerts", "heartbeat_url"),
        "pinged by each run, so that one that never began is noticed elsewhere",
        secret=True,
    ),
    "TICKETBOT_STOP": Variable(
        ("run", "stop"), "the kill switch: anything but 0, false, no and off stops every run", switch=True
    ),
}
"""The environment variables that hold settings. ``TICKETBOT_CONFIG`` names the file and is read before these."""

CONFIG_VARIABLE = "TICKETBOT_CONFIG"
_ALTERNATIVES = (
    (("url",), ("subdomain",)),
    (("oauth_client_id", "oauth_client_secret"), ("oauth_token",), ("email", "api_token")),
)


def load(
    *,
    config: Path | None = None,
    flags: Mapping[tuple[str, ...], object] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    need_helpdesk: bool = True,
) -> Settings:
    """The settings for a run. ``flags`` maps setting paths to values from the command line.

    Raises :class:`ConfigError` with every problem found.
    """
    environ = os.environ if environ is None else environ
    folder = Path.cwd() if folder is None else folder
    problems: list[str] = []
    notices: list[str] = []
    origin: dict[tuple[str, ...], str] = {}

    here = _read_env(folder / ".env", problems)
    path = config or _configured({**here, **environ}, folder)
    data = _read_toml(path, problems) if path else {}
    if path:
        _no_secrets_in(data, path.name, problems)
        for name in ("notices", "stop_set_by"):
            if data.pop(name, None) is not None:
                problems.append(f"{name} in the configuration file is no setting")
    env_file = (path.parent if path else folder) / ".env"
    from_file = here if env_file == folder / ".env" else _read_env(env_file, problems)
    base = path.parent if path else folder
    if base.resolve() != folder.resolve():
        # Cron and Task Scheduler start anywhere; the file's own folder is what its paths are meant from.
        for name in ("state_dir", "log_dir"):
            named = data.get(name, DEFAULT_LOG_DIR if name == "log_dir" else None)
            if isinstance(named, str):
                data[name] = base / named
        for part, name in (("classifier", "folder"), ("run", "stop_file")):
            table = data.get(part)
            if isinstance(table, dict) and isinstance(table.get(name), str):
                table[name] = base / table[name]
    for source, where in ((from_file, " (in .env)"), (environ, "")):
        problems.extend(_unknown_names(source))
        _drop_weaker_alternatives(data, source)
        for name, variable in VARIABLES.items():
            text = source.get(name, "").strip()
            if text or (variable.many and name in source):  # an empty list is a wish too
                _put(data, variable.path, variable.value(text))
                origin[variable.path] = name + where
    problems.extend(_put_named_keys(data, {**from_file, **environ}))
    for flag, value in (flags or {}).items():
        if value is not None:
            _put(data, flag, value)
            origin[flag] = "--" + flag[-1].replace("_", "-")

    settings: Settings | None = None
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        problems.extend(sentences(error.errors(include_input=False, include_url=False), origin))
    problems.extend(misfits(data))
    problems.extend(_strange_credentials(data, origin))
    zendesk = settings.zendesk if settings else _zendesk_alone(data)
    if need_helpdesk and zendesk is not None:
        _check_helpdesk(zendesk, problems, notices)
    if settings is not None:
        unnamed = not settings.models.names and ("models", "names") not in (flags or {})
        if settings.models.api_key and unnamed:
            notices.append("OPENAI_API_KEY is set, but TICKETBOT_MODELS names no model: keyword rules only")
        notices.extend(_unprotected(settings, origin))
        if settings.policy.tiers.groups and settings.policy.preset != "tiers":
            notices.append('policy.tiers.groups is not used: that needs policy.preset = "tiers"')
    if problems or settings is None:
        raise ConfigError(*dict.fromkeys(problems))
    stop_set_by = None
    if settings.run.stop:
        stop_set_by = origin.get(("run", "stop"), f"run.stop in {path.name if path else DEFAULT_FILE}")
    return settings.model_copy(update={"notices": tuple(notices), "stop_set_by": stop_set_by})


def _unprotected(settings: Settings, origin: Mapping[tuple[str, ...], str]) -> list[str]:
    """Model servers of private networks often have no https: that is allowed, and told."""
    models, embeddings = settings.models, settings.embeddings
    bare: dict[str, bool] = {}
    for name in models.names:
        use = models.use.get(name) or ModelUse()
        where, address = f"models.use.{name}.base_url", use.base_url
        if address is None and use.preset in (None, models.preset, "compatible"):
            where, address = origin.get(("models", "base_url"), "models.base_url"), models.base_url
        if _is_bare(address):
            level = use.redaction or models.redaction
            bare[where] = bare.get(where, False) or level is RedactionLevel.SECRETS
    notices = [
        f"{where} is http: key and tickets travel unprotected"
        + (', personal data included, since redaction is "secrets"' if personal else "")
        for where, personal in bare.items()
    ]
    if embeddings.model and _is_bare(embeddings.base_url):
        notices.append("embeddings.base_url is http: key and texts travel unprotected")
    return notices


def _is_bare(url: str | None) -> bool:
    return url is not None and urlsplit(url).scheme == "http" and not is_loopback(url)


def _put_named_keys(data: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Fill in the keys whose variables the file names. Whoever has a server of its own gets no other server's key."""
    problems = []
    tables = {"embeddings": data.get("embeddings")}
    models = data.get("models")
    uses = models.get("use") if isinstance(models, dict) else None
    if isinstance(uses, dict):
        tables |= {f"models.use.{name}": table for name, table in uses.items()}
    for where, table in tables.items():
        if not isinstance(table, dict):
            continue
        if "api_key" in table:
            problems.append(f"{where}.api_key is a secret: name its environment variable in api_key_variable instead")
        variable = table.get("api_key_variable")
        if not isinstance(variable, str):
            continue
        key = environ.get(variable, "").strip()
        if not key:
            # Without vectors most commands are whole: whoever wants some is told then.
            if where != "embeddings":
                problems.append(f"{where}.api_key_variable names {variable}, which is not set")
        elif not (key.isascii() and key.isprintable()):
            problems.append(f"{variable}: holds characters that belong into no address or credential")
        else:
            table["api_key"] = key
    return problems


def _drop_weaker_alternatives(data: dict[str, Any], source: Mapping[str, str]) -> None:
    """A stronger source that names an account, or one way to sign in, does away with a weaker one's other way."""
    table = data.get("zendesk")
    if not isinstance(table, dict):
        return
    named = {VARIABLES[name].path[-1] for name in VARIABLES if source.get(name, "").strip()}
    kept = dict(table)
    for group in _ALTERNATIVES:
        if any(named.intersection(alternative) for alternative in group):
            for alternative in group:
                if not named.intersection(alternative):
                    for name in alternative:
                        kept.pop(name, None)
    data["zendesk"] = kept


def _strange_credentials(data: Mapping[str, Any], origin: Mapping[tuple[str, ...], str]) -> list[str]:
    """Credentials travel in HTTP headers, which hold no other characters; the error there would quote them."""
    problems = []
    for path, where in origin.items():
        table = data.get(path[0])
        value = table.get(path[-1]) if isinstance(table, dict) else None
        if (
            path[0] in ("zendesk", "models")
            and isinstance(value, str)
            and not (value.isascii() and value.isprintable())
        ):
            problems.append(f"{where}: holds characters that belong into no address or credential")
    return problems


def _zendesk_alone(data: Mapping[str, Any]) -> ZendeskSettings | None:
    """The helpdesk's settings when others are wrong, so that what is missing there is told as well."""
    try:
        return ZendeskSettings.model_validate(data.get("zendesk", {}))
    except ValidationError:
        return None


def _check_helpdesk(zendesk: ZendeskSettings, problems: list[str], notices: list[str]) -> None:
    if not zendesk.url and not zendesk.subdomain:
        problems.append("ZENDESK_SUBDOMAIN or ZENDESK_URL is missing: which account is it?")
    client = (zendesk.oauth_client_id, zendesk.oauth_client_secret)
    basic = (zendesk.email, zendesk.api_token)
    if any(client) and not all(client):
        problems.append("ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET are needed together")
    elif not any(client) and not zendesk.oauth_token:
        if any(basic) and not all(basic):
            problems.append("ZENDESK_EMAIL and ZENDESK_API_TOKEN are needed together")
        elif not any(basic):
            problems.append(
                "no credentials: set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET (best), or "
                "ZENDESK_OAUTH_TOKEN, or ZENDESK_EMAIL and ZENDESK_API_TOKEN"
            )
        else:
            notices.append(
                "Zendesk API tokens stop working on 2027-04-30: create an OAuth client and set "
                "ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET instead"
            )


def config_file(
    *, config: Path | None = None, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Path | None:
    """The configuration file that :func:`load` reads when it is asked the same way; it need not be there."""
    folder = Path.cwd() if folder is None else folder
    here = _read_env(folder / ".env", [])
    return config or _configured({**here, **(os.environ if environ is None else environ)}, folder)


def _configured(environ: Mapping[str, str], folder: Path) -> Path | None:
    named = environ.get(CONFIG_VARIABLE, "").strip()
    if named:
        return Path(named)
    default = folder / DEFAULT_FILE
    return default if default.is_file() else None


def _read_toml(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        problems.append(f"the configuration file {path} does not exist; 'ticketbot init' writes one")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"the configuration file {path} cannot be read ({type(error).__name__})")
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at .*\)$", str(error))
        problems.append(f"{path} is not valid TOML {where.group(0) if where else ''}".rstrip())
    return {}


def _read_env(path: Path, problems: list[str]) -> dict[str, str]:
    try:
        # A secret may hold "${": it is taken as it is.
        found = dotenv.dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} cannot be read ({type(error).__name__})")
        return {}
    return {name: value or "" for name, value in found.items()}


def _no_secrets_in(data: dict[str, Any], file: str, problems: list[str]) -> None:
    for name, variable in VARIABLES.items():
        table: Any = data
        for part in variable.path[:-1]:
            table = table.get(part) if isinstance(table, dict) else None
        if variable.secret and isinstance(table, dict) and variable.path[-1] in table:
            problems.append(f"{'.'.join(variable.path)} in {file} is a secret: put it into {name} or .env")


def _unknown_names(source: Mapping[str, str]) -> list[str]:
    known = [*VARIABLES, CONFIG_VARIABLE]
    problems = []
    for name in source:
        if name.startswith("TICKETBOT_") and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            problems.append(f"{name} is no setting" + (f"; did you mean {close[0]}?" if close else ""))
    return problems


def _put(data: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for part in path[:-1]:
        inner = data.get(part)
        data[part] = inner = dict(inner) if isinstance(inner, dict) else {}
        data = inner
    data[path[-1]] = value
