"""Service times as each helpdesk tells them, and the note's sentence about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.clock import iso, parse_iso
from ticket_processor.core.service_times import KeptTimes, ServiceTime, alarming, ends_soon, in_words, service_time
from ticket_processor.helpdesk.local_desk import LocalDesk
from ticket_processor.helpdesk.local_model import NewTicket
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.helpdesk.service_times import freshdesk_times, zendesk_times

from ..cli.conftest import OpenDesk, open_desk
from ..cli.freshdesk_desk import freshdesk
from ..needs.test_service_times import ON, with_policy

__all__ = ["open_desk"]
AT = "2026-05-08T14:00:00Z"
NOW = parse_iso(AT)


def zendesk_row(*metrics: dict[str, Any], **events: list[dict[str, Any]]) -> dict[str, Any]:
    return {"updated_at": AT, "slas": {"policy_metrics": list(metrics)}, "metric_events": events}


def test_zendesks_times_are_read_in_the_form_that_clients_have_recorded() -> None:
    gold = {"type": "apply_sla", "sla": {"target": 60, "policy": {"id": 3, "title": "Gold"}}}
    fulfilled = {"type": "fulfill", "time": "2025-12-18T04:00:00Z"}
    row = zendesk_row(
        {"breach_at": "2026-05-08T14:29:34Z", "stage": "active", "metric": "next_reply_time", "hours": 21},
        {"breach_at": "2025-12-18T03:07:32Z", "stage": "achieved", "metric": "first_reply_time", "days": -141},
        {"breach_at": "2026-05-14T09:03:29Z", "stage": "active", "metric": "periodic_update_time", "days": 7},
        {"breach_at": None, "stage": "paused", "metric": "requester_wait_time"},
        {"breach_at": "nonsense", "stage": "active", "metric": "<b>"},
        reply_time=[gold, fulfilled],
    )
    assert list(zendesk_times(row)) == [
        ServiceTime("next reply", "2026-05-08T14:29:34Z", "Gold"),
        ServiceTime("first reply", "2025-12-18T03:07:32Z", "Gold", "breached"),
        ServiceTime("periodic update", "2026-05-14T09:03:29Z"),
        ServiceTime("requester wait"),
    ]
    assert list(zendesk_times({"updated_at": AT})) == []


def test_zendesk_keeps_what_happens_to_a_resolution_and_to_replies_under_other_names_and_in_any_order() -> None:
    gold, plain = ({"type": "apply_sla", "sla": {"policy": {"title": title}}} for title in ("Gold", "Plain"))
    at = {hour: f"2026-05-08T{hour}:00:00Z" for hour in ("08", "09", "11", "12")}
    row = zendesk_row(
        {"breach_at": at["11"], "stage": "achieved", "metric": "total_resolution_time"},
        {"breach_at": at["09"], "stage": "achieved", "metric": "first_reply_time"},
        {"breach_at": at["11"], "stage": "achieved", "metric": "next_reply_time"},
        resolution_time=[{"type": "fulfill", "time": at["12"]}, {**gold, "time": at["08"]}],
        reply_time=[
            {"type": "fulfill", "time": at["12"]},
            {"type": "fulfill", "time": at["08"]},
            {**gold, "time": at["11"]},
            {**plain, "time": at["08"]},
        ],
    )
    assert [(time.metric, time.policy, time.ended) for time in zendesk_times(row)] == [
        ("total resolution", "Gold", "breached"),
        ("first reply", "Gold", "met"),
        ("next reply", "Gold", "breached"),
    ]


def test_what_makes_no_sense_in_a_service_time_is_left_out() -> None:
    odd: list[Any] = [None, 5, "soon", "1969-07-20T00:00:00Z", "0001-01-01T00:00:00+23:59", "9" * 10_000]
    dues = [zendesk_row({"breach_at": due, "stage": "active", "metric": "first_reply_time"}) for due in odd]
    assert [list(zendesk_times(row)) for row in dues] == [[ServiceTime("first reply")]] * len(odd)
    for slas in (None, [], {"policy_metrics": None}, {"policy_metrics": [None, 7, {"metric": None}]}):
        assert list(zendesk_times({"updated_at": AT, "slas": slas, "metric_events": slas})) == []


def test_the_time_that_ends_first_is_found_whatever_zones_the_times_are_in() -> None:
    times = [
        service_time("resolution", "2026-05-08T14:50:00Z"),
        service_time("first reply", "2026-05-08T16:10:00+02:00"),
    ]
    assert in_words(times, NOW) == "First reply due in 10 min."


def test_freshdesks_times_are_met_or_missed_by_its_statistics() -> None:
    row = {"fr_due_by": "2026-05-08T12:00:00Z", "due_by": "2026-05-09T12:00:00Z", "status": 2}
    assert freshdesk_times(row) == (), "statistics were not asked for"
    stats = {"first_responded_at": "2026-05-08T12:30:00Z", "resolved_at": None, "closed_at": None}
    assert freshdesk_times({**row, "stats": stats}) == (
        ServiceTime("first reply", row["fr_due_by"], ended="breached"),
        ServiceTime("resolution", str(row["due_by"])),
    )
    assert freshdesk_times({**row, "stats": stats, "status": 3})[1] == ServiceTime("resolution"), "its clock stands"


@pytest.mark.parametrize(
    ("due", "policy", "said"),
    [
        (2_400, "Gold", "First reply due in 40 min (from policy Gold)."),
        (-7_200, "", "First reply was due 2 h ago."),
        (5 * 86_400, "own targets", "First reply due in 5 days (from own targets)."),
    ],
)
def test_the_sentence_of_the_note(due: float, policy: str, said: str) -> None:
    times = (ServiceTime("resolution"), service_time("first reply", iso(NOW + due), policy=policy))
    assert in_words(times, NOW) == said
    assert in_words(times, None) == "", "without the helpdesk's clock nothing is said"
    assert ends_soon(times, NOW, 60) is (due < 3600)
    assert not ends_soon(times, None, 60)


def test_what_was_missed_long_ago_alarms_nobody_any_more() -> None:
    def kept(due: float, done: str = "") -> KeptTimes:
        return KeptTimes("billing", "high", NOW, (service_time("first reply", iso(NOW + due), done),))

    found = alarming([kept(1_800), kept(-60), kept(-90_000), kept(90_000), kept(-60, AT)], NOW, 60)
    assert list(found) == [("billing", "at risk"), ("billing", "breached")]
    assert KeptTimes.of(kept(60).row()) == kept(60)
    assert kept(60).read_again(kept(60).times, over=True).times == (), "nobody answers a closed ticket"


def test_own_targets_of_the_local_helpdesk_follow_the_priority(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "helpdesk.sqlite3")
    targets = {"first reply": {"high": 30, "low": 600}, "resolution": {"high": 120}}
    made = store.create(NewTicket("Broken", "It is broken.", "ada@example.com"), NOW)
    desk = LocalDesk(store, lambda: NOW, targets=targets)
    (ticket,) = desk.fetch([made.id]).values()
    assert not isinstance(ticket, Exception)
    first, resolution = KeptTimes("billing", "high", NOW, ()).read_again(ticket.service_times, over=False).times
    assert (first.metric, first.due_at, first.policy) == ("first reply", iso(NOW + 1_800), "own targets")
    assert resolution.due_at == iso(NOW + 7_200)
    plain = LocalDesk(store, lambda: NOW).fetch([made.id])[made.id]
    assert not isinstance(plain, Exception)
    assert plain.service_times == ()
    store.close()


def test_without_the_setting_requests_writes_and_log_are_what_they_were(open_desk: OpenDesk) -> None:
    desk = with_policy(open_desk)
    desk("run", "--since", "1d")
    asked = {request.query["include"] for request in desk.seen if "include" in request.query}
    assert asked == {"users"}
    assert not [line for line in desk.events() if {"service_times", "due_soon", "overdue"} & line.keys()]
    assert not [number for number in desk.tickets if "First reply" in desk.notes(number)[0]["plain_body"]]
    assert not [number for number in desk.tickets if "ai_escalated" in desk.ticket(number)["tags"]]
    off = desk.helpdesk_requests()

    other = with_policy(open_desk)
    other.folder = desk.folder / "other"
    other.folder.mkdir()
    other.configure(ON)
    other("run", "--since", "1d")
    on = other.helpdesk_requests()
    assert {each for each in on if each.startswith("GET")} == {each for each in off if each.startswith("GET")}
    assert desk.tickets[3].tags == other.tickets[3].tags, "what is not due soon is labelled as ever"


def test_a_ticket_of_freshdesk_is_escalated_before_its_time_is_over(tmp_path: Path) -> None:
    with freshdesk(tmp_path) as desk:
        now = desk.sandbox.clock.now()
        times = {"fr_due_by": iso(now + 1_800), "due_by": iso(now + 86_400)}
        number = desk.add("Invoice", "Charged twice, please check my invoice.", created_at=now - 3_600, **times)
        desk.configure(ON)
        desk("run", "--since", "1d")
        assert "First reply due in 30 min." in desk.notes(number)[0]["body"]
        assert "ai_escalated" in desk.ticket(number)["tags"]


def test_a_note_says_how_much_time_is_left_when_it_is_written(open_desk: OpenDesk) -> None:
    desk = with_policy(open_desk)
    desk.configure(ON)
    desk("run", "--dry-run", "--since", "1d", "--out", "planned.jsonl")
    desk.advance(1_200)
    desk("apply", "planned.jsonl")
    head, second, *_ = desk.notes(2)[0]["plain_body"].splitlines()
    assert head.startswith("Triage")
    assert second == "First reply due in 20 min (from policy Gold)."


def test_the_name_of_a_policy_is_shown_as_harmless_words(open_desk: OpenDesk) -> None:
    desk = with_policy(open_desk)
    title = (
        "Gold\nEscalation: pay \u202e[here](https://evil.example) {{ticket.id}} <b>4111 1111 1111 1111</b> "
        + "x" * 5_000
    )
    desk.sandbox.store.sla_policy = {**desk.sandbox.store.sla_policy, "title": title}
    desk.configure(ON)
    desk("run", "--since", "1d")
    line = desk.notes(2)[0]["plain_body"].splitlines()[1]
    assert line.startswith("First reply due in 40 min (from policy Gold Escalation: pay here")
    assert len(line) < 150
    assert not [part for part in ("\u202e", "{{", "<b>", "](", "evil", "4111") if part in line]
