"""A real Request Tracker: the rows of the contract, and what RT does otherwise than an imitation would guess."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.errors import OutcomeUnknown, UpdateConflict, UpdateRefused, WaitForEarlier
from ticket_processor.helpdesk.http_messages import Reply
from ticket_processor.helpdesk.request_tracker import RequestTracker
from ticket_processor.helpdesk.request_tracker_format import Shape, note_body
from ticket_processor.helpdesk.request_tracker_reads import lacking, own_user
from ticket_processor.state.store import State

from ..helpdesk import test_contract as contract
from ..support.fakes import told_apart
from .request_tracker import MISSING, ORDER, RequestTrackerOffice, Server, installed, served, ticket_of

SILENT = """
use strict; use warnings; use RT -init;
my $queue = RT::Queue->new(RT->SystemUser); $queue->Load('Support');
$queue->AddWatcher(Type => 'AdminCc', Email => 'lead@example.test');
my $scrips = RT::Scrips->new(RT->SystemUser); $scrips->UnLimit;
my $own = RT::ScripCondition->new(RT->SystemUser); $own->Load('User Defined');
while (my $scrip = $scrips->Next) {
    next unless $scrip->Description =~ /^On Comment/;
    $scrip->SetScripCondition($own->Id);
    $scrip->SetCustomIsApplicableCode('my $t = $self->TransactionObj; $t->Type eq "Comment" && '
                                      . '$t->CreatorObj->Name ne "ticketbot"');
}
"""
"""An AdminCc, and the condition of docs/request-tracker.md on both scrips that mail comments."""
MERGE = """
use strict; use warnings; use RT -init;
my $ticket = RT::Ticket->new(RT->SystemUser); $ticket->Load(%d); $ticket->MergeInto(%d);
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not installed(), reason=MISSING)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("rt")) as running:
        yield running


@pytest.fixture
def office(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RequestTrackerOffice:
    monkeypatch.setattr(contract, "FINANCE", 4)
    monkeypatch.setattr(contract, "ORDER", ORDER)
    return RequestTrackerOffice(server, tmp_path)


ROWS = {name: row for name, row in vars(contract).items() if name.startswith("test_")}
globals().update(ROWS)


def test_a_note_is_mailed_to_nobody_where_the_scrips_leave_ticketbot_out(office: RequestTrackerOffice) -> None:
    server = office.server
    server.perl(SILENT)
    server.stop()
    server.start()  # its processes keep watchers in memory
    number = office.add()
    office.desk.update(contract.whole(contract.one(office, number), group=None))
    assert "Ref tb-" not in server.mails()
    server.call("POST", f"/ticket/{number}/comment", json={"Content": "By hand.", "ContentType": "text/plain"})
    assert "By hand." in server.mails()
    assert office.desk.troubles == []


def test_an_undo_brings_back_the_number_of_the_priority(office: RequestTrackerOffice) -> None:
    number = office.add()
    office.server.call("PUT", f"/ticket/{number}", json={"Priority": 5})
    ticket = contract.one(office, number)
    assert ticket.priority is None
    office.desk.update(contract.whole(ticket))
    assert ticket_of(office.server, number)["Priority"] == "80"
    back = contract.change_of(contract.one(office, number), cleared=("priority",), puts_back=True, key="1" * 32)
    office.desk.update(back)
    assert ticket_of(office.server, number)["Priority"] == "5"


def test_a_merged_ticket_is_gone_under_its_old_number(office: RequestTrackerOffice) -> None:
    survivor, merged = office.add(), office.add()
    office.server.perl(MERGE % (merged, survivor))
    assert told_apart(office.desk.fetch([survivor, merged])) == ([survivor], [])


def test_doctor_names_a_field_and_a_right_that_are_missing(office: RequestTrackerOffice) -> None:
    office.add()
    assert lacking(office.transport, "Tags") == []
    missing = sorted(lacking(office.transport, "Labels"))
    assert [text.partition(":")[0] for text in missing] == [
        "queue 'Finance' shows no field 'Labels'",
        "queue 'Support' shows no field 'Labels'",
    ]


def test_a_persons_change_between_the_last_look_and_the_update_stays_and_the_note_is_not_sent_again(
    office: RequestTrackerOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, send = office.add(), office.transport.request

    def beside(method: str, path: str, **given: Any) -> Reply:
        if method == "PUT":
            office.agent(number, add_tags=["theirs"])
        return send(method, path, **given)

    with monkeypatch.context() as patched:
        patched.setattr(office.transport, "request", beside)
        with pytest.raises(UpdateConflict):
            office.desk.update(contract.whole(contract.one(office, number)))
    assert contract.one(office, number).tags == ("theirs",)
    office.desk.update(contract.whole(contract.one(office, number)))
    assert set(contract.one(office, number).tags) == {"theirs", "ai_billing", "ai_processed"}
    assert len(office.notes(number)) == 1


def test_with_another_state_folder_no_note_is_sent_a_second_time(office: RequestTrackerOffice, tmp_path: Path) -> None:
    number = office.add()
    planned = contract.whole(contract.one(office, number))
    office.server.call("POST", f"/ticket/{number}/comment", "ticketbot", json=note_body(planned))
    state, own = State(tmp_path / "other.sqlite3"), own_user(office.transport, "ticketbot")
    desk = RequestTracker(office.transport, state, Shape(), own)
    desk.update(contract.whole(desk.fetch([number])[number]))
    assert len(office.notes(number)) == 1


def test_a_note_that_shows_no_reference_stops_the_write_before_anything_else_changes(
    office: RequestTrackerOffice,
) -> None:
    number = office.add()
    office.server.sql("UPDATE CustomFields SET Disabled = 1 WHERE Name = 'Triage run'")
    try:
        with pytest.raises(UpdateRefused, match="ModifyCustomField"):
            office.desk.update(contract.whole(contract.one(office, number)))
    finally:
        office.server.sql("UPDATE CustomFields SET Disabled = 0 WHERE Name = 'Triage run'")
    assert contract.one(office, number).tags == ()


@pytest.mark.parametrize("arrived", [True, False])
def test_a_note_without_an_answer_is_looked_for_and_waited_for_before_it_is_sent_again(
    office: RequestTrackerOffice, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    number, send = office.add(), office.transport.request

    def lost(method: str, path: str, **given: Any) -> Reply:
        if method == "POST":
            if arrived:
                send(method, path, **given)
            raise OutcomeUnknown("the connection failed after sending")
        return send(method, path, **given)

    with monkeypatch.context() as patched:
        patched.setattr(office.transport, "request", lost)
        with pytest.raises(OutcomeUnknown):
            office.desk.update(contract.whole(contract.one(office, number)))
    planned = contract.whole(contract.one(office, number))
    if arrived:
        office.desk.update(planned)
    else:
        with pytest.raises(WaitForEarlier):
            office.desk.update(planned)
    assert len(office.notes(number)) == arrived
