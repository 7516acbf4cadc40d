"""Everything that can be set, with its defaults and limits. Where it comes from is ``config``'s."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from ..analysis.model_server.settings import BudgetSettings, EmbeddingSettings, ModelSettings
from ..core.http import TlsVersion, safe_url
from ..core.models import Frozen
from ..core.reasons import HANDS_OFF
from ..core.taxonomy import Category, Taxonomy, default_taxonomy
from ..helpdesk.protocol import HelpdeskKind, Shard
from ..knowledge.model import KnowledgeSettings
from ..policy.decide import RESERVED_TAGS, Mode, Policy
from ..policy.skip_rules import SkipSettings, Status
from ..replies.settings import ReplySettings
from .helpdesks import (
    LOCAL_FILE,
    AccountSettings,
    FreshdeskSettings,
    LocalSettings,
    RequestTrackerSettings,
    ZendeskSettings,
)
from .pages import DashboardSettings, PortalServerSettings

DEFAULT_LOG_DIR = "logs"
LEARNING_STORE = "learning.sqlite3"
"""The learning store's file in the state folder."""
FEWEST_EXAMPLES = 4
"""With fewer, one label's half of them is a single one."""


class CacheSettings(Frozen):
    """Models' answers for texts that come again."""

    days: int = Field(30, ge=0, le=3650, description="days that an answer is kept; 0 keeps none")


class AuditSettings(Frozen):
    """How long the log is kept, and its keys. The first key of a list writes, all of them read."""

    retention_days: int = Field(365, ge=1, le=3650, description="days after which a day of the log is deleted")
    keys: tuple[Annotated[SecretStr, Field(min_length=16)], ...] = Field(
        (), description="keys that seal the log, of 16 characters or more; default: `audit.key` in the state folder"
    )
    encryption_keys: tuple[SecretStr, ...] = Field(
        (), description="keys that encrypt the log: 32 bytes in base64, the one to write with first"
    )


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
        safe_url(value.get_secret_value(), "https://hc-ping.com/your-uuid")
    return value


def _trusted(value: tuple[str, ...]) -> tuple[str, ...]:
    """Each is one address, or a private network: whoever is believed can name any client, and so lift every limit."""
    for text in value:
        try:
            network = ip_network(text)
        except ValueError:
            raise ValueError(f"{text} is no IP address, and no network such as 10.0.0.0/8") from None
        if network.num_addresses > 1 and not network.is_private:
            raise ValueError(f"{text}: anybody there could claim any address; write the proxy's own address")
    return value


ServeSecrets = tuple[Annotated[SecretStr, Field(min_length=16)], ...]
AppriseUrls = Annotated[SecretStr | None, AfterValidator(_apprise_urls)]


class AlertSettings(Frozen):
    """Who receives alerts, and when; see ``docs/alerts.md``."""

    urls: AppriseUrls = Field(
        None,
        description="Apprise URLs (Slack, Teams, mail, PagerDuty, …) that receive every alert and the daily summary",
    )
    page_urls: AppriseUrls = Field(None, description="Apprise URLs that receive critical alerts only")
    heartbeat_url: Annotated[SecretStr | None, AfterValidator(_heartbeat_url)] = Field(
        None, description="address that each run pings, so that runs which never start are noticed"
    )
    daily_at: str = Field(
        "07:00", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$", description="time of the daily summary, UTC; empty for none"
    )
    escalated: bool = Field(True, description="send one message for each run that escalated tickets")


class SloSettings(Frozen):
    """Objectives: the success rate, and answers in time; ``docs/report-figures.md`` defines both."""

    success: float = Field(0.995, ge=0.5, lt=1, description="success rate of a month")
    latency_s: float = Field(15.0, gt=0, description="seconds within which an answer counts as in time")
    latency_share: ClassVar[float] = 0.95
    """The share of answers that should be in time. The few that are late are long tickets, and a busy model's."""
    fallback_share: ClassVar[float] = 0.1
    """The highest good unplanned fallback rate of the last six runs: more is no passing trouble of a model."""


class ServeSettings(Frozen):
    """The secrets of ``ticketbot serve``, of 16 characters or more, and its proxies. Of a list each one is accepted.

    The token of ``ticketbot mcp`` has 32 characters or more.
    """

    zendesk_secrets: ServeSecrets = Field((), description="signing secrets of the Zendesk webhook")
    freshdesk_secrets: ServeSecrets = Field((), description="what the Freshdesk rule sends in `X-Ticketbot-Secret`")
    api_tokens: ServeSecrets = Field((), description="bearer tokens for `/process-ticket`")
    mcp_tokens: tuple[Annotated[SecretStr, Field(min_length=32)], ...] = Field(
        (), description="bearer tokens for `ticketbot mcp` over HTTP, of 32 characters or more"
    )
    proxies: Annotated[tuple[str, ...], AfterValidator(_trusted)] = Field(
        (), description="addresses of reverse proxies whose `X-Forwarded-*` `serve` and `portal` believe"
    )


class RunSettings(Frozen):
    """How a run works."""

    workers: int = Field(8, ge=1, le=500, description="analyses at the same time")
    deadline_s: float = Field(
        540.0, ge=10, le=86_400, description="seconds after which a run ends; the rest waits for the next run"
    )
    limit_share: float = Field(
        0.5, gt=0, le=1, description="share of the helpdesk's rate limits that ticketbot may use"
    )
    shard: Annotated[str, AfterValidator(lambda text: str(Shard.parse(text)))] | None = Field(
        None, description="the part of tickets, limits and daily budget that this driver takes, such as `1/3`"
    )
    retriage_on_reply: bool = Field(False, description="triage again when the customer answers")
    write_mode: Literal["auto", "single", "batch"] = Field(
        "auto", description="one update at a time, jobs of up to a hundred, or whichever fits"
    )
    statuses: tuple[Status, ...] = Field(("new", "open"), description="a ticket in any other status is left alone")
    wait_minutes: float = Field(0.0, ge=0, le=1440, description="people's head start: a younger ticket waits")
    canary_percent: float = Field(
        100.0, ge=0, le=100, description="percentage of tickets that are handled, always the same ones"
    )
    stop: bool = Field(False, description="the kill switch: stops every run; the variable by anything but a no")


def _none_or_enough(number: int) -> int:
    if 0 < number < FEWEST_EXAMPLES:
        raise ValueError(f"must be 0, or {FEWEST_EXAMPLES} to 6")
    return number


class LearningSettings(Frozen):
    """What is used of what people made of our labels; see `docs/learning.md`."""

    examples: Annotated[int, AfterValidator(_none_or_enough)] = Field(
        0, ge=0, le=6, description="approved examples of similar tickets in a prompt, 4 to 6; 0: none"
    )


def _no_tag_of_ours(category: Category) -> Category:
    if category.name in RESERVED_TAGS or category.name.startswith(("urgency_", "sentiment_")):
        raise ValueError(f"'{category.name}' is the name of a tag with a meaning of its own; choose another")
    return category


def _small(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


SiteCategory = Annotated[Category, AfterValidator(_no_tag_of_ours)]


def _configured(known: dict[str, Any]) -> HelpdeskKind:
    """The helpdesk that has an account in the settings or, where neither has one, credentials."""
    zendesk, freshdesk = known.get("zendesk", ZendeskSettings()), known.get("freshdesk", FreshdeskSettings())
    if zendesk.named or freshdesk.named:
        return "zendesk" if zendesk.named else "freshdesk"
    return "freshdesk" if freshdesk.api_key and not zendesk.credentials else "zendesk"


class Settings(Frozen):
    """Everything a run needs to know."""

    zendesk: ZendeskSettings = ZendeskSettings()
    freshdesk: FreshdeskSettings = FreshdeskSettings()
    request_tracker: RequestTrackerSettings = RequestTrackerSettings()
    local: LocalSettings = LocalSettings()
    helpdesk: HelpdeskKind = Field(
        default_factory=_configured,
        description="which helpdesk it is; needed for `local`, and where two are configured",
    )
    models: ModelSettings = ModelSettings()
    run: RunSettings = RunSettings()
    skip: SkipSettings = SkipSettings()
    policy: Policy = Policy()
    budget: BudgetSettings = BudgetSettings()
    cache: CacheSettings = CacheSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    replies: ReplySettings = ReplySettings()
    learning: LearningSettings = LearningSettings()
    audit: AuditSettings = AuditSettings()
    alerts: AlertSettings = AlertSettings()
    slo: SloSettings = SloSettings()
    serve: ServeSettings = ServeSettings()
    dashboard: DashboardSettings = DashboardSettings()
    portal: PortalServerSettings = PortalServerSettings()
    categories: tuple[SiteCategory, ...] | None = Field(None, description="your own categories; see below")
    fallback_category: str = Field("general", description="the category for whatever fits nowhere else")
    entities: dict[str, str] = Field(
        default_factory=dict, description="what models find in a ticket, by name, with its meaning; at most 12"
    )
    team_language: str = Field("en", pattern=r"^[a-z]{2,3}$", description="language code of the summaries")
    lowest_tls: TlsVersion = Field("1.2", description="lowest TLS version of https connections")
    log_level: Annotated[Literal["off", "error", "warning", "info", "debug"], BeforeValidator(_small)] = Field(
        "off", description="messages on standard error: `info` adds decisions, `debug` requests"
    )
    state_dir: Path | None = Field(
        None, description="folder for cursor, open intents and retry list; default: one for each account"
    )
    log_dir: Path = Field(Path(DEFAULT_LOG_DIR), description="the folder of the log")
    use_classifier: bool = Field(True, description="false where models are compared: nothing trained stands in")
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
    def hands_off_tag(self) -> str:
        """The tag on a ticket that is never touched."""
        return self.policy.tag(HANDS_OFF)

    @property
    def classifier_folder(self) -> Path:
        """Where the trained classifier is kept."""
        return self.state_folder / "classifier"

    @property
    def shard(self) -> Shard | None:
        """The part of the account's tickets that is this driver's; ``None``: all."""
        return None if self.run.shard is None else Shard.parse(self.run.shard)

    @property
    def taxonomy(self) -> Taxonomy:
        """The site's categories, or the default ones."""
        if self.categories is None:
            return default_taxonomy()
        return Taxonomy(categories=self.categories, fallback=self.fallback_category)

    @property
    def desk(self) -> AccountSettings:
        """The account of the chosen helpdesk."""
        account: AccountSettings = getattr(self, self.helpdesk.replace("-", "_"))
        return self.local_account if self.helpdesk == "local" else account

    @property
    def local_account(self) -> LocalSettings:
        """The local helpdesk with its file, which lies beside the state folder unless the settings say where."""
        beside = self.state_dir.absolute().parent if self.state_dir is not None else _user_state()
        return self.local.model_copy(update={"path": self.local.path or beside / LOCAL_FILE})

    @property
    def account(self) -> str | None:
        """The helpdesk's host, with which all that is shown is headed; ``None`` where the settings name none."""
        parts = urlsplit(self.desk.base_url) if self.desk.named else None
        return parts and f"{parts.hostname}{f':{parts.port}' if parts.port else ''}"

    def ticket_url(self, ticket_id: int) -> str:
        """Where a person opens the ticket; empty where the settings name no account, or no address of the portal."""
        if self.helpdesk == "local" and self.portal.url:
            return f"{self.portal.url}/admin/tickets/{ticket_id}"
        return self.desk.ticket_url(ticket_id)

    @property
    def policy_here(self) -> Policy:
        """The policy as this helpdesk takes it: where nothing guards a status, only people solve tickets."""
        if self.desk.can.solves or self.policy.thanks_keep_solved is not Mode.APPLY:
            return self.policy
        return self.policy.model_copy(update={"thanks_keep_solved": Mode.SUGGEST})

    @property
    def state_folder(self) -> Path:
        """One folder for each account, so that a cursor never meets the wrong helpdesk."""
        if self.state_dir is not None:
            return self.state_dir
        parts = urlsplit(self.desk.base_url)
        host = re.sub(r"[^A-Za-z0-9.-]", "_", f"{parts.hostname}{f'-{parts.port}' if parts.port else ''}")
        return _user_state() / host


def _user_state() -> Path:
    return Path(platformdirs.user_state_dir("ticketbot", appauthor=False))
