"""``ticketbot run`` with many tickets: few requests, and the statement at the end with what is read for it."""

from __future__ import annotations

from ticket_processor.sandbox.store import BOT_ID

from .conftest import Desk, OpenDesk


def exactly_once(desk: Desk) -> None:
    """Every ticket is done, and its one note of ours is internal."""
    desk.assert_done()
    for number in desk.tickets:
        (audit,) = [audit for audit in desk.tickets[number].audits if audit.author_id == BOT_ID]
        assert audit.comment_public is False
        assert set(audit.custom["ticketbot"]) == {"key", "intent"}


def test_many_tickets_take_few_requests_and_the_log_says_why(open_desk: OpenDesk) -> None:
    desk = open_desk(100)
    ended = desk("run", "--since", "1d", "--json")
    exactly_once(desk)
    assert ended.object["outcomes"] == {"updated": 100}
    asked = desk.helpdesk_requests()
    assert not any(line.startswith("PUT") and not line.endswith("/update_many") for line in asked)
    assert sum(not line.endswith("/audits") for line in asked) <= 12
    assert len(asked) <= 40  # the first five and a sample of the rest are looked at closely
    (line,) = [line for line in desk.events("alert") if line["what"] == "write_mode"]
    assert (line["mode"], line["why"].partition(" ")[2]) == ("batch", "tickets are under way")
    told = [line for line in desk.events("ticket") if line["job"]]
    assert len(told) == 100
    assert set(told[0]["change"]) >= {"tags_added", "priority", "note", "stamp", "key"}
    intents = [line["intent"] for line in desk.events("intent")]
    assert {line["intent"] for line in told} <= set(intents)
    assert len(intents) == 101, "the trial's stale item was sent again"


def audits_read(desk: Desk) -> int:
    return sum("/audits" in line for line in desk.helpdesk_requests())


def test_a_run_swears_to_what_it_wrote_and_reads_twenty_writes_back(open_desk: OpenDesk) -> None:
    read = 20
    desk = open_desk(22)
    ended = desk("run", "--since", "1d")
    zeros = "0 human values changed, 0 foreign tags removed, 0 public comments"
    assert f"  statement: 22 written, {read} read back: {zeros}\n" in ended.out
    assert audits_read(desk) == read
    (line,) = desk.events("run_finished")
    assert (line["statement"]["written"], line["statement"]["checked"]) == (22, read)
    (plain,) = desk.logs.glob("*.log")
    assert f"; 22 written, {read} read back: {zeros}; exit code 0" in plain.read_text(encoding="utf-8")
