"""Whatever an answer says of one ticket: all others are done in the same run, and the one is named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ..support.tainted import WHERE, Taint, TaintedAccount

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "2999-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "yesterday", "7", "x" * 500]
    ),
    st.sampled_from(["closed", "deleted", "urgent", "@,;", "1e400", "\x00", "\N{REPLACEMENT CHARACTER}"]),
)
NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1e400", "-1e400", "9" * 310, "1" * 5000, str(2**63), str(-(2**63) - 1), "-0", "0", "1", "NaN"]),
).map(str.encode)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), TEXTS, st.integers(-(2**63), 2**64 - 1)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
READABLE = st.one_of(
    JSON.map(orjson.dumps), NUMBERS, st.sampled_from([b'"\\ud83d"', b'"\\x"', b'"\xff"', b'"a\x00\n"'])
)
VALUES = st.one_of(
    READABLE,
    st.sampled_from([b"cut", b'"', b"{", b"[" * 2000 + b"]" * 2000, b"]"]),
    st.binary(min_size=1, max_size=8).filter(bytes.strip),
)
STATUSES = st.integers(200, 599).filter(lambda status: status != 429)
"""429 is the account's: it asks to be left alone."""


@st.composite
def taints(draw: st.DrawFn, kind: str) -> Taint:
    where = draw(st.sampled_from(WHERE[kind]))
    status = draw(STATUSES) if where != "listing" and where != "job" and draw(st.booleans()) else 0
    # Without JSON nothing is known of a whole job, or of a page of a list.
    value = draw(JSON.map(orjson.dumps) if where == "job" else READABLE if where == "listing" else VALUES)
    return Taint(where, draw(st.floats(0, 0.999)), value, status)


def check(kind: str, taint: Taint, *, batch: bool = False) -> None:
    account = TaintedAccount(kind, taint)
    with tempfile.TemporaryDirectory() as folder:
        summary = account.run(Path(folder), batch=batch)
    others = set(account.numbers) - {account.number}
    published = summary.stopped_by == "NotePublished"  # for that, the value says so
    assert published or (summary.exit_code in (0, 1) and summary.stopped is None), summary.stopped
    assert published or others <= account.marked(), account.outcomes
    named = account.number in account.outcomes or account.number in account.marked() or summary.remarks or summary.known
    assert published or named or account.spoilt_id


@given(taints("export"))
@example(Taint("update", 0.3125, b"[]", 0))
def test_on_zendesk(taint: Taint) -> None:
    check("export", taint)


@given(taints("export"))
def test_on_zendesk_in_jobs(taint: Taint) -> None:
    check("export", taint, batch=True)


@given(taints("search"))
def test_on_zendesk_by_search(taint: Taint) -> None:
    check("search", taint)


@given(taints("freshdesk"))
def test_on_freshdesk(taint: Taint) -> None:
    check("freshdesk", taint)


@pytest.mark.parametrize("first", [0, pytest.param(70, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("kind", "where"), [("export", "audits"), ("export", "update"), ("freshdesk", "show"), ("freshdesk", "update")]
)
@pytest.mark.parametrize(
    "status", [204, *(pytest.param(status, marks=pytest.mark.slow) for status in (200, 302, 401, 500))]
)
def test_thirty_of_a_hundred_delay_no_other_by_a_run(
    tmp_path: Path, kind: str, where: str, status: int, first: int
) -> None:
    taint = Taint(where, value=b"[]" if status == 200 else b"", status=status)
    account = TaintedAccount(kind, taint, tickets=100, poisoned=range(first, first + 30))
    summary = account.run(tmp_path)
    poisoned = set(account.poisoned)
    assert account.marked() >= set(account.numbers) - poisoned, summary.stopped
    assert poisoned <= account.outcomes.keys()
    assert summary.exit_code in (0, 1), summary.stopped
