"""A reply that is sent later is put together again from the articles as they are then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ticket_processor.core.models import Analysis, ReplyPlan
from ticket_processor.core.reasons import ARTICLES_CHANGED, NOT_WANTED
from ticket_processor.replies.assembly import ReplyDraft, assembled
from ticket_processor.replies.public import reply_plan, why_not_now
from ticket_processor.replies.settings import PublicReplySettings, ReplySettings
from ticket_processor.replies.writer import read_proposal

from .articles import PASSWORD, REFUND, Part, claim, said

PAID, COSTS, UNTIL = REFUND.text.splitlines()
STEPS = PASSWORD.text.splitlines()[:2]
PUBLIC = ReplySettings(
    categories={"account": "public"}, public=PublicReplySettings(thresholds={"account": 0.5}, then="pending")
)
MOVED = Part(REFUND.article_id, REFUND.title, REFUND.url, f"First.\n\n{PAID}", heading="Money")


def planned() -> ReplyPlan:
    """A reply of two claims and two steps from two articles, as the state keeps it."""
    proposal = said(claim(PAID), claim(COSTS), steps=[claim(step, source="A2") for step in STEPS])
    draft = assembled(read_proposal(json.dumps(proposal)), {"A1": REFUND, "A2": PASSWORD}, "en")
    assert isinstance(draft, ReplyDraft)
    analysis = Analysis.model_construct(category="account", subcategory=None, secondary=(), alarms=())
    plan = reply_plan(analysis, draft, PUBLIC.public)
    return ReplyPlan.model_validate_json(plan.model_dump_json())


def objection(*articles: Part, plan: ReplyPlan | None = None, settings: ReplySettings = PUBLIC) -> str | None:
    """Why the reply does not go out while these are all the articles."""

    def passages(name: str) -> Sequence[Part]:
        return [each for each in articles if each.article_id == name]

    return why_not_now(plan or planned(), "reply", settings, passages)


def test_a_reply_goes_out_while_its_articles_say_it() -> None:
    assert objection(REFUND, PASSWORD) is None
    assert objection(PASSWORD, REFUND, replace(REFUND, text="Refunds are a good thing.")) is None
    assert objection(PASSWORD, replace(MOVED, text=f"{COSTS}"), MOVED) is None, "cut into other passages"


@pytest.mark.parametrize(
    "now",
    [
        replace(REFUND, text=REFUND.text.replace("5 to 7", "5 to 9")),
        replace(REFUND, text=REFUND.text.replace("are not refunded", "are refunded")),
        replace(REFUND, text=REFUND.text.replace(PAID, f"If you are lucky, {PAID}")),
        replace(REFUND, title="Old refunds"),
        replace(REFUND, url="https://help.shop.example/en/moved"),
        replace(REFUND, text=f"{PAID}"),
        replace(REFUND, text=""),
        None,
    ],
)
def test_a_reply_that_an_article_no_longer_says_does_not(now: Part | None) -> None:
    assert objection(PASSWORD, *([] if now is None else [now])) == ARTICLES_CHANGED


def test_a_plan_that_names_no_articles_cannot_be_checked_and_is_not_sent() -> None:
    assert objection(REFUND, PASSWORD, plan=planned().model_copy(update={"claims": ()})) == ARTICLES_CHANGED


def test_the_status_behind_a_reply_needs_no_article_and_settings_come_first() -> None:
    assert why_not_now(planned(), "status", PUBLIC, lambda _name: ()) is None
    assert objection(settings=ReplySettings()) == NOT_WANTED
