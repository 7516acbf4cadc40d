"""Reading a user's tickets, varying tickets, and what goes to the helpdesk."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ticket_processor.core.errors import ConfigError
from ticket_processor.seeding.corpus import (
    SeedLabels,
    SeedRequester,
    SeedTicket,
    external_id,
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


def written(folder: Path, *rows: object, name: str = "mine.jsonl") -> Path:
    path = folder / name
    lines = [row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode() for row in rows]
    data = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def only(path: Path) -> SeedTicket:
    (found,) = load_file(path)
    return found


def variation(original: SeedTicket, seed: int = 0) -> SeedTicket:
    return list(vary([original], 2, seed))[1]


# --- the ticket --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["a@gmail.com", "a@example.com.evil.org", "a@notexample.com", "no address", ""])
def test_a_requester_outside_the_reserved_domains_is_refused(email: str) -> None:
    with pytest.raises(ValidationError):
        SeedRequester(name="A", email=email)


@pytest.mark.parametrize("fields", [{"html": "<p>private</p>"}, {"body": None}, {"planted": ["secret"]}], ids=str)
def test_a_ticket_that_makes_no_sense_is_refused_without_a_quote(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refusal:
        ticket(**{"text": "private words", **fields} if "body" not in fields else fields)
    assert "private" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


# --- a user's own file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.jsonl.gz"])
def test_plain_and_compressed_files_hold_the_same_tickets(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, *(one.model_dump(mode="json", exclude_none=True) for one in CORPUS), name=name)
    languages = [one.model_copy(update={"labels": SeedLabels(language=one.labels.language)}) for one in CORPUS]
    assert list(load_file(path)) == languages


@pytest.mark.parametrize(
    ("row", "text"),
    [
        *(({name: "T"}, ("T", None)) for name in ("body", "description", "text")),
        ({"body": "", "html": "<p>T</p>"}, (None, "<p>T</p>")),
    ],
    ids=str,
)
def test_a_text_may_have_several_names_and_a_number_is_an_id(
    tmp_path: Path, row: dict[str, str], text: tuple[str | None, str | None]
) -> None:
    found = only(written(tmp_path, {"subject": "S", "id": 17, **row}))
    assert (found.subject, found.id, found.body, found.html) == ("S", "17", *text)


def test_everything_but_a_text_is_optional(tmp_path: Path) -> None:
    found = only(written(tmp_path, {"text": "no subject"}))
    assert found.labels == SeedLabels()
    assert (found.kind, found.channel, found.attachments) == ("normal", "email", ())
    assert found.requester.email.endswith("@example.com")


@pytest.mark.parametrize(
    ("row", "language"),
    [
        ({"language": "pt-BR", "category": "refund"}, "pt"),
        ({"language": "pt", "labels": {"language": "de"}}, "de"),
        ({"language": "Klingon", "labels": "none"}, None),
    ],
    ids=str,
)
def test_of_labels_the_language_counts(tmp_path: Path, row: dict[str, object], language: str | None) -> None:
    assert only(written(tmp_path, {"text": "T", **row})).labels == SeedLabels(language=language)


def test_unusable_extras_are_ignored(tmp_path: Path) -> None:
    row = {"text": "T", "channel": "pigeon", "kind": 7, "planted": ["absent"], "attachments": [1, "a.pdf"]}
    found = only(written(tmp_path, row))
    assert (found.channel, found.kind, found.planted, found.attachments) == ("email", "normal", (), ("a.pdf",))


def test_a_real_address_is_replaced_by_the_same_invented_one_each_time(tmp_path: Path) -> None:
    rows = [{"text": str(n), "requester": {"name": "Real", "email": "Real.Person@gmail.com"}} for n in range(2)]
    first, second = load_file(written(tmp_path, *rows))
    assert first.requester == second.requester
    assert first.requester.name == "Real"
    assert "real" not in first.requester.email
    assert first.requester.email.endswith("@example.com")


def test_a_row_without_an_id_gets_one_that_stays(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": "same"}, {"text": "same"}, {"text": "other"})
    ids = [found.id for found in load_file(path)]
    assert len(set(ids)) == 3
    assert ids == [found.id for found in load_file(path)]


def test_blank_lines_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = written(tmp_path, b'\xef\xbb\xbf{"text": "one"}', b"", b"  ", b'{"text": "two"}\r')
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
    path = written(tmp_path, {"text": "fine"}, b"", line)
    with pytest.raises(ConfigError) as problem:
        list(load_file(path))
    assert f"{path}, line 3: " in str(problem.value)
    assert "Sesame" not in str(problem.value)
    assert problem.value.__suppress_context__


def test_the_tickets_before_a_bad_line_are_given_first(tmp_path: Path) -> None:
    tickets = load_file(written(tmp_path, {"text": "fine"}, b"nonsense"))
    assert next(tickets).body == "fine"
    with pytest.raises(ConfigError):
        next(tickets)


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.jsonl: cannot be read"):
        list(load_file(tmp_path / "absent.jsonl"))


@pytest.mark.parametrize("damage", ["not gzip", "cut", "garbled"])
def test_a_damaged_gzip_file_is_a_configuration_error(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(os.urandom(4000).hex().encode())
    broken = {"not gzip": b'{"text": "T"}', "cut": whole[:2000], "garbled": whole[:20] + b"\xff" * 200 + whole[220:]}
    path = tmp_path / "mine.jsonl.gz"
    path.write_bytes(broken[damage])
    with pytest.raises(ConfigError, match=r"mine\.jsonl\.gz"):
        list(load_file(path))


# --- variations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, SIZE - 1, SIZE, SIZE + 1, 3 * SIZE + 7])
def test_exactly_as_many_tickets_come_as_were_asked_for_the_originals_first(count: int) -> None:
    found = tuple(vary(CORPUS, count))
    assert len(found) == count
    assert found[:SIZE] == CORPUS[:count]


def test_the_same_seed_gives_the_same_tickets_whatever_the_count() -> None:
    assert list(vary(CORPUS, 3 * SIZE, 5))[: SIZE + 40] == list(vary(CORPUS, SIZE + 40, 5))


def test_another_seed_gives_other_tickets_under_other_ids() -> None:
    one, other = (list(vary(CORPUS, 2 * SIZE, seed))[SIZE:] for seed in (0, 1))
    assert not {external_id(each) for each in one} & {external_id(each) for each in other}
    assert {each.requester for each in one} != {each.requester for each in other}


@pytest.mark.parametrize("originals", [CORPUS, [ticket(id=name) for name in ("a", "a-v2", "a-vv3", "a-v2-v2")]])
def test_external_ids_are_unique_even_where_ids_look_like_variations(originals: Sequence[SeedTicket]) -> None:
    count = 10 * len(originals)
    assert len({external_id(each) for each in vary(originals, count)}) == count


def test_variations_are_numbered_from_two() -> None:
    assert [each.id for each in vary([ticket()], 3)] == ["one", "one-v2", "one-v3"]
    assert [each.id for each in vary([ticket()], 3, 9)] == ["one", "one-s9-v2", "one-s9-v3"]


def test_planted_data_labels_and_kind_survive_variation_and_the_requester_is_another() -> None:
    originals = {each.id: each for each in CORPUS}
    for each in islice(vary(CORPUS, 6 * SIZE), SIZE, None):
        original = originals[each.id.rpartition("-v")[0]]
        assert (each.labels, each.kind, each.planted) == (original.labels, original.kind, original.planted)
        assert all(value in f"{each.subject}\n{each.text}" for value in each.planted)
        assert each.requester.email != original.requester.email


def test_hidden_instructions_survive_variation() -> None:
    original = next(each for each in CORPUS if each.id == "injection-html-comment-en")
    comment = original.text[original.text.index("<!--") : original.text.index("-->")]
    assert comment in variation(original).text


def test_machine_senders_stay_machine_senders() -> None:
    original = next(each for each in CORPUS if each.id == "machine-bounce-en")
    assert variation(original).requester.email.startswith("mailer-daemon@")


def test_nearly_every_variation_of_what_people_write_reads_differently() -> None:
    texts = [(each.subject, each.text) for each in vary(CORPUS, 2 * SIZE) if each.kind != "machine"]
    assert len(set(texts)) >= len(texts) - 3


def test_numbers_names_and_greeting_change() -> None:
    original = ticket(
        "Hi,\n\norder TF-4482917 of 12 March 2026 (Kestrel R3, $49.90) is late.\n\nThanks,\nAda Quist",
        labels={"language": "en"},
    )
    texts = [variation(original, seed).text for seed in range(30)]
    for gone in ("TF-4482917", "Ada", "Quist"):
        assert not any(gone in text for text in texts)
    assert len({text.partition("\n")[0] for text in texts}) > 3
    assert all("of 12 March 2026 (Kestrel R3, $49.90)" in text and "order TF-44" in text for text in texts)


@pytest.mark.parametrize(
    "text",
    [
        "charset=ISO-8859-1 and CVE-2026-12345",
        "https://www.example.com/o/4482917?d=2026-03-04",
        "firmware 4.2, 10.10.10.10, 300 Mbit/s, 3 March 2026, 2026-03-04, 20260304, $1,280.00",
        "{{ticket.requester.email}} {% if order == 1234567 %}",
        "März 12,00 and someone.else@example.org",
    ],
)
def test_what_only_looks_like_a_value_stays(text: str) -> None:
    assert variation(ticket(text)).text == text


def test_the_same_number_changes_to_the_same_number_everywhere() -> None:
    changed = variation(ticket("TF-4482917 again", subject="RE: TF-4482917"))
    assert changed.subject.removeprefix("RE: ") == changed.text.removesuffix(" again") != "TF-4482917"


def test_huge_counts_cost_nothing_until_they_are_asked_for() -> None:
    assert len(list(islice(vary(CORPUS, 10**12), SIZE + 10))) == SIZE + 10


def test_a_hostile_text_is_varied_without_hanging() -> None:
    hostile = "".join(part * 10_000 for part in ("a", "{{", "1 000 ", "<!--", "1.", " ", "A-1", "12 ", "é"))
    assert variation(ticket(hostile))
    assert variation(ticket(body=None, html=hostile))


def test_nothing_to_vary_and_shared_ids_are_configuration_errors() -> None:
    with pytest.raises(ConfigError, match="no tickets"):
        vary([], 1)
    with pytest.raises(ConfigError, match="same id"):
        vary([ticket(), ticket()], 1)
    with pytest.raises(ValueError, match="negative"):
        vary([ticket()], -1)
    assert list(vary([], 0)) == []


FRAGMENTS = st.sampled_from(
    "Hi,|\n| |Thanks|$|12|.|,|00| March|2026|TF-|448291|Ada| Quist|€|ada@example.com|<b>|-->|{{|Kestrel R3|3月|日|"
    "4111 1111 1111 1111|@|/|https://x".split("|")
)


@settings(deadline=None)
@given(parts=st.lists(FRAGMENTS, min_size=1, max_size=25), cut=st.tuples(st.integers(0, 80), st.integers(1, 30)))
def test_whatever_is_planted_wherever_it_survives(parts: list[str], cut: tuple[int, int]) -> None:
    text = "".join(parts)
    start = cut[0] % len(text)
    planted = text[start : start + cut[1]]
    for fields in ({"body": text}, {"body": None, "html": text}):
        changed = variation(ticket(planted=[planted], labels={"language": "en"}, **fields))
        assert planted in f"{changed.subject}\n{changed.text}"


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
    sent = payload(ticket(body=None, html="<p>Hello</p>"))
    assert (sent["html_body"], "body" in sent) == ("<p>Hello</p>", False)


def test_no_payload_tells_the_labels() -> None:
    allowed = {"subject", "body", "html_body", "requester", "channel", "external_id", "attachments", "tags"}
    assert all(set(payload(each)) <= allowed for each in CORPUS)
