"""``replies.categories.X = "public"``: a draft goes to the customer by itself, by the real command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..replies.articles import claim, said
from .conftest import Desk, OpenDesk
from .drafting import ARTICLES, URL, with_articles

CHANGED = "Open Settings and choose Change password."
TICKET = {"subject": "Password", "body": "How do I change my password? Where in the account is this?"}
ARTICLE = f"---\nurl: {URL}/password\naudience: everyone\n---\n# Change your password\n{CHANGED}\n"
GOOD = said(claim(CHANGED))
KNOWLEDGE = '[knowledge]\nfolders = ["help"]\n'
PUBLIC = (
    '[replies]\ncategories = {{ account = "public" }}\n[replies.public]\nthresholds = {{ account = 0.5 }}\n{}'
    + KNOWLEDGE
)
Account = Callable[..., Desk]


@pytest.fixture
def account(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setitem(ARTICLES, "password.md", ARTICLE)

    def make(more: str = "", **options: Any) -> Desk:
        answer = options.pop("answer", GOOD)
        return with_articles(open_desk, answer, toml=PUBLIC.format(more), tickets=(options.pop("ticket", TICKET),))

    return make


def public(desk: Desk) -> list[str]:
    return [str(comment["html_body"]) for comment in desk.notes(1) if comment["public"]]


def announced(desk: Desk) -> str:
    desk("run", "--since", "7d")
    return str(desk.notes(1)[0]["html_body"])


@pytest.mark.parametrize(
    ("more", "ticket", "answer", "why"),
    [
        (
            "",
            {**TICKET, "body": f"{TICKET['body']} This is terrible and I am very angry!"},
            GOOD,
            "customer is not calm",
        ),
        ("", TICKET, said(claim(CHANGED), missing=["in the account"], verdict="partial"), "leaves something open"),
    ],
)
def test_a_draft_that_may_not_go_out_says_why(
    account: Account, more: str, ticket: dict[str, str], answer: Any, why: str
) -> None:
    desk = account(more, ticket=ticket, answer=answer)
    assert why in announced(desk)
    desk.advance(700.0)
    desk("run")
    assert public(desk) == []


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[replies]\nmode = "public"\n', "for single categories"),
        ('[replies]\ncategories = { account = "public" }\n', "needs a threshold: run 'ticketbot eval --from-helpdesk'"),
        ('[replies]\ncategories = { acount = "draft" }\n', "no such category"),
        (
            '[replies]\ncategories = { refund = "public" }\n[replies.public]\nthresholds = { refund = 0.9 }\n',
            "replies.public.never names refund",
        ),
        ("[replies.public]\ndelay_minutes = 1\n", "delay_minutes"),
    ],
)
def test_settings_that_would_send_too_much_are_refused(open_desk: OpenDesk, toml: str, words: str) -> None:
    desk = open_desk([])
    desk.configure(toml)
    assert words in desk("run", "--since", "now", code=2).err
