"""From settings to assembled objects: the only place that picks an implementation."""

from __future__ import annotations

import functools
import random
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import filelock
from requests.adapters import BaseAdapter

from .analysis import USELESS_IN_A_ROW, Analyser, ModelLink, Understanding
from .answer_store import FILE_NAME as ANSWERS
from .answer_store import AnswerStore
from .audit import AuditLog
from .books import Listener
from .breaker import Breaker
from .budget import Budget
from .chat_server import ChatServer, OpenAIServer
from .clock import Clock, Deadline, SystemClock, iso
from .config import Settings, ZendeskSettings
from .disk_space import Room
from .errors import ConfigError, RunLocked, StateUnusable, why_unusable
from .kill_switch import KillSwitch
from .llm import ModelAnalyser
from .log_cipher import Keyring
from .log_key import log_keys
from .log_upkeep import keep_head, look_after
from .models import Outcome, RunSummary
from .past_runs import PastRuns
from .pipeline import Options, Parts, Run
from .prefetch import read_ahead
from .presets import ModelTarget, targets
from .rules import RulesAnalyser
from .skip_rules import Selection, SkipRules
from .state import FILE_NAME, State, Verdict
from .statement import MOST_KEPT, Verify
from .suspicion import signs_of
from .take_back import Left
from .throttle import Throttle
from .transport import Auth, Transport
from .undo import Undo, UndoOptions, UndoParts
from .writeback import Delivery
from .zendesk import Zendesk, read_limits
from .zendesk_auth import ApiToken, ClientCredentials, OAuthToken, own_user

HELPDESK = "Zendesk"
LOCK_NAME = "run.lock"
ACCOUNT = "account"
JOBS_OF_AN_ACCOUNT = 30
"""Zendesk's limit on jobs queued or running ("Rate limits")."""
UNDO_DEADLINE_S = 12 * 3600.0
"""A person waits for an undo and can stop it; it needs a request for every ticket."""


@dataclass(frozen=True)
class Asked:
    """What the command line asked of a run, beyond the settings."""

    dry_run: bool = False
    limit: int | None = None
    since: float | None = None
    resume: bool = False
    retry_fallbacks: bool = False
    verify: Verify = "sample"


@dataclass(frozen=True)
class Finished:
    """A run's summary, where its receipts are, and whether threads were left behind in calls that hang.

    Without ``log`` no receipt could be written.
    """

    summary: RunSummary
    log: Path | None
    abandoned: int
    log_events: frozenset[str] = frozenset()
    """What alerts in the log were about."""

    @property
    def log_head(self) -> str | None:
        """The log's end after it; kept elsewhere, it shows whether that was cut off."""
        return self.summary.log_head


@dataclass(frozen=True)
class AskedUndo:
    """Which run is to be taken back: its id, how that begins, or ``latest``; without ``ticket_ids``, all of it.

    ``while_stopped`` goes on although the kill switch is set.
    """

    run_id: str
    ticket_ids: tuple[int, ...] = ()
    dry_run: bool = False
    while_stopped: bool = False


@dataclass(frozen=True)
class Undone:
    """An undo's summary, where its receipts are, and the run that was taken back."""

    summary: RunSummary
    log: Path
    run_id: str


def run(
    settings: Settings, asked: Asked, *, clock: SystemClock | None = None, listener: Listener = lambda _outcome: None
) -> Finished:
    """One run against the real helpdesk of ``settings``.

    Raises ``ConfigError``, ``RunLocked``, or ``CannotRun`` when not even the log or the state can be opened.
    """
    with _assembled(settings, asked, clock or SystemClock(), listener) as (work, finished):
        summary = work.execute()
        return finished(summary)


def retry(
    settings: Settings,
    ticket_ids: Collection[int],
    *,
    clock: SystemClock | None = None,
    listener: Listener = lambda _outcome: None,
) -> Finished:
    """Try these tickets of the retry list now, the dead ones too; none named: all of it. Nothing else is pulled.

    It raises what :func:`run` does.
    """
    with _assembled(settings, Asked(), clock or SystemClock(), listener, kind="retry") as (work, finished):
        summary = work.retry(ticket_ids)
        return finished(summary)


def write(
    settings: Settings,
    verdicts: Iterable[Verdict],
    asked: Asked,
    *,
    statuses: tuple[str, ...],
    clock: SystemClock | None = None,
    listener: Listener = lambda _outcome: None,
) -> Finished:
    """Bring verdicts of another day, such as those of a file, to tickets that are in one of ``statuses``.

    Everything else is as in :func:`run`, and it raises the same.
    """
    settings = settings.model_copy(update={"run": settings.run.model_copy(update={"statuses": statuses})})
    with _assembled(settings, asked, clock or SystemClock(), listener, kind="apply") as (work, finished):
        summary = work.write(verdicts)
        return finished(summary)


def undo(
    settings: Settings,
    asked: AskedUndo,
    *,
    clock: SystemClock | None = None,
    listener: Callable[[Outcome, tuple[Left, ...]], None] = lambda _outcome, _left: None,
    tell: Callable[[str], None] = lambda _sentence: None,
    begin: Callable[[int], None] = lambda _tickets: None,
) -> Undone:
    """Take back what an earlier run wrote, where nobody has touched it since. ``tell`` is told why it waits.

    ``begin`` is told of how many tickets it is about, before the first of them.

    It raises what :func:`run` does, and ``ConfigError`` when there is no such run or it wrote on no such ticket.
    """
    clock = clock or SystemClock()
    folder = settings.state_folder
    with ExitStack() as stack:
        if not asked.dry_run:
            stack.enter_context(lock(folder))
        past = PastRuns(settings.log_dir, keyring(settings))
        writes = past.writes(past.find(asked.run_id)).of(asked.ticket_ids)
        state = stack.enter_context(opened_state(folder, settings.zendesk.base_url, dry_run=asked.dry_run))
        deadline = Deadline(clock, UNDO_DEADLINE_S)
        run_id = f"{new_run_id(clock)}-undo"
        audit = audit_log(settings, clock, run_id, dry_run=asked.dry_run)
        stack.callback(audit.close)
        transport = transport_for(
            settings.zendesk, clock, deadline, state=state, share=settings.run.limit_share, read_only=asked.dry_run
        )
        stack.callback(transport.close)
        switch, space = kill_switch(settings), room(settings)

        def before_write() -> None:
            if not (asked.dry_run or asked.while_stopped):
                switch.check()
            if not asked.dry_run:
                space.check()

        work = Undo(
            UndoParts(
                desk=Zendesk(transport, source=settings.zendesk.source),
                state=state,
                audit=audit,
                clock=clock,
                deadline=deadline,
                before_write=before_write,
                requests=lambda: transport.counts,
                tell=tell,
            ),
            UndoOptions(
                run_id=run_id,
                dry_run=asked.dry_run,
                stable_read_s=settings.run.stable_read_s,
                hands_off=settings.hands_off_tag,
                delivery=delivery(settings),
            ),
            writes,
            listener,
        )
        begin(len(writes.keys))
        summary = work.execute()
        with suppress(StateUnusable):  # it is undone all the same
            summary = summary.model_copy(update={"log_head": keep_head(state, audit)})
        return Undone(summary, audit.path, writes.run_id)


@contextmanager
def _assembled(
    settings: Settings, asked: Asked, clock: SystemClock, listener: Listener, *, kind: str = "run"
) -> Iterator[tuple[Run, Callable[[RunSummary], Finished]]]:
    """A run, ready to be played, and what makes the end of it complete."""
    folder = settings.state_folder
    with ExitStack() as stack:
        if not asked.dry_run:
            stack.enter_context(lock(folder))
        state = stack.enter_context(opened_state(folder, settings.zendesk.base_url, dry_run=asked.dry_run))
        deadline = Deadline(clock, settings.run.deadline_s)
        run_id = new_run_id(clock)
        audit = audit_log(settings, clock, run_id, dry_run=asked.dry_run)
        stack.callback(audit.close)
        transport = transport_for(
            settings.zendesk, clock, deadline, state=state, share=settings.run.limit_share, read_only=asked.dry_run
        )
        stack.callback(transport.close)
        cache = settings.cache
        store = AnswerStore(folder / ANSWERS, clock, days=cache.days, max_answers=cache.max_answers)
        stack.callback(store.close)
        troubles: list[str] = []
        executor = ThreadPoolExecutor(settings.run.workers, thread_name_prefix="analyse")
        stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        desk = Zendesk(transport, source=settings.zendesk.source)
        work = Run(
            Parts(
                desk=desk,
                understanding=understanding(settings, clock, deadline, state, store, troubles.append),
                executor=executor,
                state=state,
                audit=audit,
                clock=clock,
                deadline=deadline,
                policy=settings.policy,
                taxonomy=settings.taxonomy,
                selection=selection(settings, transport),
                kill_switch=kill_switch(settings),
                room=room(settings).check,
                ahead=lambda pages: read_ahead(pages, clock),
                troubles=lambda: [
                    trouble for trouble in (*dict.fromkeys((*troubles, *desk.troubles)), store.trouble) if trouble
                ],
                requests=lambda: transport.counts,
                upkeep=lambda left: look_after(
                    audit, clock.now(), settings.audit.retention_days, left, keyring(settings)
                ),
            ),
            Options(
                run_id=run_id,
                kind=kind,
                dry_run=asked.dry_run,
                limit=asked.limit,
                since=asked.since,
                statuses=settings.run.statuses,
                workers=settings.run.workers,
                analysis_timeout_s=settings.run.analysis_timeout_s,
                stable_read_s=settings.run.stable_read_s,
                max_attempts=settings.run.max_attempts,
                delivery=delivery(settings),
                notices=settings.notices,
                resume=asked.resume,
                retry_fallbacks=asked.retry_fallbacks,
                retriage_on_reply=settings.run.retriage_on_reply,
                verify={"all": MOST_KEPT, "sample": settings.run.verify_sample, "none": 0}[asked.verify],
            ),
            listener,
        )
        yield (
            work,
            lambda summary: Finished(summary, _if_there(audit.path), work.abandoned, frozenset(audit.alerted)),
        )


def audit_log(settings: Settings, clock: Clock, run_id: str, *, dry_run: bool = False) -> AuditLog:
    """The log of these settings, sealed, and encrypted where they say so.

    Raises ``ConfigError``, or ``StateUnusable`` when the key cannot be kept.
    """
    key = audit_keys(settings)[0]
    return AuditLog(settings.log_dir, clock, run_id, dry_run=dry_run, key=key, keys=keyring(settings))


def audit_keys(settings: Settings) -> tuple[bytes, ...]:
    """What the log is sealed with, and was before; the one to write with first."""
    return log_keys([key.get_secret_value() for key in settings.audit.keys], settings.state_folder)


def keyring(settings: Settings) -> Keyring | None:
    """What opens the log; ``None`` where it is not to be encrypted."""
    keys = [key.get_secret_value() for key in settings.audit.encryption_keys]
    return Keyring(keys) if keys else None


def _if_there(path: Path) -> Path | None:
    with suppress(OSError):
        return path if path.is_file() else None
    return None


def delivery(settings: Settings) -> Delivery:
    """How changes travel; of the account's places for jobs we take our share."""
    return Delivery(mode=settings.run.write_mode, most_jobs=max(1, int(JOBS_OF_AN_ACCOUNT * settings.run.limit_share)))


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


def selection(settings: Settings, transport: Transport) -> Selection:
    """What the settings leave to people, and for how long."""
    return Selection(
        SkipRules(
            settings.skip,
            hands_off=settings.hands_off_tag,
            leave_assigned=settings.run.wait_minutes > 0,
            own_user=functools.cache(lambda: own_user(transport)),
        ),
        machine_mail=settings.skip.machine_mail,
        canary_percent=settings.run.canary_percent,
        wait_s=settings.run.wait_minutes * 60,
    )


def kill_switch(settings: Settings) -> KillSwitch:
    """What stops a run of these settings at once."""
    return KillSwitch(settings.stop_file, set_by=settings.stop_set_by)


def room(settings: Settings) -> Room:
    """How much of the disk has to be free."""
    return Room(settings.log_dir, settings.state_folder, settings.run.min_free_mb)


def _credentials(zendesk: ZendeskSettings, transport: Transport, clock: Clock) -> Auth:
    if zendesk.oauth_client_id and zendesk.oauth_client_secret:
        secret = zendesk.oauth_client_secret.get_secret_value()
        return ClientCredentials(transport, clock, zendesk.oauth_client_id, secret)
    if zendesk.oauth_token:
        return OAuthToken(zendesk.oauth_token.get_secret_value())
    if zendesk.email and zendesk.api_token:
        return ApiToken(zendesk.email, zendesk.api_token.get_secret_value())
    raise ConfigError("no credentials for Zendesk")


def understanding(
    settings: Settings,
    clock: Clock,
    deadline: Deadline,
    state: State | None = None,
    store: AnswerStore | None = None,
    trouble: Callable[[str], object] = lambda _sentence: None,
    through: Callable[[ChatServer], ChatServer] = lambda server: server,
    budget: Budget | None = None,
) -> Understanding:
    """The analyser chain of the settings: each model in order, the trained classifier, keyword rules.

    ``trouble`` is told of a part that the chain has to do without; every model server is asked ``through`` what that
    makes of it. Without ``store`` nothing is kept: no answers, and no books of what was spent. Without ``budget`` it
    has one of its own. Raises :class:`ConfigError` when a model of the list cannot be asked as the settings stand.
    """
    store = store or AnswerStore(None, clock, days=0)
    budget = budget or Budget(settings.budget, store)
    rules = RulesAnalyser(settings.taxonomy, settings.entities)
    links: list[Analyser] = []
    for target in targets(settings.models):
        server = through(model_server(target, deadline))
        links.append(
            ModelLink(
                model_analyser(server, target, settings, rules),
                model_breaker(target.name, clock, state),
                deadline,
                name=target.name,
                place="\0".join((target.model, target.base_url, target.api_version or "")),
                level=target.redaction,
                store=store,
                budget=budget,
                useless=Breaker(f"answers of {target.name}", clock, threshold=USELESS_IN_A_ROW),
            )
        )
    return Understanding(
        links,
        rules,
        classifier=trained_classifier(settings, rules, trouble),
        cascade_below=settings.policy.review_below if settings.models.cascade else None,
        signs=signs_of,
        clock=clock,
        trouble=trouble,
    )


def model_breaker(name: str, clock: Clock, state: State | None = None) -> Breaker:
    """A model's circuit breaker; a model that is down is asked five times, however many workers there are."""
    breaker_name = f"model {name}"
    return Breaker(
        breaker_name,
        clock,
        proven=False,
        memory=state.breaker(breaker_name) if state else None,
        on_change=state.keep_breaker if state else None,
    )


def model_server(target: ModelTarget, deadline: Deadline) -> OpenAIServer:
    """The server that a model lives on; no call outlives the run."""
    return OpenAIServer.of(target, timeout_s=lambda: max(0.1, min(target.timeout_s, deadline.remaining())))


def model_analyser(server: ChatServer, target: ModelTarget, settings: Settings, rules: RulesAnalyser) -> ModelAnalyser:
    """One model of that server, asked in the site's taxonomy."""
    return ModelAnalyser(
        server,
        target.model,
        settings.taxonomy,
        price=target.price,
        entities=settings.entities,
        team_language=settings.team_language,
        ticket_tokens=target.ticket_tokens,
        floor=rules.floor,
        risk=rules.risk,
        alarms=rules.alarms,
        signs=signs_of,
        reveal=target.redaction,
        starting_form=target.forms[0],
        max_output_tokens=target.max_output_tokens,
    )


def trained_classifier(
    settings: Settings, rules: RulesAnalyser, trouble: Callable[[str], object] = lambda _sentence: None
) -> Analyser | None:
    """What ``ticketbot train`` made, if it is there, wanted and usable."""
    folder = settings.classifier_folder
    if not settings.classifier.use or not folder.is_dir():
        return None
    from .classifier import ClassifierUnusable, LocalClassifier
    from .classifier_file import NotTrained, read_description

    try:
        if not read_description(folder).used:
            return None  # it beat the rules at nothing, which 'ticketbot train' has said
        return LocalClassifier.load(folder, settings.taxonomy, rules)
    except NotTrained:
        return None
    except ClassifierUnusable as error:
        trouble(f"{error}; the rules do its work")
        return None


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the state folder; an OS lock, so it dies with the process. Raises :class:`RunLocked`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = filelock.FileLock(folder / LOCK_NAME)
        held.acquire(blocking=False)
    except filelock.Timeout:
        raise RunLocked(f"another run is active on {folder}, and nothing was done; try again when it is over") from None
    except OSError as error:
        raise StateUnusable(
            f"the state folder {folder} cannot be used ({why_unusable(folder, error)}): make it writable, or name "
            "another as state_dir (TICKETBOT_STATE_DIR)"
        ) from error
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
