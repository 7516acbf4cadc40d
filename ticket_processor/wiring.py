"""From settings to assembled objects: the only place that picks an implementation."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
from requests.adapters import BaseAdapter

from .analysis import Analyser, ModelLink, Understanding
from .audit import AuditLog
from .breaker import Breaker
from .chat_server import OpenAIServer
from .clock import Clock, Deadline, SystemClock, iso
from .config import ModelSettings, Settings, ZendeskSettings
from .errors import ConfigError, RunLocked, StateUnusable
from .llm import ModelAnalyser
from .models import RunSummary
from .pipeline import Listener, Options, Parts, Run
from .rules import RulesAnalyser
from .state import FILE_NAME, State
from .throttle import Throttle
from .transport import Auth, Transport
from .zendesk import Zendesk, read_limits
from .zendesk_auth import ApiToken, ClientCredentials, OAuthToken

HELPDESK = "Zendesk"
LOCK_NAME = "run.lock"
ACCOUNT = "account"


@dataclass(frozen=True)
class Asked:
    """What the command line asked of a run, beyond the settings."""

    dry_run: bool = False
    limit: int | None = None
    since: float | None = None
    resume: bool = False


@dataclass(frozen=True)
class Finished:
    """A run's summary, where its receipts are, and whether threads were left behind in calls that hang."""

    summary: RunSummary
    log: Path
    abandoned: int


def run(
    settings: Settings, asked: Asked, *, clock: SystemClock | None = None, listener: Listener = lambda _outcome: None
) -> Finished:
    """One run against the real helpdesk of ``settings``.

    Raises ``ConfigError``, ``RunLocked``, or ``CannotRun`` when not even the log or the state can be opened.
    """
    clock = clock or SystemClock()
    folder = settings.state_folder
    with ExitStack() as stack:
        if not asked.dry_run:
            stack.enter_context(lock(folder))
        state = stack.enter_context(opened_state(folder, settings.zendesk.base_url, dry_run=asked.dry_run))
        deadline = Deadline(clock, settings.run.deadline_s)
        run_id = new_run_id(clock)
        audit = AuditLog(settings.log_dir, clock, run_id, dry_run=asked.dry_run)
        stack.callback(audit.close)
        transport = transport_for(
            settings.zendesk, clock, deadline, state=state, share=settings.run.limit_share, read_only=asked.dry_run
        )
        stack.callback(transport.close)
        executor = ThreadPoolExecutor(settings.run.workers, thread_name_prefix="analyse")
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        work = Run(
            Parts(
                desk=Zendesk(transport, source=settings.zendesk.source),
                understanding=understanding(settings, clock, deadline, state),
                executor=executor,
                state=state,
                audit=audit,
                clock=clock,
                deadline=deadline,
                policy=settings.policy,
                requests=lambda: transport.counts,
            ),
            Options(
                run_id=run_id,
                dry_run=asked.dry_run,
                limit=asked.limit,
                since=asked.since,
                statuses=settings.run.statuses,
                workers=settings.run.workers,
                analysis_timeout_s=settings.run.analysis_timeout_s,
                stable_read_s=settings.run.stable_read_s,
                max_attempts=settings.run.max_attempts,
                notices=settings.notices,
                resume=asked.resume,
            ),
            listener,
        )
        summary = work.execute()
        return Finished(summary, audit.path, work.abandoned)


def transport_for(
    zendesk: ZendeskSettings,
    clock: Clock,
    deadline: Deadline,
    *,
    state: State | None = None,
    share: float = 0.5,
    read_only: bool = False,
    adapter: Callable[[], BaseAdapter] | None = None,
    rng: random.Random | None = None,
) -> Transport:
    """HTTP to the account, signed in the best way that the settings allow."""
    breaker = Breaker(
        HELPDESK,
        clock,
        memory=state.breaker(HELPDESK) if state else None,
        on_change=state.keep_breaker if state else None,
    )

    transport = Transport(
        zendesk.base_url,
        name=HELPDESK,
        clock=clock,
        deadline=deadline,
        breaker=breaker,
        throttle=Throttle(clock, share),
        read_limits=read_limits,
        read_only=read_only,
        adapter=adapter,
        rng=rng,
    )
    transport.sign_with(_credentials(zendesk, transport, clock))
    return transport


def _credentials(zendesk: ZendeskSettings, transport: Transport, clock: Clock) -> Auth:
    if zendesk.oauth_client_id and zendesk.oauth_client_secret:
        secret = zendesk.oauth_client_secret.get_secret_value()
        return ClientCredentials(transport, clock, zendesk.oauth_client_id, secret)
    if zendesk.oauth_token:
        return OAuthToken(zendesk.oauth_token.get_secret_value())
    if zendesk.email and zendesk.api_token:
        return ApiToken(zendesk.email, zendesk.api_token.get_secret_value())
    raise ConfigError("no credentials for Zendesk")


def understanding(settings: Settings, clock: Clock, deadline: Deadline, state: State | None = None) -> Understanding:
    """The analyser chain of the settings: each model in order, then keyword rules."""
    taxonomy = settings.taxonomy
    links: list[Analyser] = []
    if settings.models.names:
        server = model_server(settings.models, deadline)
        for name in settings.models.names:
            breaker_name = f"model {name}"
            breaker = Breaker(
                breaker_name,
                clock,
                memory=state.breaker(breaker_name) if state else None,
                on_change=state.keep_breaker if state else None,
            )
            links.append(ModelLink(model_analyser(server, name, settings), breaker, deadline))
    return Understanding(links, RulesAnalyser(taxonomy))


def model_server(models: ModelSettings, deadline: Deadline) -> OpenAIServer:
    """The model server of the settings; no call outlives the run."""
    return OpenAIServer(
        base_url=models.base_url,
        api_key=models.api_key.get_secret_value() if models.api_key else None,
        timeout_s=lambda: max(0.1, min(models.timeout_s, deadline.remaining())),
        max_output_tokens=models.max_output_tokens,
    )


def model_analyser(server: OpenAIServer, name: str, settings: Settings) -> ModelAnalyser:
    """One model of that server, asked in the site's taxonomy."""
    return ModelAnalyser(server, name, settings.taxonomy, price=settings.models.prices.get(name))


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the state folder; an OS lock, so it dies with the process. Raises :class:`RunLocked`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = filelock.FileLock(folder / LOCK_NAME)
        held.acquire(blocking=False)
    except filelock.Timeout:
        raise RunLocked(f"another run is active on {folder}; this one has nothing to do") from None
    except OSError as error:
        raise StateUnusable(f"the state folder {folder} cannot be used: {error.strerror or error}") from error
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
