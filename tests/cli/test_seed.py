"""``ticketbot seed``: invented tickets into an account, once, and only where they belong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from ticket_processor.seeding.corpus import EXTERNAL_ID_PREFIX, load_corpus

from .conftest import Desk, OpenDesk, Unmarked


def external_ids(desk: Desk) -> list[str]:
    return [desk.ticket(number)["external_id"] for number in desk.tickets]


def test_the_corpus_lands_once_and_a_run_can_follow(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    first = desk("seed")
    ids = external_ids(desk)
    assert len(ids) == len(set(ids)) == len(load_corpus()) >= 60
    assert all(name.startswith(EXTERNAL_ID_PREFIX) for name in ids)
    assert f"{len(ids)} tickets created, 0 were there already, 0 refused" in first.out
    assert "sandbox" in first.out
    assert first.err == ""

    second = desk("seed")
    assert external_ids(desk) == ids
    assert f"0 tickets created, {len(ids)} were there already" in second.out

    desk.advance(120)
    desk("run", "--since", "1d", "--no-llm", "--quiet")
    assert len(desk.marked()) >= 60


def test_a_file_of_ones_own_may_be_packed(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    own = [{"subject": f"Nr. {n}", "body": "Größe und Farbe stimmen nicht 🙂", "id": f"own-{n}"} for n in range(3)]
    with gzip.open(desk.folder / "own.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in own)
    desk("seed", "--file", "own.jsonl.gz")
    assert {desk.ticket(number)["subject"] for number in desk.tickets} == {"Nr. 0", "Nr. 1", "Nr. 2"}
    assert "🙂" in desk.ticket(1)["description"]
    assert set(external_ids(desk)) == {f"{EXTERNAL_ID_PREFIX}own-{n}" for n in range(3)}


def test_an_account_that_looks_like_production_is_refused_unless_somebody_insists(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    (tmp_path / "own.jsonl").write_text('{"subject": "a"}\n{"subject": "b"}\n', encoding="utf-8")
    desk = open_desk(3, kind=Unmarked, plan="enterprise")
    refused = desk("seed", "--file", "own.jsonl", code=2)
    assert "looks like production" in refused.err
    assert "127.0.0.1" in refused.err
    assert "300 a minute" in refused.err
    assert "--yes-this-is-a-sandbox" in refused.err
    assert all(request.startswith("GET ") or "oauth" in request for request in desk.helpdesk_requests())
    assert len(desk.tickets) == 3

    desk("seed", "--file", "own.jsonl", "--yes-this-is-a-sandbox")
    assert len(desk.tickets) == 5


def test_a_trial_account_is_known_by_its_limits(open_desk: OpenDesk, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"subject": "a"}\n', encoding="utf-8")
    desk = open_desk(0, kind=Unmarked, plan="sandbox")
    assert "limit of 40" in desk("seed", "--file", "own.jsonl").out
    assert len(desk.tickets) == 1


def test_seeding_needs_an_account_and_the_right_credentials(open_desk: OpenDesk) -> None:
    desk = open_desk(0)
    assert desk("seed", code=3, ZENDESK_OAUTH_CLIENT_SECRET="wrong").err
    assert "ZENDESK_SUBDOMAIN" in desk("seed", code=2, ZENDESK_URL="").err


def test_a_lost_reply_is_not_repeated_and_seeding_again_doubles_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk(0, faults="lost-reply:POST:/tickets:times=1")
    ended = desk("seed", "--count", "20", code=3)
    assert "seed again" in ended.err
    assert sum(name.startswith("POST /api/v2/tickets") for name in desk.helpdesk_requests()) == 1
    desk("seed", "--count", "20")
    assert len(external_ids(desk)) == len(set(external_ids(desk))) == 20
