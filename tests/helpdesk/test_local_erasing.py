from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ticket_processor.helpdesk import local_transfer
from ticket_processor.helpdesk.local_model import AI, Actor, LocalHelpdeskError, NewFile, NewTicket, Query
from ticket_processor.helpdesk.local_store import LocalStore

NOW = 1.8e9
WORDS = ("xquistx", "xsubjectx", "xdescribedx", "xansweredx", "xnotedx", "xcommentx", "xfilex", "xnamedx", "xreasonx")
WORDS += ("xfieldx",)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tickets of Ada's, each with all that a ticket can have, among many of others."""
    store = LocalStore(tmp_path_factory.mktemp("filled") / "desk.sqlite3")
    for number in range(300):  # so that the words stand on several pages
        store.create(NewTicket(f"Other {number}", f"parcel{number} late", f"p{number}@example.com"), NOW)
    agent = Actor("agent", store.add_person("agent@example.com", "Agent", "agent").id)
    for number in range(2):
        file = NewFile("xnamedx.txt", f"xfilex {number}".encode())
        words = NewTicket(f"xsubjectx {number}", "xdescribedx", "xquistx@example.com", name="Ada xquistx", files=[file])
        made = store.create(words, NOW)
        store.reply(made.id, AI, "xnotedx", public=False, now=NOW)
        store.reply(made.id, Actor("customer", 301), "xansweredx", public=True, now=NOW, files=[file])
        with store.writing() as db:
            db.execute("INSERT INTO field VALUES (?, 7, 'xfieldx')", (made.id,))
        store.change(made.id, agent, version=None, now=NOW, tags_add=["vip"], reason="xreasonx")
        store.change(made.id, agent, version=None, now=NOW, status="resolved" if number else "in_progress")
    store.rate(made.id, 2, "xcommentx", NOW)
    store.close()
    return store.path.parent


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() + path.name.encode() for path in folder.rglob("*") if path.is_file()).lower()


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> LocalStore:
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    return LocalStore(tmp_path / "desk.sqlite3")


def test_no_word_of_an_erased_customer_is_left_on_the_disk(store: LocalStore, tmp_path: Path) -> None:
    ada = store.by_email("xquistx@example.com")
    assert ada is not None
    assert all(word.encode() in on_disk(tmp_path) for word in WORDS)
    erased = store.erase(ada.id, NOW + 60)
    assert (len(erased.tickets), erased.messages, erased.files, erased.is_gone) == (2, 4, 4, True)
    assert [word for word in WORDS if word.encode() in on_disk(tmp_path)] == []


def test_events_numbers_and_everybody_else_stay(store: LocalStore) -> None:
    ada = store.by_email("xquistx@example.com")
    assert ada is not None
    before = {number: store.events(number) for number in store.of_requester(ada.id)}
    store.erase(ada.id, NOW + 60)
    for number, events in before.items():
        after = store.events(number)
        assert [(one.at, one.field, one.actor) for one in after[: len(events)]] == [
            (one.at, one.field, one.actor) for one in events
        ]
        assert [one.field for one in after[len(events) :]] == ["status", "erased"]
        ticket = store.ticket(number)
        assert ticket is not None
        assert (ticket.status, ticket.subject, ticket.tags) == ("closed", "", ("vip",))
        assert ticket.version == after[-1].version
    assert sum(store.counts().values()) == 302
    assert [row.subject for row in store.search(Query(text="parcel77")).rows] == ["Other 77"]
    assert [row.requester for row in store.search(Query(text="xdescribedx")).rows] == []
    with store.writing() as db, pytest.raises(Exception, match="only ever added"):
        db.execute("UPDATE event SET reason = 'x'")


def test_links_of_an_erased_customer_open_nothing_and_a_new_ticket_is_a_new_persons(store: LocalStore) -> None:
    form = NewTicket("One more", "text", "xquistx@example.com", form="a form")
    made = store.create(form, NOW)
    ada = store.by_email("xquistx@example.com")
    assert ada is not None
    store.erase(ada.id, NOW + 60)
    assert store.opens(made.number, made.secret) is None
    assert store.create(form, NOW + 90).id != made.id
    erased, fresh = store.person(ada.id), store.by_email("xquistx@example.com")
    assert erased is not None
    assert fresh is not None
    assert (erased.is_erased, fresh.is_erased, fresh.id == ada.id) == (True, False, False)


def test_a_file_that_another_customer_sent_too_stays(store: LocalStore) -> None:
    other = store.create(NewTicket("Same", "file", "p1@example.com", files=[NewFile("a.txt", b"xfilex 0")]), NOW)
    ada = store.by_email("xquistx@example.com")
    assert ada is not None
    store.erase(ada.id, NOW + 60)
    (file,) = store.files(other.id)
    assert store.content(file) == b"xfilex 0"


def test_agents_are_not_erased(store: LocalStore) -> None:
    agent = store.by_email("agent@example.com")
    assert agent is not None
    with pytest.raises(LocalHelpdeskError, match="agent"):
        store.erase(agent.id, NOW)


class Died(BaseException):
    """The process is killed here."""


@pytest.mark.parametrize("repeated", [False, True])
@pytest.mark.parametrize("at", ["sweep_files", "forget_mails", "compact"])
def test_an_erasure_that_is_cut_off_anywhere_is_finished_and_no_word_is_left(
    at: str, repeated: bool, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, outbox = store.by_email("xquistx@example.com"), tmp_path / "outbox"
    assert ada is not None
    outbox.mkdir()
    for name, address in (("1.eml", "xquistx@example.com"), ("2.eml.tmp", ""), ("3.eml", "other@example.com")):
        (outbox / name).write_text(f"To: {address}\n\nHello {address}\n", encoding="utf-8")

    def die(*_args: object, **_options: object) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(local_transfer if at == "forget_mails" else store, at, die)
        with pytest.raises(Died):
            store.erase(ada.id, NOW + 60, outbox)
    store.close()
    again = LocalStore(store.path)
    assert [each.tickets for each in again.unfinished()] == [again.of_requester(ada.id)]
    if repeated:  # whoever goes on with it dies as well
        with monkeypatch.context() as patched:
            patched.setattr(again, "compact", die)
            with pytest.raises(Died):
                list(again.finish_erasures(NOW + 90, outbox))
        again = LocalStore(store.path)
    (done,) = again.finish_erasures(NOW + 120, outbox)
    assert (len(done.tickets), done.messages, done.files, done.is_gone) == (2, 4, 4, True)
    assert [word for word in WORDS if word.encode() in on_disk(tmp_path)] == []
    assert [path.name for path in outbox.iterdir()] == ["3.eml"]
    assert again.unfinished() == ()
    assert [event.field for event in again.events(done.tickets[0])].count("erased") == 1


@pytest.mark.parametrize("name", ["existing_ticket", "reindex"])
def test_an_erasure_that_is_cut_off_in_the_database_has_not_begun(
    name: str, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = store.by_email("xquistx@example.com")
    assert ada is not None
    before = list(store.export_lines())
    with monkeypatch.context() as patched:
        patched.setattr(local_transfer, name, lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.erase(ada.id, NOW + 60)
    assert (store.unfinished(), list(store.export_lines())) == ((), before)


def test_what_a_reader_keeps_beside_the_file_goes_when_somebody_finishes_it(store: LocalStore, tmp_path: Path) -> None:
    ada = store.by_email("xquistx@example.com")
    assert ada is not None
    with store.reading() as db:
        db.execute("SELECT count(*) FROM ticket").fetchone()
        for each in range(2):
            other = LocalStore(store.path)
            with other._connection() as quick:
                quick.execute("PRAGMA busy_timeout=10")
            assert not (other.erase(ada.id, NOW) if not each else next(other.finish_erasures(NOW, None))).is_gone
    assert len(store.unfinished()) == 1
    (done,) = store.finish_erasures(NOW + 80, None)
    assert done.is_gone
    assert [word for word in WORDS if word.encode() in on_disk(tmp_path)] == []
