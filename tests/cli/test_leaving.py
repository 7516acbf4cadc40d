"""An export and its import as a person types them: nothing is lost, overwritten, doubled, or brought back."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_processor.helpdesk.local_model import NewTicket
from ticket_processor.learning.gate import PinnedCase, pin, pinned
from ticket_processor.learning.store import Correction, CorrectionStatus, LearningStore
from ticket_processor.state import sqlite

from .accounts import LocalCommand
from .conftest import Command

ZENDESK = {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": "zendesk-canary-1"}
CORRECTION = Correction(0, 7, "category", "general", "billing", 5, "person", 100.0, text="quokka charged twice")
PIN = PinnedCase(0, 7, "category", "is", "billing", "quokka")
DECIDED: tuple[CorrectionStatus, ...] = ("pending", "approved", "rejected", "expired")


@contextmanager
def learning(command: Command) -> Iterator[LearningStore]:
    with closing(LearningStore(command.state / "learning.sqlite3")) as store:
        yield store


def learnt(command: Command) -> dict[int, tuple[str, str, str]]:
    """Each ticket's correction: what people say, its status, and who decided it."""
    with learning(command) as store:
        return {item.ticket_id: (item.theirs, item.status, item.approved_by) for item in store.corrections()}


@pytest.fixture
def first(tmp_path: Path) -> Command:
    """A Zendesk account with two approved corrections, one that waits, and a pin."""
    command = machine(tmp_path / "first")
    command.configure('[policy]\ntag_prefix = "own_"\n')
    with learning(command) as store:
        store.keep([], [replace(CORRECTION, ticket_id=number) for number in (7, 8, 9)])
        store.decide([1, 2], "approved", "ana", 300.0)
        pin(store, [PIN], "bo", 301.0)
    return command


def machine(folder: Path, **environ: str) -> Command:
    folder.mkdir()
    return Command(folder, {**ZENDESK, **environ})


def moved(first: Command, second: Command, code: int = 0) -> str:
    """Export here and import there; what the import says."""
    first("local", "export", "bundle.jsonl")
    done = second("local", "import", str(first.folder / "bundle.jsonl"), code=code)
    return done.out + done.err


def test_what_was_approved_arrives_once_with_its_authors_and_can_be_taken_back(first: Command, tmp_path: Path) -> None:
    second = machine(tmp_path / "second")
    assert "2 approved corrections and 1 pin imported" in moved(first, second)
    assert "0 approved corrections and 0 pins imported" in moved(first, second)
    assert learnt(second) == dict.fromkeys((7, 8), ("billing", "approved", "ana"))
    with learning(second) as store:
        assert [(one.ticket_id, one.wanted, one.text) for one in pinned(store)] == [(7, "category billing", "quokka")]
    second("learn", "undo", "1")
    assert learnt(second)[7] == ("billing", "pending", "")
    assert (second.folder / "ticketbot.toml").read_text("utf-8") == (first.folder / "ticketbot.toml").read_text("utf-8")


def test_what_is_there_stays_settings_pins_and_decisions(first: Command, tmp_path: Path) -> None:
    second = machine(tmp_path / "second")
    second.configure("# mine\n")
    with learning(second) as store:
        store.keep([], [replace(CORRECTION, ticket_id=7), replace(CORRECTION, ticket_id=8)])
        store.decide([1], "rejected", "cy", 200.0)
        pin(store, [PinnedCase(0, 7, "category", "is", "refund", "mine")], "cy", 200.0)
    for _ in range(2):
        assert "stays as it is" in moved(first, second)
    assert learnt(second) == {7: ("billing", "rejected", "cy"), 8: ("billing", "approved", "ana")}
    with learning(second) as store:
        assert [one.value for one in pinned(store)] == ["refund"]
    assert (second.folder / "ticketbot.toml").read_text("utf-8") == "# mine\n"
    (beside,) = second.folder.glob("ticketbot.toml.imported-*")
    assert beside.read_text("utf-8") == (first.folder / "ticketbot.toml").read_text("utf-8")


def test_erased_tickets_neither_leave_nor_come_back(first: Command, tmp_path: Path) -> None:
    second = machine(tmp_path / "second")
    moved(first, second)
    old = (first.folder / "bundle.jsonl").read_text("utf-8")
    (first.folder / "old.jsonl").write_text(old, encoding="utf-8")
    first("audit", "erase", "--ticket", "7", "--yes")

    first("local", "import", "old.jsonl")
    assert sorted(learnt(first)) == [8, 9]
    moved(first, second)
    second("local", "import", str(first.folder / "old.jsonl"))
    assert learnt(second).keys() == {8}
    with learning(second) as store:
        assert pinned(store) == []
        store.forget([8])
    assert not any(b"quokka" in path.read_bytes() for path in second.state.glob("learning*"))
    assert '"ticket_id":7' not in (first.folder / "bundle.jsonl").read_text("utf-8")


@pytest.mark.parametrize("at", ["commit", "vacuum"])
def test_an_import_that_the_disk_ends_is_finished_by_its_repetition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    first, second = (LocalCommand(tmp_path / name) for name in ("first", "second"))
    first.configure("# ours\n")
    first.store.create(NewTicket("Charged twice", "text", "ada@example.com"), time.time())
    with learning(first) as store, learning(second):
        store.keep([], [replace(CORRECTION, ticket_id=1)])
        store.decide([1], "approved", "ana", 300.0)
    first("local", "export", "bundle.jsonl")

    whole = sqlite.transaction

    @contextmanager
    def full(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        with whole(db):
            yield db
            raise sqlite3.OperationalError("database or disk is full")

    def no_room(_db: sqlite3.Connection) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    bundle = str(first.folder / "bundle.jsonl")
    with monkeypatch.context() as broken:
        broken.setattr(sqlite, *{"commit": ("transaction", full), "vacuum": ("emptied", no_room)}[at])
        assert "disk is full" in second.here("local", "import", bundle, code=None).err
    assert second.store.ticket(1) is not None
    assert (second.folder / "ticketbot.toml").exists() == (at == "vacuum"), "what was not committed leaves nothing"
    assert f"{int(at == 'commit')} approved correction" in second("local", "import", bundle).out
    assert learnt(second) == {1: ("billing", "approved", "ana")}
    assert (second.folder / "ticketbot.toml").read_text("utf-8") == "# ours\n"
    for command in (first, second):
        command.close()


def test_an_erased_customer_of_the_local_helpdesk_takes_along_what_was_learnt_of_the_tickets(tmp_path: Path) -> None:
    desk = LocalCommand(tmp_path)
    for name in ("ada", "bob"):
        desk.store.create(NewTicket("Charged twice", "text", f"{name}@example.com"), time.time())
    with learning(desk) as store:
        store.keep([], [replace(CORRECTION, ticket_id=number) for number in (1, 2)])
        store.decide([1, 2], "approved", "ana", 300.0)
    desk("local", "export", "old.jsonl")
    desk("local", "erase", "ada@example.com", "--yes")
    desk("local", "export", "new.jsonl")

    kinds = [json.loads(line) for line in (tmp_path / "new.jsonl").read_text("utf-8").splitlines()]
    assert [line["value"]["ticket_id"] for line in kinds if line["kind"] == "correction"] == [2]
    assert "another person with this id" in desk("local", "import", "old.jsonl", code=2).err
    desk.close()


@pytest.mark.parametrize(
    ("settings", "env", "line"),
    [
        ("# the old key was sk-abcdefghijklmnopqrstuvwxyz0123456789\n", "", 1),
        ("[portal]\nname = 'zendesk-canary-1'\n", "", 2),
        ("# ours\n# page_urls: slack://canary/canary/canary\n", "", 2),
        ("# TICKETBOT_MCP_TOKEN = canary\n", "", 1),
        ("# fine\n# from .env: quokka-quokka\n", "OPENAI_API_KEY=quokka-quokka\n", 2),
        ("# ours\n", "ZENDESK_WEBHOOK_SECRET=canary-0123456789\nACME_KEY=canary-x\n", 0),
        ("[models.use.m]\napi_key_variable = 'ACME_KEY'\n", "ACME_KEY=canary-x\n", 0),
    ],
)
def test_no_secret_leaves_and_settings_that_hold_one_stay_behind(
    first: Command, settings: str, env: str, line: int
) -> None:
    first.configure(settings)
    (first.folder / ".env").write_text(env, encoding="utf-8")
    told = first("local", "export", "bundle.jsonl").err
    bundle = (first.folder / "bundle.jsonl").read_text("utf-8")
    assert not any(secret in bundle for secret in ("canary", "sk-abc", "quokka-quokka"))
    assert (f"line {line} of ticketbot.toml seems to hold a secret" in told) == bool(line)
    assert ('"settings"' in bundle) == (not line)
    assert '"ZENDESK_OAUTH_TOKEN"' in bundle, "the names of variables go along"
    assert ('"ACME_KEY"' in bundle) == ("api_key_variable" in settings)


def test_an_import_says_what_is_missing_and_takes_nothing_of_another_account(first: Command, tmp_path: Path) -> None:
    second = machine(tmp_path / "second", ZENDESK_SUBDOMAIN="other")
    assert "of acme.zendesk.com, and the settings here name other.zendesk.com" in moved(first, second, code=2)
    second.environ.clear()
    said = moved(first, second, code=2)
    assert "set first, in .env for example: ZENDESK_OAUTH_TOKEN, ZENDESK_SUBDOMAIN" in said
    assert [*second.folder.iterdir()] == []
    second.environ |= {"ZENDESK_SUBDOMAIN": "acme"}
    assert "set these variables here too, in .env for example: ZENDESK_OAUTH_TOKEN" in moved(first, second)


def test_a_helpdesk_on_a_machine_whose_name_has_an_underscore_is_exported(tmp_path: Path) -> None:
    request_tracker = {"TICKETBOT_HELPDESK": "request-tracker", "RT_URL": "https://my_rt:8443/rt"}
    command = Command(tmp_path, {**request_tracker, "RT_TOKEN": "1-39-0123456789abcdef0123456789abcdef"})
    bundle = command("local", "export", "-").out
    assert '"account":"my_rt:8443"' in bundle
    command("local", "import", "-", said=bundle)


WEIGHTS = base64.b64encode(b"PK hostile").decode()
CLASSIFIER = {
    **{"ticketbot": "1", "trained_at": "now", "rows": 9, "source": "x", "own_desk": True, "taxonomy": [], "tasks": {}},
    **{"weights": "weights-0123456789ab.skops", "sha256": "0" * 64},
}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"kind": "recipe", "value": 1}, "line 7: lines of the kind 'recipe' are unknown here"),
        ({"kind": "ticket", "id": 1}, "line 7: lines of the kind 'ticket' are unknown here or belong elsewhere"),
        ({"kind": "correction", "value": {"ticket_id": "canary"}}, "line 7: it is no correction"),
        ({"kind": "pin", "value": [{"id": 0, "ticket_id": 7}, "x", 1]}, "line 7: it is no pin"),
        ({"kind": "erased", "value": [2**63]}, "line 7: it is no erased"),
        ({"kind": "settings", "value": "canary = ["}, "line 7: it is no settings"),
        ({"kind": "settings", "value": f"canary = {'[' * 50_000}"}, "line 7: it is no settings"),
        ({"kind": "correction", "value": {**asdict(CORRECTION), "at": "nan"}}, "line 7: it is no correction"),
        ({"kind": "pin", "value": [asdict(PIN), "x", "inf"]}, "line 7: it is no pin"),
        ({"kind": "classifier", "value": [CLASSIFIER, WEIGHTS]}, "is not the file that classifier.json describes"),
        ({"kind": "classifier", "value": [{**CLASSIFIER, "weights": "../x"}, WEIGHTS]}, "line 7: it is no classifier"),
        ({"kind": "bundle", "value": {}}, "line 7: lines of the kind 'bundle' are unknown here"),
    ],
)
def test_one_wrong_line_and_nothing_is_imported(
    first: Command, tmp_path: Path, line: dict[str, Any], said: str
) -> None:
    second = machine(tmp_path / "second")
    out = first("local", "export", "-").out
    assert len(out.splitlines()) == 6
    told = second("local", "import", "-", said=f"{out}{json.dumps(line)}\n", code=2).err
    assert said in told
    assert "canary" not in told
    assert [path.name for path in second.folder.rglob("*") if path.is_file() and path.name != "said.txt"] in (
        [],
        ["learning.sqlite3"],
    )
    assert learnt(second) == {}


def test_a_bundle_of_a_later_format_and_an_export_of_before_are_told_apart(first: Command, tmp_path: Path) -> None:
    second = machine(
        tmp_path / "second", TICKETBOT_HELPDESK="local", TICKETBOT_LOCAL_PATH=str(tmp_path / "new.sqlite3")
    )
    later = first("local", "export", "-").out.replace('"format":1', '"format":2')
    assert "line 1: this export was made by another version" in second("local", "import", "-", said=later, code=2).err
    before = '{"kind":"helpdesk","format":1}\n{"kind":"group","id":1,"name":"Refunds"}\n'
    assert "0 tickets imported" in second("local", "import", "-", said=before).out
    assert not (second.state / "learning.sqlite3").exists()


CASES = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(("billing", "refund")), st.sampled_from(DECIDED)))


def stored(cases: list[tuple[int, str, CorrectionStatus]], who: str) -> LearningStore:
    store = LearningStore(None)
    for number, theirs, status in cases:
        known = {(item.ticket_id, item.theirs): item.id for item in store.corrections()}
        if (number, theirs) not in known:
            both = [replace(CORRECTION, ticket_id=number, theirs=each) for each in {theirs, *_of(known, number)}]
            store.keep([], both)
            known = {(item.ticket_id, item.theirs): item.id for item in store.corrections()}
        store.decide([known[number, theirs]], status, who, 300.0)
    return store


def _of(known: dict[tuple[int, str], int], number: int) -> list[str]:
    return [theirs for ticket, theirs in known if ticket == number]


@given(CASES, CASES)
def test_merging_adds_approvals_once_and_changes_no_decision_of_people_here(
    there: list[tuple[int, str, CorrectionStatus]], here: list[tuple[int, str, CorrectionStatus]]
) -> None:
    with closing(stored(there, "ana")) as first, closing(stored(here, "bo")) as second:
        before = {(one.ticket_id, one.theirs): one for one in second.corrections()}
        sent = first.corrections("approved")
        second.add_approved(sent)
        after = {(one.ticket_id, one.theirs): one for one in second.corrections()}
        assert len(after) == len(second.corrections())
        assert after.keys() == before.keys() | {(one.ticket_id, one.theirs) for one in sent}
        assert all(after[key] == one for key, one in before.items() if one.status != "pending")
        for one in sent:
            assert after[one.ticket_id, one.theirs].status in ("approved", "rejected", "expired")
        assert second.add_approved(sent) == 0
