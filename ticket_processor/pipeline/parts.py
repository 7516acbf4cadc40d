"""The parts that a run is assembled from, and its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

from ..audit.receipts import AuditLog
from ..core.clock import Clock, Deadline
from ..core.guards import KillSwitch
from ..core.models import Analysis, Decision, ReplyPlan, Ticket
from ..core.run_summary import ClusterUse
from ..core.taxonomy import Taxonomy
from ..helpdesk.protocol import Helpdesk, Shard
from ..policy.decide import Policy, decide
from ..policy.skip_rules import Selection, SkipRules
from ..state.store import State
from .fan_out import ReadEach
from .intake import ReadAhead, ToldOf
from .jobs import Delivery


class Answers(Protocol):
    """Adds to a decision what the knowledge base says of the ticket. Called from many threads."""

    def __call__(
        self, ticket: Ticket, analysis: Analysis, decision: Decision, *, may_ask: bool = True
    ) -> tuple[Analysis, Decision]:
        """The analysis with what was paid for a draft, and the decision.

        Nothing is searched and no model is asked unless one ``may_ask``.
        """


ReplyObjection = Callable[[ReplyPlan, Literal["reply", "status"]], str | None]
"""Why today's settings or articles cancel this step of a public reply that was announced, in a fixed word, if they do.

Raises :class:`TicketError` when that cannot be known now.
"""


class Understands(Protocol):
    """Understands tickets; called from many threads. See :class:`analysis.chain.Understanding`."""

    @property
    def details(self) -> dict[str, str]: ...

    @property
    def price_note(self) -> str: ...

    def __call__(self, ticket: Ticket) -> Analysis: ...

    def without_models(self, ticket: Ticket, why: str) -> Analysis: ...


@dataclass(frozen=True)
class Parts:
    """The parts of a run; ``wiring`` builds them."""

    desk: Helpdesk
    understanding: Understands
    executor: Executor
    state: State
    audit: AuditLog
    clock: Clock
    deadline: Deadline
    policy: Policy
    taxonomy: Taxonomy | None = None
    split: Callable[[int, Analysis], Decision] | None = None
    """Decides by ticket, where two settings files share the run's; ``None``: policy and taxonomy do."""
    selection: Selection = field(default_factory=lambda: Selection(SkipRules()))
    kill_switch: KillSwitch = field(default_factory=KillSwitch)
    shard: Shard | None = None
    """The part of the account's tickets that is this run's; ``None``: all of them."""
    saw: Callable[[Ticket], object] = lambda _ticket: None
    """Hears of every ticket that is read."""
    ahead: ReadAhead = iter
    each: ReadEach = map
    told_of: ToldOf | None = None
    answers: Answers | None = None
    shown: Callable[[Sequence[str]], object] = lambda _articles: None
    """Hears which articles a note names that was written."""
    reply_objection: ReplyObjection | None = None
    """Why a scheduled public reply is to be cancelled; ``None``: nothing that customers read is sent."""
    express: Executor | None = None
    """Where tickets are analysed that the helpdesk has told of, so that they wait behind no others."""
    requests: Callable[[], Mapping[str, int]] = dict
    cluster: Callable[[], ClusterUse | None] = lambda: None
    """What was asked of a cluster, where there is one."""
    helpdesk_date: Callable[[], float | None] = lambda: None
    """The helpdesk's clock at its last answer in this run (Unix seconds)."""
    troubles: Callable[[], Sequence[str]] = tuple
    room: Callable[[], None] = lambda: None
    """Raises when the disk has too little of it for receipts."""
    upkeep: Callable[[str | None], Sequence[str]] = lambda _head: ()
    """Looks after the log, whose head the last run left so; gives what it could not do."""
    prepare: Callable[[], Sequence[str]] = tuple
    """Gets ready what the run's tickets need, once it may begin; gives sentences on that. Not called by a dry run."""

    def decide(self, ticket_id: int, analysis: Analysis) -> Decision:
        """The decision for a ticket with this analysis."""
        if self.split is not None:
            return self.split(ticket_id, analysis)
        return decide(ticket_id, analysis, self.policy, self.taxonomy)


@dataclass(frozen=True, kw_only=True)
class RunChoices:
    """A person's choices for one run. ``since`` is Unix seconds; ``None`` goes on where the last run ended."""

    dry_run: bool = False
    limit: int | None = None
    since: float | None = None
    resume: bool = False
    retry_fallbacks: bool = False

    def chosen(self) -> dict[str, Any]:
        """The choices alone, by name."""
        return {each.name: getattr(self, each.name) for each in fields(RunChoices)}


@dataclass(frozen=True)
class RunOptions(RunChoices):
    """The options of one run. ``facts`` are for its first receipt; ``verify`` is how many writes are read back."""

    run_id: str
    workers: int = 8
    analysis_timeout_s: float = 90.0
    stable_read_s: float = 6.0
    max_attempts: int = 5
    dependency: str = "helpdesk"
    notices: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    retriage_on_reply: bool = False
    delivery: Delivery = field(default_factory=Delivery)
    kind: str = "run"
    by_hand: bool = False
    verify: int = 0
