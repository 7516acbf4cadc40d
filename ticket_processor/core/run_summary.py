"""A run in numbers: what it did, how long that took, what it cost, and what it vouches for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from pydantic import Field

from .models import Frozen, Usage
from .text import many

_GROWTH = math.log(1.1)
"""The longest duration of a band is 1.1 times the shortest."""


class Latencies:
    """Counts durations in milliseconds. Its quantiles are at most 10% too high, never too low. For one thread."""

    def __init__(self, bands: Mapping[str, int] | None = None) -> None:
        self._bands = Counter({int(band): count for band, count in (bands or {}).items()})

    def add(self, milliseconds: float) -> None:
        """Count one duration."""
        band = math.ceil(math.log(milliseconds) / _GROWTH - 1e-9) if milliseconds > 1 else 0
        self._bands[band] += 1

    def __add__(self, other: Latencies) -> Latencies:
        both = Latencies()
        both._bands = self._bands + other._bands
        return both

    @property
    def bands(self) -> dict[str, int]:
        """The counts, from which the constructor makes the same object again."""
        return {str(band): count for band, count in sorted(self._bands.items())}

    @property
    def count(self) -> int:
        """How many there are."""
        return self._bands.total()

    def quantile(self, share: float) -> float | None:
        """The duration, in milliseconds, that ``share`` of them did not exceed; ``None`` if there are none."""
        wanted = share * self.count
        passed = 0
        for band, count in sorted(self._bands.items()):
            passed += count
            if passed >= wanted:
                return math.exp(band * _GROWTH)
        return None


class Forecast(Frozen):
    """The maximum cost of models, projected from a run's cost. A month has 30 days; repeats are free."""

    tickets: int = Field(description="that were paid for, on which this is based")
    tokens_per_ticket: float
    usd_per_ticket: float | None = Field(description="None where a model has no price in the settings")
    tickets_per_day: float | None = Field(description="None when the tickets span less than six hours")

    @property
    def usd_per_month(self) -> float | None:
        """US dollars a month if tickets keep coming at the same rate."""
        if self.usd_per_ticket is None or self.tickets_per_day is None:
            return None
        return self.usd_per_ticket * self.tickets_per_day * 30


class Statement(Frozen):
    """What a run states about its writes: from all of its receipts, and from reading ``checked`` writes back.

    The three counts after ``checked`` should be 0. ``not_found`` counts writes whose key or note the helpdesk's record
    lacks. ``tickets`` are the first tickets behind counts above 0.
    """

    written: int
    checked: int = Field(0, description="writes that were compared with the helpdesk's own record")
    human_values_changed: int = 0
    foreign_tags_removed: int = 0
    public_comments: int = Field(0, description="other than public replies that the settings ask for")
    public_replies: int = Field(0, exclude_if=lambda count: not count)
    replaced_by_policy: int = Field(0, description="values that stood there, replaced because overwrite is 'always'")
    not_found: int = 0
    tickets: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The same in words."""
        words = [
            f"{self.human_values_changed} human values changed",
            f"{self.foreign_tags_removed} foreign tags removed",
            f"{self.public_comments} public comments",
        ]
        words += [f"{many(self.public_replies, 'public reply')} as the settings ask"] if self.public_replies else []
        words += [f"{self.not_found} not found as sent"] if self.not_found else []
        words += [f"{self.replaced_by_policy} values replaced as the settings allow"] if self.replaced_by_policy else []
        listed = f" (tickets {', '.join(map(str, self.tickets))})" if self.tickets else ""
        return f"{self.written} written, {self.checked} read back: {', '.join(words)}{listed}"


class Writes(Frozen):
    """How a run's changes were sent. ``open`` ones are sent and not confirmed; the next run settles them.

    ``jobs`` includes jobs of an earlier run that this run found.
    """

    singly: int = 0
    in_jobs: int = 0
    jobs: int = 0
    open: int = 0
    without: int = Field(0, description="of those written, without a part that the helpdesk refuses")

    @property
    def text(self) -> str:
        """The counts in words; empty if all are 0."""
        ways = [f"{self.in_jobs} in {self.jobs} job{'s' * (self.jobs != 1)}"] if self.in_jobs else []
        ways += [f"{self.singly} one by one"] if self.singly else []
        ways += [f"{self.without} of them without a part that the helpdesk refuses"] if self.without else []
        ways += [f"{self.open} sent and not confirmed yet, which the next run settles"] if self.open else []
        return ", ".join(ways)


class ClusterUse(Frozen):
    """A run's use of a cluster, in requests to models."""

    workers: int = Field(0, description="at the start of the run")
    threads: int = Field(0, description="of all of them")
    versions: dict[str, str] = Field(default_factory=dict, description="the same on every worker")
    asked: int = 0
    answered: int = Field(0, description="by workers")
    here: int = Field(0, description="made from the run's own machine after all")
    again: int = Field(0, description="made once more because a worker or its answer was lost; they may be paid twice")
    refused_by: str = Field("", description="a worker that has another version or other models")
    lost: str = Field("", description="why the cluster was lost, or not reached at all")


class RunSummary(Frozen):
    """One run in numbers. ``exit_code`` is the process's."""

    run_id: str
    dry_run: bool
    seen: int = 0
    outcomes: dict[str, int] = Field(default_factory=dict)
    reasons: dict[str, int] = Field(default_factory=dict)
    known: dict[str, int] = Field(
        default_factory=dict, description="tickets that came by again and needed nothing, by the reason for it"
    )
    answered_by: dict[str, int] = Field(default_factory=dict)
    sources: dict[str, int] = Field(default_factory=dict, description="the same by kind: model, classifier, rules, …")
    categories: dict[str, int] = Field(default_factory=dict, description="of the tickets that were understood")
    fallbacks: dict[str, int] = Field(
        default_factory=dict, description="why no model answered, of tickets that none did"
    )
    causes: dict[str, str] = Field(
        default_factory=dict,
        description="more on these reasons, for people; not in the log: a server may quote tickets",
    )
    newly_failed: int = Field(0, description="tickets that failed for the first time")
    reviews: int = Field(0, description="tickets that a person should look at (tag ai_review)")
    latencies: dict[str, int] = Field(
        default_factory=dict, description="of tickets that were understood; see Latencies"
    )
    usage: Usage = Field(default_factory=Usage)
    cost_usd: float = 0.0
    unpriced: int = Field(0, description="answers of models without a price")
    price_note: str = Field("", description="whose prices the cost is counted by, where they are not the settings'")
    cached: int = Field(0, description="answers that were given before and cost nothing now")
    forecast: Forecast | None = Field(None, description="of a dry run only")
    requests: dict[str, int] = Field(default_factory=dict)
    cluster: ClusterUse | None = Field(
        None, exclude_if=lambda used: used is None, description="of a run with --cluster only"
    )
    writes: Writes = Writes()
    retry_list: int = 0
    dead_letters: int = 0
    new_dead_letters: int = 0
    due_soon: dict[str, int] = Field(
        default_factory=dict, exclude_if=lambda found: not found, description="service times at risk, by category"
    )
    overdue: dict[str, int] = Field(
        default_factory=dict, exclude_if=lambda found: not found, description="missed within a day and still open"
    )
    duration_s: float = 0.0
    statement: Statement | None = Field(None, description="not of a dry run, which writes nothing")
    remarks: tuple[str, ...] = Field((), description="what somebody may not have meant")
    stopped: str | None = Field(None, description="why the run ended early, if it did")
    stopped_by: str | None = Field(None, description="the kind of error that ended it early, such as HelpdeskDown")
    caught_up: bool = Field(False, description="every ticket that the helpdesk had to give was looked at")
    index_late_s: float | None = Field(None, exclude=True, description="what runs of earlier versions kept")
    log_head: str | None = Field(
        None, description="where the log ended after it: day, lines and mac, to be kept elsewhere"
    )
    exit_code: int = 0


class RunRecord(Frozen):
    """A run as the state keeps it for a month, for health and alerts. Times are Unix seconds."""

    run_id: str
    kind: str = Field("run", description="run, retry, apply or undo")
    by_hand: bool = Field(False, exclude_if=lambda by_hand: not by_hand, description="a person's terminal started it")
    started: float
    finished: float
    summary: RunSummary
