"""Every command on the local helpdesk, chosen by its settings alone: no account, no credentials, no network."""

from __future__ import annotations

import codecs
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticket_processor.helpdesk.local_model import NewTicket
from ticket_processor.helpdesk.local_reading import stamp

from .accounts import LocalCommand
from .conftest import Command

TEXTS = {
    "Charged twice": "I was charged twice for this invoice, please refund one payment.",
    "Login broken": "I cannot log in any more, my password is not accepted since today.",
    "Where is my parcel?": "The parcel should have been delivered on Monday.",
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[LocalCommand]:
    """Three tickets of an hour ago."""
    command = LocalCommand(tmp_path)
    for subject, text in TEXTS.items():
        command.store.create(NewTicket(subject, text, "ada@example.com", name="Ada Quist"), time.time() - 3600)
    yield command
    command.close()


def test_seeding_makes_a_missing_helpdesk_creates_nothing_twice_and_nothing_among_customers_tickets(
    desk: LocalCommand, bare: Command
) -> None:
    assert "it holds 3 tickets that were not invented" in desk("seed", code=2).err
    empty = {"TICKETBOT_HELPDESK": "local", "TICKETBOT_LOCAL_PATH": str(bare.folder / "empty.sqlite3")}
    first, again = (re.findall(r"\d+", bare("seed", **empty).out.splitlines()[-1])[:2] for _ in range(2))
    assert int(first[0]) > 30
    assert (int(again[0]), int(again[1])) == (0, int(first[0]) + int(first[1]))


def test_a_missing_file_is_an_error_that_names_the_setting_and_init_makes_it(bare: Command) -> None:
    where = {"TICKETBOT_HELPDESK": "local"}
    missing = bare("run", "--since", "1d", code=3, **where).err
    assert "there is no local helpdesk in" in missing
    assert "(local.path)" in missing

    bare("init", "--helpdesk", "local")

    written = (bare.folder / "ticketbot.toml").read_text(encoding="utf-8")
    assert '\nhelpdesk = "local"\n' in written
    assert "[local]" in written
    assert "[zendesk]" not in written
    assert "[freshdesk]" not in written
    bare("run", "--since", "1d")


def test_settings_that_cannot_hold_on_the_local_helpdesk_are_refused_by_name(bare: Command) -> None:
    bare.configure('helpdesk = "local"\n[run]\nwrite_mode = "batch"\n[replies.public]\nthen = "solved"\n')
    said = bare("run", "--since", "1d", code=2).err
    assert "run.write_mode: the local helpdesk takes one update at a time" in said
    assert "replies.public.then: on the local helpdesk only people resolve a ticket" in said
    times = 'helpdesk = "local"\n[policy.escalation]\nsla_minutes = 60\n'
    bare.configure(times)
    assert "policy.escalation.sla_minutes: the local helpdesk has no targets" in bare("run", code=2).err
    bare.configure(f"{times}[local]\nresolution_minutes = {{high = 1000000000000}}\n")
    assert "local.resolution_minutes.high" in bare("run", code=2).err


def test_a_helpdesk_leaves_by_a_file_that_its_owner_alone_may_read_and_comes_elsewhere(
    desk: LocalCommand, tmp_path: Path
) -> None:
    desk("run", "--since", "1d")
    desk("local", "export", "desk.jsonl")
    file = desk.folder / "desk.jsonl"
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    new = {"TICKETBOT_LOCAL_PATH": str(tmp_path / "new.sqlite3")}
    assert "3 tickets imported, 0 were there already" in desk("local", "import", "desk.jsonl", **new).out
    assert "0 tickets imported, 3 were there already" in desk("local", "import", "desk.jsonl", **new).out
    (desk.folder / "broken.jsonl").write_text('{"kind": "ticket"}\n', encoding="utf-8")
    assert "broken.jsonl: line 1: " in desk("local", "import", "broken.jsonl", code=2, **new).err
    (desk.folder / "foreign.jsonl").write_text('{"subject": "Hi", "body": "Hello"}', encoding="utf-8")
    assert "no line of 'ticketbot local export FILE'" in desk("local", "import", "foreign.jsonl", code=2, **new).err
    (desk.folder / "broken.jsonl").write_bytes(codecs.BOM_UTF8 + file.read_bytes() + b"[]\n")
    lines = len(file.read_bytes().splitlines())
    assert f"line {lines + 1}: it is no JSON object" in desk("local", "import", "broken.jsonl", code=2, **new).err


@pytest.mark.parametrize("how", ["the same", "another", "run"])
def test_an_erasure_that_was_killed_is_finished_by_whoever_comes_next(
    desk: LocalCommand, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "add --yes" in desk("local", "erase", "ada@example.com", code=2).err
    assert "To be erased: 3 tickets, 0 messages, 0 files" in desk("local", "erase", "ADA@example.com", "--dry-run").out
    person = desk.store.by_email("ada@example.com")
    assert person is not None
    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "sweep_files", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            desk.store.erase(person.id, time.time())
    folder = desk.state / "outbox"
    folder.mkdir(parents=True)
    for name, address in (("1", "ada@example.com"), ("2", "cy@example.com")):
        (folder / f"{name}.eml").write_text(f"To: {address}\n\nYour parcel\n", encoding="utf-8")
    desk.store.close()
    assert "was cut off" in desk("local", "erase", "bo@example.com", "--dry-run").out
    desk("run", "--dry-run", "--since", "1d")
    assert len(list(folder.iterdir())) == 2
    if how == "run":
        ended = desk("run", "--since", "1d")
        told = ended.out + ended.err
    else:
        told = desk("local", "erase", f"{'ada' if how == 'the same' else 'bo'}@example.com", "--yes").out
    assert "interrupted" in told
    assert "audit erase --ticket" in told
    assert [path.name for path in folder.iterdir()] == ["2.eml"]
    kept = b"".join(path.read_bytes() for path in desk.folder.glob("desk.sqlite3*"))
    assert not any(word in kept for word in (b"ada@example.com", b"Quist", b"Charged"))
    assert "nobody" in desk("local", "erase", "ada@example.com", "--yes", code=2).err


@pytest.mark.parametrize(("days", "statuses"), [("30", ["closed", "resolved"]), ("0", ["resolved", "resolved"])])
def test_a_run_closes_what_was_resolved_long_ago_and_no_dry_run_does(
    desk: LocalCommand, days: str, statuses: list[str]
) -> None:
    desk.configure(f"[portal]\nclose_after_days = {days}\n")
    for number, ago in ((1, 31), (2, 29)):
        now = time.time() - ago * 86_400
        with desk.store.writing() as db:
            db.execute("UPDATE ticket SET updated_at = ? WHERE id = ?", (stamp(now), number))
        desk.store.change(number, desk.agent, version=1, now=now, status="resolved")
    desk("run", "--dry-run", "--since", "1d")
    assert [desk.ticket(number).status for number in (1, 2)] == ["resolved", "resolved"]
    desk("run", "--since", "1d")
    assert [desk.ticket(number).status for number in (1, 2)] == statuses
    version = desk.ticket(1).version
    desk("run")
    assert desk.ticket(1).version == version
    assert desk.store.events(1)[-1].actor.kind == ("system" if days == "30" else "agent")


def test_what_stands_in_for_the_demo_works_and_leaves_the_usual_helpdesk_alone(bare: Command) -> None:
    told = bare("portal", "--demo", code=2).err
    site = dict(pair.split("=") for pair in re.findall(r"TICKETBOT_\w+=[\w.]+", told))
    home = bare.folder / "home"
    for command in re.findall(r"'ticketbot ([^']+)'", told)[-3:]:
        bare(*command.split(), **site, HOME=str(home))
    assert (bare.folder / "demo.sqlite3").exists()
    assert not [*home.rglob("*.sqlite3")]
