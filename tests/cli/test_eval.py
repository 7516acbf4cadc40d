"""``ticketbot eval``: analysers on labelled files, and on solved tickets, of which nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import OpenDesk

KINDS = (
    ("Charged twice", "I was charged twice for my subscription. Please check my invoice.", "billing", "high"),
    ("Error on login", "The app shows an error and crashes whenever I start it.", "technical", "urgent"),
    ("Where is my order?", "My parcel has not arrived, the tracking page says nothing.", "order", "normal"),
    ("Refund please", "I want my money back, please refund the amount.", "refund", "low"),
)
REQUESTER = {"name": "Melody Makerson", "email": "melody@example.com"}


def numbered(count: int) -> list[tuple[int, tuple[str, str, str, str]]]:
    return [(n, KINDS[n % 4]) for n in range(count)]


def test_our_own_labels_are_no_evidence_until_it_was_collected_what_people_made_of_them(open_desk: OpenDesk) -> None:
    desk = open_desk(8)
    desk("run", "--since", "1d", "--quiet")
    for number in desk.tickets:
        desk.sandbox.store.person_edit(number, status="solved")
    desk.advance(600)
    refused = desk("eval", "--from-helpdesk", code=2)
    assert "8 triaged by ticketbot" in refused.err
    assert "learn collect" in refused.err
    desk("learn", "collect")
    before = len(desk.sandbox.store.history)
    desk.seen.clear()
    told = desk("eval", "--from-helpdesk", "--json").object
    assert (told["compared"], told["ours"], len(desk.sandbox.store.history)) == (8, 8, before)
    assert {line for line in desk.helpdesk_requests() if not line.startswith("GET ")} == {"POST /oauth/tokens"}


def test_a_model_sees_the_tickets_redacted_and_no_report_shows_them(open_desk: OpenDesk, tmp_path: Path) -> None:
    secret = "melody.maker@example.org"
    desk = open_desk(
        [
            {
                "subject": f"{kind[0]} ({n})",
                "body": f"{kind[1]} Write to {secret}. Yours, Melody Makerson, of the crew",
                "age": 40_000.0 - n,
                "requester": REQUESTER,
                "tags": [kind[2]],
                "status": "solved",
            }
            for n, kind in numbered(8)
        ],
        model=True,
    )
    ended = desk("eval", "--from-helpdesk", "--analyser", "chain", "--out", "report.html")
    asked = desk.model_requests()
    assert len(asked) == 8
    told = "".join(request.body.decode() for request in asked)
    assert secret not in told
    assert "Makerson" not in told
    assert secret not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert secret not in ended.out + ended.err


def labelled(folder: Path) -> Path:
    rows = [
        {"id": f"r{n}", "subject": kind[0], "body": f"{kind[1]} ({n})", "category": kind[2]} for n, kind in numbered(4)
    ]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_a_model_that_is_not_in_the_settings_can_be_named(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(0, model=True)
    path = str(labelled(tmp_path))
    environ = {"TICKETBOT_MODELS": "", "OPENAI_BASE_URL": f"{desk.url}/v1"}
    told = desk("eval", path, "--analyser", "model:sandbox-model", "--analyser", "rules", "--json", **environ).object
    assert told["analysers"][0]["sources"][0]["answered_by"] == {"sandbox-model": 4}
