"""Reading a user's tickets, varying tickets, and what goes to the helpdesk."""

from __future__ import annotations

import json
import re
from itertools import islice
from pathlib import Path

import pytest
from pydantic import ValidationError

from ticket_processor.core.errors import ConfigError
from ticket_processor.seeding.corpus import (
    SeedLabels,
    SeedRequester,
    SeedTicket,
    load_corpus,
    load_file,
    payload,
    vary,
)

CORPUS = load_corpus()
SIZE = len(CORPUS)


def ticket(text: str = "Hello", **fields: object) -> SeedTicket:
    requester = {"name": "Ada Quist", "email": "ada@example.com"}
    return SeedTicket.model_validate({"id": "one", "body": text, "requester": requester, **fields})


def written(folder: Path, *rows: object) -> Path:
    path = folder / "mine.jsonl"
    lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def only(path: Path) -> SeedTicket:
    (found,) = load_file(path)
    return found


# --- the ticket --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["a@gmail.com", "a@example.com.evil.org", "a@notexample.com", "no address", ""])
def test_a_requester_outside_the_reserved_domains_is_refused(email: str) -> None:
    with pytest.raises(ValidationError):
        SeedRequester(name="A", email=email)


# --- a user's own file -------------------------------------------------------------------------------------------


def test_a_row_is_a_ticket(tmp_path: Path) -> None:
    row = {"id": 17, "subject": "S", "body": "T", "requester": {"name": "Ada", "email": "ada@example.com"}, "labels": 1}
    found = only(written(tmp_path, row))
    assert found == ticket("T", id="17", subject="S", requester={"name": "Ada", "email": "ada@example.com"})


def test_everything_but_a_text_is_optional_and_an_id_that_is_made_stays(tmp_path: Path) -> None:
    rows = [{"body": "no subject"}, {"body": "no subject"}, {"body": "other"}]
    ids, again = ([each.id for each in load_file(written(tmp_path, *rows))] for _ in range(2))
    assert ids == again
    assert len(set(ids)) == 3
    found = only(written(tmp_path, rows[0]))
    assert (found.subject, found.labels, found.kind, found.channel) == ("", SeedLabels(), "normal", "email")
    assert found.requester.email.endswith("@example.com")


def test_a_real_address_is_replaced_by_the_same_invented_one_each_time(tmp_path: Path) -> None:
    rows = [{"body": str(n), "requester": {"name": "Real", "email": "Real.Person@gmail.com"}} for n in range(2)]
    first, second = load_file(written(tmp_path, *rows))
    assert first.requester == second.requester
    assert first.requester.name == "Real"
    assert "real" not in first.requester.email
    assert first.requester.email.endswith("@example.com")


def test_blank_lines_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = written(tmp_path, b'\xef\xbb\xbf{"body": "one"}', b"", b"  ", b'{"body": "two"}\r')
    assert [found.body for found in load_file(path)] == ["one", "two"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"subject": "Sesame", "body": ',
        b'["Sesame"]',
        b'"Sesame"',
        b'{"title": "Sesame"}',
        b'{"subject": "", "body": " ", "note": "Sesame"}',
        b'{"subject": ["Sesame"], "body": "Sesame"}',
        b'{"subject": "Sesame", "body": "\xff"}',
        b'{"subject": "Sesame", "body": "\\ud800"}',
        b'{"body": "T", "id": "' + b"Sesame" * 40 + b'"}',
        b'{"body": "Sesame", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=lambda line: line[:30].decode("latin-1"),
)
def test_a_bad_line_is_named_by_file_and_number_but_not_quoted(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path, {"body": "fine"}, b"", line)
    tickets = load_file(path)
    assert next(tickets).body == "fine", "what stands before it is given first"
    with pytest.raises(ConfigError) as problem:
        next(tickets)
    assert f"{path}, line 3: " in str(problem.value)
    assert "Sesame" not in str(problem.value)


def test_a_file_that_is_missing_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mine\.jsonl"):
        list(load_file(tmp_path / "mine.jsonl"))


# --- variations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, SIZE - 1, SIZE, SIZE + 1, 3 * SIZE + 7])
def test_exactly_as_many_tickets_come_as_were_asked_for_the_originals_first(count: int) -> None:
    found = tuple(vary(CORPUS, count))
    assert len(found) == count == len(list(islice(vary(CORPUS, 10**12), count))), "huge counts cost nothing"
    assert found[:SIZE] == CORPUS[:count]


def test_the_same_seed_gives_the_same_tickets_whatever_the_count() -> None:
    assert list(vary(CORPUS, 3 * SIZE, 5))[: SIZE + 40] == list(vary(CORPUS, SIZE + 40, 5))


def test_another_seed_gives_other_tickets_under_other_ids() -> None:
    one, other = (list(vary(CORPUS, 2 * SIZE, seed))[SIZE:] for seed in (0, 1))
    assert not {each.id for each in one} & {each.id for each in other}
    assert {each.requester for each in one} != {each.requester for each in other}


def test_variations_are_numbered_from_two() -> None:
    assert [each.id for each in vary([ticket()], 3)] == ["one", "one#2", "one#3"]
    assert [each.id for each in vary([ticket()], 3, 9)] == ["one", "one#9.2", "one#9.3"]


def test_a_variation_has_another_requester_and_order_number_and_all_else_of_the_original() -> None:
    originals = {each.id: each for each in CORPUS}
    varied = list(islice(vary(CORPUS, 6 * SIZE), SIZE, None))
    for each in varied:
        original = originals[each.id.rpartition("#")[0]]
        assert (each.labels, each.kind, each.planted) == (original.labels, original.kind, original.planted)
        assert (each.requester == original.requester) is (each.kind == "machine")
        assert (each.subject, each.text[: len(original.text)]) == (original.subject, original.text)
        assert re.search(r"TF-\d{7}(</p>)?\Z", each.text)
    assert len({each.text for each in varied}) == len({each.id for each in varied}) == 5 * SIZE


def test_nothing_to_vary_and_shared_ids_are_configuration_errors() -> None:
    with pytest.raises(ConfigError, match="no tickets"):
        list(vary([], 1))
    with pytest.raises(ConfigError, match="same id"):
        list(vary([ticket(), ticket()], 1))
    assert list(vary([], 0)) == []


# --- the payload -------------------------------------------------------------------------------------------------


def test_the_payload_names_no_vendor_and_carries_no_tags_and_html_under_its_own_name() -> None:
    assert payload(ticket(subject="S", channel="web", attachments=["a.pdf"])) == {
        "subject": "S",
        "body": "Hello",
        "requester": {"name": "Ada Quist", "email": "ada@example.com"},
        "channel": "web",
        "external_id": "ticketbot-seed:one",
        "attachments": ["a.pdf"],
        "tags": [],
    }
    sent = payload(ticket(body=None, html="<p>Hello</p>", labels={"category": "billing"}))
    assert (sent["html_body"], "body" in sent, "billing" in str(sent)) == ("<p>Hello</p>", False, False)
