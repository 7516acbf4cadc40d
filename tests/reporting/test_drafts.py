from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.clock import Deadline
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.helpdesk.transport import Auth
from ticket_processor.learning.overrides import words_of
from ticket_processor.policy.decide import Policy
from ticket_processor.replies.assembly import DRAFT_END, DRAFT_HEAD
from ticket_processor.reporting.drafts import DraftUse, LoggedNote, Use, draft_use, read_drafts
from ticket_processor.reporting.index import LogIndex
from ticket_processor.reporting.queries import LogSelection, offered_drafts
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID, Comment
from ticket_processor.zendesk import Zendesk

from ..helpdesk.test_zendesk import KNOWN, Account
from ..support.fakes import START
from ..support.log_days import at, receipt, write_log

SCANNER = (
    "Hello,\n\nthank you for your message. Our articles say this about it:\n\n"
    "The scanner stops when the paper tray is open. [1] Close the tray until it clicks and press the green button. [1] "
    "A red light means that the glass has to be cleaned with a dry cloth. [2]\n\n"
    "You can read more here:\n[1] Scanner stops, https://help.example.com/scanner\n[2] Lights\n\nKind regards"
)
VACATION = (
    "Guten Tag,\n\nvielen Dank für Ihre Nachricht. In unseren Artikeln steht dazu:\n\n"
    "Urlaub beantragen Sie im Portal unter „Abwesenheiten“. [1] Die Vertretung bestätigt den Antrag innerhalb von zwei "
    "Tagen. [1] Resturlaub verfällt am 31. März des nächsten Jahres. [1]\n\n"
    "Hier können Sie mehr lesen:\n[1] Urlaub\n\nMit freundlichen Grüßen"
)
TICKETS = (
    "Buongiorno,\n\nIl biglietto si può cambiare fino a due ore prima della partenza. [1] Il cambio è gratuito per chi "
    "ha la tariffa flessibile. [1] Per la tariffa base si pagano dieci euro allo sportello. [1]"
)
EDITS: tuple[tuple[str, str, Use], ...] = (
    (SCANNER, SCANNER, "used"),
    (
        SCANNER,
        "Hi Jo,\n\nThe scanner stops when the paper tray is open. Close the tray until it clicks and press the green "
        "button. A red light means the glass has to be cleaned with a dry cloth.\n\nCheers,\nMia",
        "used",
    ),
    (SCANNER, "Hi Jo, please close the paper tray until it clicks and press the green button.", "edited"),
    (
        SCANNER,
        "Hi Jo, that happens when the tray is open: close the paper tray firmly and press the green button again. We "
        "have also ordered a new lid for you, which should be at your desk on Monday.",
        "edited",
    ),
    (SCANNER, "Hi Jo, a technician comes by this afternoon and takes the device along for repair.", "ignored"),
    (SCANNER, "Hello, thank you for your message. We are looking into it.\n\nKind regards", "ignored"),
    (
        SCANNER,
        "We will send somebody.\n\n> The scanner stops when the paper tray is open. Close the tray until it clicks\n"
        "> and press the green button. A red light means that the glass has to be cleaned with a dry cloth.",
        "ignored",
    ),
    (
        VACATION,
        "Hallo Kim, Urlaub beantragst du im Portal unter „Abwesenheiten“. Die Vertretung bestätigt den Antrag "
        "innerhalb von zwei Tagen. Resturlaub verfällt am 31. März des nächsten Jahres.",
        "used",
    ),
    (VACATION, "Hallo Kim, Resturlaub verfällt am 31. März des nächsten Jahres.", "edited"),
    (VACATION, "Hallo Kim, dein Antrag liegt noch bei mir, ich habe ihn eben freigegeben.", "ignored"),
    (VACATION, "Guten Tag, das weiß ich leider nicht, bitte wenden Sie sich an die Personalabteilung.", "ignored"),
    (
        TICKETS,
        "Gentile cliente, il biglietto si può cambiare fino a due ore prima della partenza. Il cambio è gratuito per "
        "chi ha la tariffa flessibile. Per la tariffa base si pagano dieci euro allo sportello. Buon viaggio!",
        "used",
    ),
    (TICKETS, "Buongiorno, con la tariffa flessibile il cambio è gratuito, fino a due ore prima.", "edited"),
    (TICKETS, "Buongiorno, il treno delle 9 è soppresso: le rimborsiamo tutto oggi stesso.", "ignored"),
)


@pytest.mark.parametrize(("draft", "reply", "use"), EDITS)
def test_a_draft_is_used_edited_or_ignored_by_its_own_words_in_the_reply(draft: str, reply: str, use: Use) -> None:
    assert draft_use(draft, [reply]) == use


DRAFT = "Print the return label from your account and hand the parcel in at any post office. [1]"
NOTE = f"Triage: refund.\n{DRAFT_HEAD}\n{DRAFT}\n{DRAFT_END}\nRef tb-12345678"


class Answered:
    """An account whose tickets get notes of ours with a draft, and answers of people."""

    def __init__(self) -> None:
        self.account = Account()
        self.notes: dict[int, LoggedNote] = {}

    def noted(self) -> int:
        number = self.account.add(requester={"name": "Ana Lima", "email": "ana@example.com"})
        self.account.clock.wait(60)
        custom = {"ticketbot": {"key": f"key-{number}", "intent": f"run-1-{number}"}}
        ticket = self.account.store.tickets[number]
        self.account.store.change(ticket, {}, actor="api", author_id=BOT_ID, comment=Comment(NOTE), custom=custom)
        self.account.clock.wait(60)
        self.notes[number] = LoggedNote(NOTE, f"key-{number}")
        return number

    def said(self, number: int, text: str, author: int = PERSON_ID) -> None:
        self.account.store.person_edit(number, comment=text, public=True, author_id=author)

    def customer(self, number: int) -> int:
        return int(self.account.store.tickets[number].json["requester_id"])

    def read(self, notes: Mapping[int, LoggedNote] | None = None) -> DraftUse:
        transport = self.account.connect(Auth(f"Bearer {KNOWN.oauth_token}"))  # with a time limit of its own
        return read_drafts(
            Zendesk(transport),
            [*self.notes],
            self.notes if notes is None else notes,
            deadline=Deadline(self.account.clock, 1e9),
            words=words_of(Policy(), default_taxonomy()),
        )


def test_drafts_are_judged_by_what_people_sent_and_others_are_left_out_with_a_reason() -> None:
    desk = Answered()
    used, edited, ignored, waiting, erased = (desk.noted() for _ in range(5))
    desk.said(used, "Hi Ana, print the return label from your account and hand the parcel in at any post office.")
    desk.said(edited, "Hi Ana, please hand the parcel in at any post office.")
    desk.said(ignored, "Hi Ana, I have just sent you another pair.")
    desk.said(waiting, "Any news?", desk.customer(waiting))
    desk.said(erased, "Hi Ana")
    found = desk.read(notes={number: note for number, note in desk.notes.items() if number != erased})
    assert (found.used, found.edited, found.ignored, found.histories) == (1, 1, 1, 5)
    assert found.left_out == {"not answered by a person yet": 1, "whose note is no longer in the log": 1}
    assert "parcel" not in found.model_dump_json()


def test_of_each_edited_draft_the_difference_is_told_redacted_and_never_in_json() -> None:
    desk = Answered()
    used, edited, later = desk.noted(), desk.noted(), desk.noted()
    desk.said(used, "Hi Ana, print the return label from your account and hand the parcel in at any post office.")
    desk.said(edited, "Ana, please hand the parcel in at any post office. Write to bo@example.com.\n\n> We wait")
    card = " evil.com ".join(("4111", "1111", "1111", "1111"))  # whole once the links in it are gone
    desk.said(later, f"Please hand the parcel in at any post office. Your card {card} is charged.")
    found = desk.read()
    assert [one.ticket_id for one in found.edits] == [later, edited], "the newest first"
    assert found.edits[0].put_in.endswith("Your card [CARD_1] is charged.")
    told = found.edits[1]
    assert told.taken_out == "Print the return label from your account and"
    assert told.put_in == "[NAME_1], please ... Write to [EMAIL_1]."
    assert "edits" not in found.model_dump()
    assert "please" not in found.model_dump_json()


def test_the_last_note_of_a_ticket_counts_and_none_where_we_answered_the_customer_ourselves(tmp_path: Path) -> None:
    def line(ticket_id: int, when: str, offered: str = "draft", **facts: Any) -> dict[str, Any]:
        made = receipt(ticket_id, when, **facts)
        made["change"]["offered"] = {"kind": offered}
        return made

    answered = receipt(1, "11-19 09:10", analysis=None)
    answered["change"]["reply"] = {"category": "billing"}
    write_log(
        tmp_path,
        [
            line(1, "11-19 09:00"),
            answered,
            line(2, "11-19 08:00", "articles"),
            line(3, "11-19 08:00", outcome="failed"),
            line(4, "11-18 08:00"),
            line(5, "11-19 08:00", dry_run=True),
            receipt(6, "11-19 08:00"),
            line(9, "11-19 08:00"),
            line(10, "11-19 08:00"),
            line(10, "11-19 09:00", "articles"),
        ],
    )
    with LogIndex(tmp_path, lambda: START) as index:
        found = offered_drafts(index, LogSelection(since=at("11-19 00:00"), until=at("11-20 00:00")))
    assert found == {9: "20261120T080000Z-aaaaaa"}
