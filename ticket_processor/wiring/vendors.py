"""What is each helpdesk's own, a row for each: signing in, limits, client, labels, people, webhooks, seeding.

A new helpdesk is its files in ``helpdesk/``, its account in ``settings/helpdesks.py``, and a row here. What the local
helpdesk and seeding need is loaded where it is asked for: most runs need nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic import SecretStr

from ..core.clock import Clock
from ..core.errors import ConfigError
from ..core.models import Ticket
from ..freshdesk import Freshdesk
from ..helpdesk import freshdesk_format, freshdesk_reads, request_tracker_reads, zendesk_format, zendesk_reads
from ..helpdesk.http_messages import Reply
from ..helpdesk.protocol import (
    AccountLabels,
    BusinessRule,
    HelpArticle,
    Helpdesk,
    IsUnchanged,
    Requesters,
    Rights,
    Webhook,
)
from ..helpdesk.request_tracker import RequestTracker
from ..helpdesk.request_tracker_format import Shape
from ..helpdesk.transport import Auth, FetchedAuth, Limit, Transport
from ..settings.helpdesks import FreshdeskSettings, LocalSettings, RequestTrackerSettings, ZendeskSettings
from ..settings.schema import ServeSettings, Settings
from ..state.store import State
from ..zendesk import Zendesk

if TYPE_CHECKING:
    from ..helpdesk.local_desk import LocalConnection
    from ..helpdesk.local_model import Labels
    from ..helpdesk.local_store import LocalStore
    from ..seeding.accounts import SeedAccount


class Desk(Helpdesk, Protocol):
    """A helpdesk that lists its solved tickets too. ``troubles`` are sentences on what it had to do without."""

    troubles: list[str]

    def solved(self, since: float) -> Iterator[tuple[Ticket, ...]]:
        """Solved and closed tickets created since ``since`` (Unix seconds), newest first where it can."""


@dataclass(frozen=True)
class Vendor:
    """One helpdesk's own ways. ``spare`` is the share of its limits that is left to people and other tools.

    ``desk`` makes the client; where the helpdesk keeps no ``record`` of who changed what, it is made of our own writes
    in the state. A client that writes note and rest one by one needs the state, and can only read without one.
    ``articles`` reads its own, whose requests may have a share in the limits on others (``shares_limits``).
    ``forbidden`` says why a read was refused, where the answer tells. ``webhook_secrets`` are those of the settings;
    without them the API's tokens are.
    """

    desk: Callable[[Settings, Transport, State | None], Desk]
    own_user: Callable[[Settings, Transport], int | None]
    labels: Callable[[Settings, Transport], AccountLabels]
    requesters: Callable[[Settings, Transport], Requesters]
    seeds: Callable[[Settings, Transport], SeedAccount]
    rights: Callable[[Any, Transport], Rights] = lambda _account, _transport: Rights()
    forbidden: Callable[[Reply], str] = lambda _reply: ""
    sign_in: Callable[[Any, Transport, Clock], Auth] = lambda _account, _transport, _clock: Auth("")
    read_limits: Callable[[Mapping[str, str]], Mapping[str, Limit]] = lambda _headers: {}
    spare: float = 0.0
    record: bool = True
    shares_limits: bool = False
    articles: Callable[[Transport, IsUnchanged], Iterator[Sequence[HelpArticle]]] | None = None
    rules: Callable[[Transport], list[BusinessRule]] = lambda _transport: []
    webhook: Webhook = field(default_factory=Webhook)
    webhook_secrets: Callable[[ServeSettings], Sequence[SecretStr]] | None = None


def vendor_of(settings: Settings) -> Vendor:
    """The row of the chosen helpdesk."""
    return VENDORS[settings.desk.vendor]


def _sign_in_to_zendesk(account: ZendeskSettings, transport: Transport, clock: Clock) -> Auth:
    """In the best way that the settings allow."""
    if account.oauth_client_id and account.oauth_client_secret:
        secret = account.oauth_client_secret.get_secret_value()
        ask = partial(zendesk_reads.fetch_token, transport, account.oauth_client_id, secret, account.oauth_scope)
        return FetchedAuth(clock, ask)
    if account.oauth_token:
        return Auth(f"Bearer {account.oauth_token.get_secret_value()}")
    if account.email and account.api_token:
        return Auth.basic(f"{account.email}/token", account.api_token.get_secret_value())
    raise ConfigError("no credentials for Zendesk")


def _sign_in_to_freshdesk(account: FreshdeskSettings, _transport: Transport, _clock: Clock) -> Auth:
    if account.api_key is None:
        raise ConfigError("no credentials for Freshdesk")
    return Auth.basic(account.api_key.get_secret_value(), "X")  # the password is a dummy


def _sign_in_to_tracker(account: RequestTrackerSettings, _transport: Transport, clock: Clock) -> Auth:
    if account.password:
        ask = partial(request_tracker_reads.fetch_cookie, account.base_url, account.signs_in_as)
        return FetchedAuth(clock, partial(ask, account.password.get_secret_value()), "Cookie")
    return Auth(f"token {account.token.get_secret_value() if account.token else ''}")


def _reads_times(settings: Settings) -> bool:
    return settings.policy.escalation.sla_minutes > 0


def _tracker(settings: Settings, transport: Transport, state: State | None) -> RequestTracker:
    account = settings.request_tracker
    own = request_tracker_reads.own_user(transport, account.signs_in_as)
    return RequestTracker(transport, state, Shape(account.tags_field, account.priorities), own)


def _freshdesk(settings: Settings, transport: Transport, state: State | None) -> Freshdesk:
    open_statuses, times = settings.freshdesk.open_statuses, _reads_times(settings)
    marker = settings.policy.marker
    return Freshdesk(transport, state, marker=marker, open_statuses=open_statuses, service_times=times)


# The local helpdesk


def labels_here(settings: Settings) -> Labels:
    """The tags of these settings that say category, urgency and sentiment."""
    from ..helpdesk.local_model import Labels

    return Labels.of(settings.policy.tag_prefix, settings.taxonomy)


def opened_local(settings: Settings, transport: Transport, *, make: bool = False) -> LocalStore:
    """The store to which a run's connection leads, opened once."""
    return cast("LocalConnection", transport).opened(labels_here(settings), make=make)


def _local(settings: Settings, transport: Transport, _state: State | None) -> Desk:
    way = cast("LocalConnection", transport)
    targets = settings.local.targets if _reads_times(settings) else {}
    store = opened_local(settings, way)
    desk = _of_local().LocalDesk(store, way.now, read_only=way.read_only, noted=way.noted, targets=targets)
    return cast("Desk", desk)


_of_local = partial(import_module, "ticket_processor.helpdesk.local_desk")
_of_seeding = partial(import_module, "ticket_processor.seeding.accounts")
VENDORS: Mapping[str, Vendor] = {
    ZendeskSettings.vendor: Vendor(
        desk=lambda settings, transport, _state: Zendesk(transport, service_times=_reads_times(settings)),
        own_user=lambda _settings, transport: zendesk_reads.own_user(transport),
        labels=lambda _settings, transport: zendesk_reads.read_labels(transport),
        requesters=lambda _settings, transport: zendesk_reads.requesters(transport),
        seeds=lambda _settings, transport: _of_seeding().ZendeskSeedTarget(transport),
        rights=lambda account, transport: zendesk_reads.rights(transport, account.oauth_scope),
        forbidden=lambda reply: zendesk_format.error_code(reply) if zendesk_format.missing_scopes(reply) else "",
        sign_in=_sign_in_to_zendesk,
        read_limits=zendesk_format.read_limits,
        spare=0.05,
        articles=zendesk_reads.articles,
        rules=zendesk_reads.read_rules,
        webhook=zendesk_format.WEBHOOK,
        webhook_secrets=lambda serve: serve.zendesk_secrets,
    ),
    FreshdeskSettings.vendor: Vendor(
        desk=_freshdesk,
        own_user=lambda _settings, transport: freshdesk_reads.own_user(transport),
        labels=lambda s, transport: freshdesk_reads.read_labels(transport, s.freshdesk.open_statuses),
        requesters=lambda _settings, transport: freshdesk_reads.requesters(transport),
        seeds=lambda _settings, transport: _of_seeding().FreshdeskSeedTarget(transport),
        rights=lambda _account, transport: freshdesk_reads.rights(transport),
        sign_in=_sign_in_to_freshdesk,
        read_limits=freshdesk_reads.read_limits,
        spare=0.1,
        record=False,
        shares_limits=True,
        articles=freshdesk_reads.articles,
        webhook=freshdesk_format.WEBHOOK,
        webhook_secrets=lambda serve: serve.freshdesk_secrets,
    ),
    RequestTrackerSettings.vendor: Vendor(
        desk=_tracker,
        own_user=lambda s, transport: request_tracker_reads.own_user(transport, s.request_tracker.signs_in_as),
        labels=lambda _settings, transport: request_tracker_reads.read_labels(transport),
        requesters=lambda _settings, transport: request_tracker_reads.requesters(transport),
        seeds=lambda s, transport: _of_seeding().RequestTrackerSeedTarget(transport, s.request_tracker.tags_field),
        rights=lambda account, transport: Rights(
            lacking="; ".join(request_tracker_reads.lacking(transport, account.tags_field))
        ),
        sign_in=_sign_in_to_tracker,
    ),
    LocalSettings.vendor: Vendor(
        desk=_local,
        own_user=lambda _settings, _transport: None,  # it is no person there
        labels=lambda settings, transport: _of_local().labels_of(opened_local(settings, transport)),
        requesters=lambda settings, transport: _of_local().requesters(opened_local(settings, transport)),
        seeds=lambda settings, transport: _of_seeding().LocalSeedTarget(
            opened_local(settings, transport, make=True), cast("LocalConnection", transport).now
        ),
        webhook_secrets=lambda _serve: (),
    ),
}
"""By the name of the account's helpdesk."""
