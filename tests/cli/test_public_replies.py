"""``replies.categories.X = "public"``: a draft goes to the customer by itself, by the real command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ticket_processor.sandbox.app import Sandbox
from ticket_processor.sandbox.store import PERSON_ID

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


def reasons(desk: Desk) -> list[str]:
    return [str(event["reason"]) for event in desk.events("ticket")]


def announced(desk: Desk) -> str:
    desk("run", "--since", "7d")
    return str(desk.notes(1)[0]["html_body"])


def test_the_note_announces_a_reply_that_goes_out_once_after_the_delay(account: Account) -> None:
    desk = account()
    assert "The draft goes to the customer in 10 min. Any change of the ticket cancels this" in announced(desk)
    desk("run")
    assert public(desk) == []
    desk.advance(601.0)
    ended = desk("run")
    desk("run")
    (reply,) = public(desk)
    assert f"{CHANGED} [1]" in reply
    assert f'<a href="{URL}/password">' in reply
    assert "public_reply" in reasons(desk)
    assert "ai_replied" in desk.ticket(1)["tags"]
    assert "1 public reply as the settings ask" in (ended.out + ended.err)


def test_what_an_agent_wrote_down_or_a_customer_followed_up_is_not_answered(account: Account) -> None:
    desk = account()
    desk.tickets[1].audits[0] = replace(desk.tickets[1].audits[0], author_id=PERSON_ID)
    for event in desk.tickets[1].audits[0].events:
        event.update({"author_id": PERSON_ID} if event["type"] == "Comment" else {})
    announced(desk)
    desk.advance(601.0)
    desk("run")
    assert public(desk) == []
    assert reasons(desk)[-1] == "reply_cancelled_touched"


def test_what_was_touched_before_is_not_announced(account: Account) -> None:
    desk = account()
    desk.sandbox.store.person_edit(1, add_tags=("vip",))
    desk.advance(60.0)
    assert "Not sent to the customer: the ticket is taken" in announced(desk)


@pytest.mark.parametrize(
    "now",
    [
        ARTICLE.replace("choose Change password", "choose Access"),
        ARTICLE.replace("everyone", "agents"),
        ARTICLE.replace(f"{URL}/password", f"{URL}/access"),
        None,
    ],
)
def test_a_reply_that_its_article_no_longer_says_is_cancelled(account: Account, now: str | None) -> None:
    desk = account()
    assert "and so does an article that no longer says this" in announced(desk)
    rewritten(desk, now)
    desk.advance(601.0)
    desk("run")
    desk("run")
    assert public(desk) == []
    assert reasons(desk)[-1] == "reply_cancelled_articles_changed"
    assert reasons(desk).count("reply_cancelled_articles_changed") == 1


def rewritten(desk: Desk, text: str | None) -> None:
    """The article reads so now, or is gone."""
    path = desk.folder / "help" / "password.md"
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    desk("kb", "sync", "--whole")


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


def test_the_sandboxs_own_model_quotes_articles(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever tries drafts out needs no model."""
    monkeypatch.setitem(ARTICLES, "password.md", ARTICLE)
    tickets = (TICKET, {"subject": "Opening hours", "body": "When do you open on Sundays in the harbour branch?"})
    desk = with_articles(open_desk, toml=f'[replies]\nmode = "draft"\n{KNOWLEDGE}', tickets=tickets, kind=Sandbox)
    desk("run", "--since", "7d")
    assert f"{CHANGED} [1]" in str(desk.notes(1)[0]["html_body"])
    assert "Draft reply" not in str(desk.notes(2)[0]["html_body"])
