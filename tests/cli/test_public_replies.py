"""``replies.categories.X = "public"``: a draft goes to the customer by itself, by the real command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ticket_processor.sandbox.account import PERSON_ID

from ..imitation import Sandbox
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


@pytest.mark.parametrize("touch", [{"add_tags": ("vip",)}, {"comment": "I take this."}, {"status": "pending"}])
def test_whoever_touches_the_ticket_keeps_the_reply_back(account: Account, touch: dict[str, Any]) -> None:
    desk = account()
    announced(desk)
    desk.advance(60.0)
    desk.sandbox.store.person_edit(1, **touch)
    desk.advance(600.0)
    desk("run")
    assert public(desk) == []
    assert reasons(desk)[-1] == "reply_cancelled_touched"


def test_the_status_follows_in_a_call_of_its_own(account: Account) -> None:
    desk = account('then = "solved"\nthen_hours = 1\n')
    assert "the ticket becomes solved 1 h later" in announced(desk)
    desk.advance(601.0)
    desk("run")
    assert desk.ticket(1)["status"] == "new"
    desk.advance(3601.0)
    desk("run")
    assert desk.ticket(1)["status"] == "solved"
    assert len(public(desk)) == 1


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


def test_a_status_that_is_wanted_no_more_is_not_set(account: Account) -> None:
    desk = account('then = "solved"\nthen_hours = 1\n')
    announced(desk)
    desk.advance(601.0)
    desk("run")
    toml = desk.folder / "ticketbot.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('then = "solved"', 'then = "nothing"'), encoding="utf-8")
    desk.advance(3601.0)
    desk("run")
    assert desk.ticket(1)["status"] == "new"
    assert reasons(desk)[-1] == "reply_cancelled_not_wanted"


def test_switched_off_and_on_again_nothing_old_goes_out(account: Account) -> None:
    desk = account()
    announced(desk)
    toml = desk.folder / "ticketbot.toml"
    words = toml.read_text(encoding="utf-8")
    toml.write_text(KNOWLEDGE, encoding="utf-8")
    desk("run")
    toml.write_text(words, encoding="utf-8")
    desk.advance(601.0)
    desk("run")
    assert public(desk) == []
    assert "reply_cancelled_not_wanted" in reasons(desk)


def test_settings_that_change_their_mind_keep_the_reply_back(account: Account) -> None:
    desk = account()
    announced(desk)
    toml = desk.folder / "ticketbot.toml"
    words = toml.read_text(encoding="utf-8")
    toml.write_text(words.replace("account = 0.5", "account = 0.9"), encoding="utf-8")
    desk.advance(601.0)
    desk("run")
    assert reasons(desk)[-1] == "reply_cancelled_not_wanted"
    assert public(desk) == []


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


def test_a_reply_whose_article_says_more_than_before_goes_out(account: Account) -> None:
    desk = account()
    announced(desk)
    rewritten(desk, f"{ARTICLE}\n# Two factors\nA second factor makes it safer.\n")
    desk.advance(601.0)
    desk("run")
    assert f"{CHANGED} [1]" in public(desk)[0]


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


def test_a_dry_run_sends_nothing_and_tells_of_it(account: Account) -> None:
    desk = account()
    announced(desk)
    desk.advance(601.0)
    desk("run", "--dry-run")
    assert public(desk) == []
    desk("run")
    assert len(public(desk)) == 1


def test_an_undo_before_the_reply_keeps_it_back(account: Account) -> None:
    desk = account()
    announced(desk)
    desk("undo", "latest")
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
    (desk.folder / "ticketbot.toml").write_text(toml, encoding="utf-8")
    assert words in desk("run", "--since", "now", code=2).err


def test_the_sandboxs_own_model_quotes_articles(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever tries drafts out needs no model."""
    monkeypatch.setitem(ARTICLES, "password.md", ARTICLE)
    tickets = (TICKET, {"subject": "Opening hours", "body": "When do you open on Sundays in the harbour branch?"})
    desk = with_articles(open_desk, toml=f'[replies]\nmode = "draft"\n{KNOWLEDGE}', tickets=tickets, kind=Sandbox)
    desk("run", "--since", "7d")
    assert f"{CHANGED} [1]" in str(desk.notes(1)[0]["html_body"])
    assert "Draft reply" not in str(desk.notes(2)[0]["html_body"])
