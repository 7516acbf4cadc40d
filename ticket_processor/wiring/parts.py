"""From settings to single parts, such as a connection, the state or the chain: here an implementation is picked."""

from __future__ import annotations

import functools
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import filelock
from requests.adapters import BaseAdapter

from ..analysis.budget import Budget
from ..analysis.cache import AnswerStore
from ..analysis.chain import Analyser, ModelLink, Understanding
from ..analysis.guard import USELESS_IN_A_ROW
from ..analysis.model_server.chat import ChatServer, OpenAIServer
from ..analysis.model_server.connection import Connection
from ..analysis.model_server.settings import ModelTarget, price_note, targets
from ..analysis.rules.analyser import RulesAnalyser
from ..audit.files import log_keys
from ..audit.lines import Keyring
from ..audit.receipts import AuditLog, check_encryption
from ..core.clock import Clock, Deadline, iso
from ..core.errors import AuditUnwritable, CannotRun, ConfigError, RunLocked, state_unusable
from ..core.files import make_folder
from ..core.guards import STOP_FILE, Breaker, KillSwitch
from ..helpdesk.transport import Throttle, Transport
from ..llm import ModelAnalyser
from ..pipeline.jobs import Delivery
from ..policy.skip_rules import Selection, SkipRules
from ..settings.helpdesks import (
    AccountSettings,
    LocalSettings,
)
from ..settings.schema import Settings
from ..state.store import FILE_NAME, State
from .learnt import approved_examples, trained_classifier
from .vendors import VENDORS, vendor_of

LOCK_NAME = "run.lock"
ACCOUNT = "account"
JOBS_OF_AN_ACCOUNT = 30
"""Zendesk's limit on jobs queued or running ("Rate limits")."""
UPDATES_A_MINUTE = 100
"""Zendesk's limit on single ticket updates of an account ("Rate limits"), but for a high volume add-on."""


def audit_log(settings: Settings, clock: Clock, run_id: str, *, dry_run: bool = False) -> AuditLog:
    """The log of these settings, sealed, and encrypted where they say so.

    Raises ``ConfigError``, also where an encrypted log would go on in the clear or under another key,
    ``AuditUnwritable`` when it has a packed day, or ``StateUnusable`` when the key cannot be kept.
    """
    keys = keyring(settings)
    try:
        check_encryption(settings.log_dir, iso(clock.now())[:10], keys)
    except AuditUnwritable:
        raise
    except CannotRun:
        pass  # a folder that cannot be listed cannot be written to either, which is an error then
    key = log_keys([key.get_secret_value() for key in settings.audit.keys], settings.state_folder)[0]
    return AuditLog(settings.log_dir, clock, run_id, dry_run=dry_run, key=key, keys=keys)


def keyring(settings: Settings) -> Keyring | None:
    """The keyring that opens the log; ``None`` where it is not encrypted."""
    keys = [key.get_secret_value() for key in settings.audit.encryption_keys]
    return Keyring(keys) if keys else None


def delivery(settings: Settings) -> Delivery:
    """How changes travel; of the account's places for jobs, and of its single updates, we take our share."""
    can = settings.desk.can
    if not can.jobs:
        return Delivery(mode="single") if can.guarded else Delivery(mode="single", together=1)
    share = settings.run.limit_share
    return Delivery(
        mode=settings.run.write_mode,
        batch_from=1 + int(UPDATES_A_MINUTE * share),
        most_jobs=max(1, int(JOBS_OF_AN_ACCOUNT * share)),
    )


def transport_for(
    account: AccountSettings,
    clock: Clock,
    deadline: Deadline,
    *,
    state: State | None = None,
    share: float = 0.5,
    read_only: bool = False,
    throttle: Throttle | None = None,
    adapter: Callable[[], BaseAdapter] | None = None,
    rng: random.Random | None = None,
    notice: Callable[[str], None] = lambda _sentence: None,
) -> Transport:
    """HTTP to the account, signed in the best way that the settings allow; within ``share`` of its limits.

    With the ``throttle`` of another connection both stay within one share together. ``notice`` is :class:`Transport`'s.
    """
    if isinstance(account, LocalSettings):
        from ..helpdesk.local_desk import LocalConnection  # most runs need nothing of it

        return LocalConnection(
            account.file, account.base_url, name=account.vendor, clock=clock, deadline=deadline, read_only=read_only
        )
    vendor = VENDORS[account.vendor]
    transport = Transport(
        account.base_url,
        name=account.vendor,
        clock=clock,
        deadline=deadline,
        breaker=_remembered_breaker(account.vendor, clock, state),
        throttle=throttle or Throttle(clock, share, spare=vendor.spare),
        read_limits=vendor.read_limits,
        read_only=read_only,
        adapter=adapter,
        rng=rng,
        notice=notice,
        probe=(account.path_of_one, account.one),
    )
    transport.auth = vendor.sign_in(account, transport, clock)
    return transport


def selection(settings: Settings, transport: Transport) -> Selection:
    """The tickets that the settings leave to people, and for how long."""
    return Selection(
        SkipRules(
            settings.skip,
            hands_off=settings.hands_off_tag,
            leave_assigned=settings.run.wait_minutes > 0,
            own_user=functools.cache(lambda: vendor_of(settings).own_user(settings, transport)),
        ),
        statuses=frozenset(settings.run.statuses),
        machine_mail=settings.skip.machine_mail,
        canary_percent=settings.run.canary_percent,
        wait_s=settings.run.wait_minutes * 60,
        shard=settings.shard,
    )


def kill_switch(settings: Settings) -> KillSwitch:
    """The kill switch of these settings."""
    return KillSwitch(settings.state_folder / STOP_FILE, set_by=settings.stop_set_by)


@contextmanager
def understanding(
    settings: Settings,
    clock: Clock,
    deadline: Deadline,
    state: State | None = None,
    store: AnswerStore | None = None,
    trouble: Callable[[str], object] = lambda _sentence: None,
    through: Callable[[ChatServer], ChatServer] = lambda server: server,
    budget: Budget | None = None,
    connect: Callable[[ModelTarget], Connection] = Connection,
    settings_file: str = "",
) -> Iterator[Understanding]:
    """The analyser chain of the settings: each model in order, the trained classifier, keyword rules.

    It closes its connections to model servers at the end.

    ``trouble`` gets each part that the chain has to do without; every model server is asked ``through`` what that
    makes of it. Without ``store`` nothing is kept: no answers, and no books of what was spent. Without ``budget`` it
    has one of its own.
    ``connect`` makes the way to each model's server. Every analysis names ``settings_file``.
    Raises :class:`ConfigError` when a model of the list cannot be asked as the settings stand.
    """
    store = store or AnswerStore(None, clock, days=0)
    budget = budget or Budget(settings.budget, store)
    rules = RulesAnalyser(settings.taxonomy)
    links: list[Analyser] = []
    models = targets(settings.models)
    with ExitStack() as stack:
        earlier = None
        if settings.learning.examples and models:
            earlier = stack.enter_context(approved_examples(settings, trouble))
        for target in models:
            server = OpenAIServer(target, deadline.remaining, connect)
            stack.callback(server.close)
            model = ModelAnalyser(
                through(server),
                target.model,
                settings.taxonomy,
                price=target.price,
                entities=settings.entities,
                team_language=settings.team_language,
                ticket_tokens=target.ticket_tokens,
                rules=rules,
                reveal=target.redaction,
                max_output_tokens=target.max_output_tokens,
                advice=settings.models.advice,
                earlier=earlier,
            )
            links.append(
                ModelLink(
                    model,
                    _model_breaker(target, clock, state),
                    deadline,
                    name=target.name,
                    place="\0".join((target.model, target.base_url)),
                    store=store,
                    budget=budget,
                    useless=Breaker(f"answers of {target.name}", clock, threshold=USELESS_IN_A_ROW),
                )
            )
        classifier = trained_classifier(settings, rules, trouble)
        yield Understanding(
            links,
            rules,
            level=settings.models.redaction,
            classifier=classifier,
            clock=clock,
            trouble=trouble,
            price_note=price_note(models),
            settings_file=settings_file,
        )


def _model_breaker(target: ModelTarget, clock: Clock, state: State | None) -> Breaker:
    """Of a model on its server: one that is down is asked five times, however many workers there are."""
    server = urlsplit(target.base_url)
    name = f"model {target.name} at {server.netloc.rpartition('@')[2]}{server.path.rstrip('/')}"
    return _remembered_breaker(name, clock, state, proven=False)


def _remembered_breaker(name: str, clock: Clock, state: State | None, *, proven: bool = True) -> Breaker:
    if state is None:
        return Breaker(name, clock, proven=proven)
    return Breaker(name, clock, proven=proven, memory=state.breaker(name), on_change=state.keep_breaker)


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the state folder; an OS lock, so it dies with the process. Raises :class:`RunLocked`."""
    try:
        make_folder(folder)
        held = filelock.FileLock(folder / LOCK_NAME, mode=0o600)
        held.acquire(blocking=False)
    except filelock.Timeout:
        raise RunLocked(f"another run is active on {folder}, and nothing was done; try again when it is over") from None
    except OSError as error:
        raise state_unusable(folder, error, folder / LOCK_NAME) from error
    try:
        yield
    finally:
        held.release()  # the file stays: deleting it would let a second holder in


@contextmanager
def opened_state(folder: Path, account: str, *, dry_run: bool = False) -> Iterator[State]:
    """The account's state; for a dry run a copy in memory, of which nothing is kept."""
    path = folder / FILE_NAME
    state = State.scratch_copy(path) if dry_run else State(path)
    try:
        known = state.fact(ACCOUNT)
        if known is not None and known != account:
            raise ConfigError(
                f"the state in {folder} belongs to {known}, not to {account}: set TICKETBOT_STATE_DIR to a folder "
                "of its own for each account"
            )
        state.remember(**{ACCOUNT: account})
        yield state
    finally:
        state.close()


def new_run_id(clock: Clock) -> str:
    """Sorts by time, and is unique: ``20261121T033000Z-1a2b3c``."""
    return iso(clock.now()).replace("-", "").replace(":", "") + "-" + secrets.token_hex(3)
