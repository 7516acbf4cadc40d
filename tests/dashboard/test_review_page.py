from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from ticket_processor.core import text as wording
from ticket_processor.dashboard.server import DashboardOptions, give
from ticket_processor.learning.store import FILE_NAME, Correction, LearningStore
from ticket_processor.settings.schema import Settings

from .conftest import Pages, Still, words
from .test_login import AUTH

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

TEXT = "I want my money back. ![x](http://127.0.0.1:9/x.png)"


def correction(ticket: int, author: int, ours: str | None = "general", theirs: str = "refund") -> Correction:
    return Correction(0, ticket, "category", ours, theirs, author, "person", 100.0, text=TEXT)


@contextmanager
def learnt(pages: Pages) -> Iterator[LearningStore]:
    pages.state.mkdir(exist_ok=True)
    with closing(LearningStore(pages.state / FILE_NAME)) as store:
        yield store


def show(pages: Pages, *, private: bool = True, **settings: object) -> None:
    made = Settings.model_validate({"log_dir": pages.logs, "state_dir": pages.state, **settings})
    give(DashboardOptions(made, Still(), private=private))


@pytest.fixture(autouse=True)
def ana(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording.getpass, "getuser", lambda: "ana")


def press(page: AppTest, label: str) -> AppTest:
    """Press the first button of this name."""
    return next(button for button in page.button if button.label == label).click().run()


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def texts(page: AppTest) -> str:
    return "\n".join(str(text.value) for text in page.text)


def test_a_group_is_approved_in_the_persons_name(pages: Pages) -> None:
    show(pages)
    with learnt(pages) as store:
        store.keep([], [correction(1, 7), correction(2, 8), correction(3, 7), correction(4, 8, None, "billing")])
        page = pages.open("review")
        assert "category: general → refund" in texts(page)
        assert "category: none → billing" in texts(page)
        assert "3 tickets; by 2 accounts: 7 (2), 8 (1)" in words(page)
        assert [code.value for code in page.code] == [TEXT] * 4  # text, never mark-up
        press(page, "Approve")
        assert "Change 1: 3 corrections approved by ana" in texts(page)
        assert [item.ticket_id for item in store.examples("category")] == [1, 2, 3]
        assert "category: general → refund" not in texts(page)


def test_a_group_is_rejected_and_never_teaches(pages: Pages) -> None:
    show(pages)
    with learnt(pages) as store:
        store.keep([], [correction(1, 7)])
        page = press(pages.open("review"), "Reject")
        assert "1 correction rejected by ana" in texts(page)
        assert [item.status for item in store.corrections()] == ["rejected"]
    assert "No correction waits" in words(page)


def test_what_came_in_or_was_decided_since_the_page_was_shown_is_not_decided_by_a_click(pages: Pages) -> None:
    show(pages)
    with learnt(pages) as store:
        store.keep([], [correction(1, 7)])
        page = pages.open("review")
        store.keep([], [correction(2, 8)])
        press(page, "Approve")
        assert store.examples("category") == []
        assert "2 tickets" in words(page)
        store.decide([1, 2], "rejected", "bo", 300.0)
        press(page, "Approve")
        assert store.examples("category") == []


def test_where_nobody_knows_who_looks_the_page_only_shows_groups(pages: Pages) -> None:
    show(pages, private=False)
    with learnt(pages) as store:
        store.keep([], [correction(1, 7)])
        store.decide([1], "approved", "bo", 300.0)
        store.keep([], [correction(2, 7)])
    page = pages.open("review")
    assert "category: general → refund" in texts(page)
    assert "dashboard.auth" in words(page)
    assert not {"Approve", "Reject"} & set(labels(page))
    assert not page.code


def test_with_a_sign_in_the_decision_bears_its_address(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bert:
        def to_dict(self) -> Mapping[str, object]:
            return {"is_logged_in": True, "email": "Bert@team.example.com", "email_verified": True}

    monkeypatch.setattr("streamlit.user", Bert())
    show(pages, private=False, dashboard={"auth": AUTH})
    with learnt(pages) as store:
        store.keep([], [correction(1, 7)])
        press(pages.open("review"), "Approve")
        assert [item.approved_by for item in store.corrections("approved")] == ["bert@team.example.com"]


def test_the_page_makes_no_file_where_nothing_was_collected(pages: Pages) -> None:
    show(pages)
    assert "learn collect" in words(pages.open("review"))
    assert not (pages.state / FILE_NAME).exists()
