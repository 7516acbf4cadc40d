"""Service times as Zendesk and Freshdesk tell them with a ticket; pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.service_times import ServiceTime, service_time
from .http_messages import mapping, mappings, string

SIDE_LOADS = "users,slas,metric_events"
"""What Zendesk is asked for with tickets: no request more."""
_METRIC = re.compile(r"^[a-z_]{1,40}_time$")


def zendesk_times(row: Mapping[str, Any]) -> Iterator[ServiceTime]:
    """A ticket's service times, where they were side-loaded; the names of policies stand in its metric events.

    developer.zendesk.com/documentation/ticketing/using-the-zendesk-api/side_loading and
    .../reference-guides/ticket-metric-event-types-reference. The form of ``slas`` is what public clients have recorded.
    """
    events = mapping(row.get("metric_events"))
    for item in mappings(mapping(row.get("slas")).get("policy_metrics")):
        name, due = string(item.get("metric")), string(item.get("breach_at"))
        if not _METRIC.match(name):
            continue
        kind = "reply_time" if name.endswith("reply_time") else name.removeprefix("total_")
        happened = sorted(mappings(events.get(kind)), key=lambda each: string(each.get("time")))
        applied = [mapping(mapping(each.get("sla")).get("policy")).get("title") for each in happened if each.get("sla")]
        kept = [string(each.get("time")) for each in happened if each.get("type") == "fulfill"]
        done = ""
        if item.get("stage") == "achieved":
            # Without a record of when, Zendesk's word is all there is.
            done = (kept[0] if name == "first_reply_time" else kept[-1]) if kept else due or string(row["updated_at"])
        words = name.removesuffix("_time").replace("_", " ")
        paused = item.get("stage") == "paused"
        yield service_time(words, "" if paused else due, done, string(applied[-1]) if applied else "")


def freshdesk_times(row: Mapping[str, Any]) -> tuple[ServiceTime, ...]:
    """A ticket's service times, of a row with ``stats`` (developers.freshdesk.com/api, "View a Ticket").

    Freshdesk names no policy, and its clocks stand still while a ticket is pending. ``fr_escalated`` is not used: it is
    only set where the policy sends reminders.
    """
    if "stats" not in row:
        return ()
    stats, waits = mapping(row.get("stats")), row.get("status") == 3
    done = {"fr_due_by": stats.get("first_responded_at"), "due_by": stats.get("resolved_at") or stats.get("closed_at")}
    return tuple(
        service_time(metric, "" if waits and not done[name] else string(row.get(name)), string(done[name]))
        for metric, name in (("first reply", "fr_due_by"), ("resolution", "due_by"))
        if row.get(name)
    )
