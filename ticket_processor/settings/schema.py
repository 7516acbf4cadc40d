"""Everything that can be set, with its defaults and limits. Where it comes from is ``config``'s."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from ..analysis.model_server.settings import BudgetSettings, EmbeddingSettings, ModelSettings
from ..core.kill_switch import FILE_NAME as STOP_FILE
from ..core.models import Frozen
from ..core.taxonomy import Category, Taxonomy, default_taxonomy
from ..core.tls import Version as TlsVersion
from ..core.urls import is_loopback, whole_url
from ..policy.decide import RESERVED_TAGS, Policy
from ..policy.skip_rules import HANDS_OFF, SkipSettings, Status

DEFAULT_LOG_DIR = "logs"


class ZendeskSettings(Frozen):
    """Where the account is and how to sign in."""

    subdomain: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")
    url: str | None = None
    source: Literal["auto", "export", "search"] = "auto"
    search_window_hours: float = Field(6, ge=0.5, le=72, description="listings by search go back by so much")
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
        parts = whole_url(value, "https://example.zendesk.com")
        if parts.scheme == "http" and not is_loopback(value):
            raise ValueError("must begin with https:// (http only for this machine's own loopback)")
        return value.rstrip("/").removesuffix("/api/v2")

    @property
    def base_url(self) -> str:
        """The account's address without a path. ``config.load`` has made sure that there is one."""
        return self.url or f"https://{self.subdomain}.zendesk.com"

    def ticket_url(self, ticket_id: int) -> str:
        """Where a person opens the ticket; empty where the settings name no account."""
        return f"{self.base_url}/agent/tickets/{ticket_id}" if self.url or self.subdomain else ""


class CacheSettings(Frozen):
    """How long models' answers are kept for texts that come again. 0 days: not at all."""

    days: int = Field(30, ge=0, le=3650)
    max_answers: int = Field(100_000, ge=1)


class ClassifierSettings(Frozen):
    """The local classifier that ``ticketbot train`` makes; used where it has proved better than the rules."""

    use: bool = True
    folder: Path | None = Field(None, description="default: 'classifier' in the state folder")


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
        if whole_url(url, "https://hc-ping.com/your-uuid").scheme == "http" and not is_loopback(url):
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
    stale_minutes: float | None = Field(
        None, ge=2, le=10_080, description="so long no run may have seen all tickets; default: 4 intervals, or 40"
    )
    day_usd: float | None = Field(None, gt=0, description="what models may cost in a UTC day before it is told")
    escalated: bool = Field(True, description="a message for each run that escalated tickets, with their numbers")
    runbook: str = Field("docs/alerts.md", min_length=1, description="where messages point; '#' and the rule follow")


class SloSettings(Frozen):
    """The objectives that alerts watch over: the success rate, and answers in time; docs/report.md defines both."""

    success: float = Field(0.995, ge=0.5, lt=1)
    latency_s: float = Field(15.0, gt=0)
    latency_share: float = Field(0.95, gt=0, le=1)
    fallback_share: float = Field(0.1, gt=0, le=1, description="unplanned fallback rate of the last six runs")


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


def _small(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


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
    lowest_tls: TlsVersion = Field("1.2", description="of every connection")
    log_level: Annotated[Literal["off", "error", "warning", "info", "debug"], BeforeValidator(_small)] = Field(
        "off", description="what is shown on standard error while a command works"
    )
    state_dir: Path | None = None
    log_dir: Path = Path(DEFAULT_LOG_DIR)
    notices: tuple[str, ...] = ()
    stop_set_by: str | None = Field(None, description="what set the kill switch, if it is a setting that did")
    lost: tuple[str, ...] = Field((), description="a sentence where there are no settings at all, as in a wrong folder")

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
    def account(self) -> str | None:
        """The helpdesk's host, with which all that is shown is headed; ``None`` where the settings name none."""
        parts = urlsplit(self.zendesk.base_url) if self.zendesk.url or self.zendesk.subdomain else None
        return parts and f"{parts.hostname}{f':{parts.port}' if parts.port else ''}"

    @property
    def state_folder(self) -> Path:
        """One folder for each account, so that a cursor never meets the wrong helpdesk."""
        if self.state_dir is not None:
            return self.state_dir
        parts = urlsplit(self.zendesk.base_url)
        host = re.sub(r"[^A-Za-z0-9.-]", "_", f"{parts.hostname}{f'-{parts.port}' if parts.port else ''}")
        return Path(platformdirs.user_state_dir("ticketbot", appauthor=False)) / host
