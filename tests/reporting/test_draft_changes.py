from __future__ import annotations

import pytest

from ticket_processor.replies.assembly import DRAFT_END, DRAFT_HEAD
from ticket_processor.reporting.draft_changes import DraftProposal, JudgedDraft, proposals
from ticket_processor.reporting.drafts import LoggedNote

from .drafting_week import Figures, Week
from .test_drafts import Answered

LABEL = "Print the return label from your account."
PARCEL = "The parcel may come back within 14 days."
SHOP = (
    f"Hello,\n\nthank you for your message. Our articles say this about it:\n\n{LABEL} [1] {PARCEL} [1]\n\n"
    "You can read more here:\n[1] Returns – https://help.example.com/returns\n\nKind regards"
)
STEPS = (
    "Hello,\n\nthank you for your message. Our articles say this about it:\n\n"
    "Please try these steps, in this order:\n1. Hold the round button. [1]\n2. Choose the speaker in the list. [1]\n\n"
    "You can read more here:\n[1] Pairing\n\nKind regards"
)


class Shop(Answered):
    """Tickets with a draft, and what people sent on them."""

    def sent(self, draft: str, *texts: str) -> tuple[int, ...]:
        numbers = []
        for text in texts:
            numbers.append(number := self.noted())
            self.said(number, text)
            note = f"Triage: refund.\n{DRAFT_HEAD}\n{draft}\n{DRAFT_END}\nRef tb-12345678"
            self.notes[number] = LoggedNote(note, f"key-{number}")
        return tuple(numbers)

    def proposals(self) -> tuple[DraftProposal, ...]:
        return self.read().proposals


def test_a_sentence_that_people_keep_changing_alike_is_named_with_its_article_and_what_they_write() -> None:
    shop = Shop()
    mended = shop.sent(
        SHOP,
        f"Hi Ana,\n\n{LABEL} The parcel may come back within 30 days.",
        f"Hi Ana,\n\n{LABEL} You have 30 days to send the parcel back.",
    )
    shop.sent(SHOP, f"Hi Ana,\n\n{LABEL} {PARCEL}")
    (found,) = shop.proposals()
    assert (found.kind, found.about) == ("article", "Returns – https://help.example.com/returns")
    assert (found.sentence, found.tickets, found.of) == (PARCEL, mended, 3)
    assert "30 days" in found.instead


def test_one_ticket_alone_proposes_nothing_and_neither_do_people_who_each_change_something_else() -> None:
    shop = Shop()
    shop.sent(SHOP, f"Hi Ana, {LABEL} The parcel may come back within 30 days.", f"Hi Ana, {LABEL} {PARCEL}")
    shop.sent(SHOP, f"{LABEL} The parcel comes back soon.", f"Take a label from your account. {PARCEL}", PARCEL)
    assert shop.proposals() == ()


def test_a_sentence_that_most_people_take_out_and_a_step_that_they_add_are_named() -> None:
    shop = Shop()
    bare = shop.sent(SHOP, *[f"Hi Ana, {LABEL}"] * 3)
    more = shop.sent(
        STEPS,
        "Hold the round button. Choose the speaker in the list. Switch off every other phone.",
        "Please switch off every other phone first.\nHold the round button. Choose the speaker in the list.",
    )
    gone, added = sorted(shop.proposals(), key=lambda one: one.about, reverse=True)
    assert (gone.sentence, gone.instead, gone.tickets) == (PARCEL, "", bare)
    assert (added.about, added.sentence, added.tickets) == ("Pairing", "", more)
    assert "phone" in added.instead


def test_what_people_add_whatever_the_article_is_needs_a_rule_and_mends_no_article() -> None:
    shop = Shop()
    wish = "Please rate our service on the website."
    tickets = shop.sent(SHOP, *[f"{LABEL} {PARCEL} {wish}"] * 2)
    tickets += shop.sent(STEPS, *[f"Hold the round button. Choose the speaker in the list. {wish}"] * 2)
    (found,) = shop.proposals()
    assert (found.kind, found.tickets, found.instead) == ("rule", tickets, wish)


def test_a_category_whose_drafts_people_ignore_needs_another_description_or_no_draft() -> None:
    def judged(number: int, ours: str, theirs: str = "", *, ignored: bool = True) -> JudgedDraft:
        return JudgedDraft(number, ignored, "en", [("Returns", PARCEL)], [PARCEL], ours, theirs)

    moved = [judged(number, "order", "refund") for number in (1, 2)]
    refused = [judged(number, "security") for number in range(3, 8)]
    wanted = [judged(number, "billing", ignored=number > 10) for number in range(8, 16)]
    found = {one.kind: one for one in proposals([*moved, *refused, *wanted, judged(16, "account", "order")])}
    assert found.keys() == {"category description", "rule"}
    told = found["category description"]
    assert (told.about, told.tickets, "refund" in told.what) == ("order", (1, 2), True)
    assert (found["rule"].about, found["rule"].tickets) == ("security", (3, 4, 5, 6, 7))
    assert "replies.categories.security" in found["rule"].what


def test_words_that_a_single_ticket_has_are_in_no_proposal_and_people_s_words_are_not_in_json() -> None:
    shop = Shop()
    shop.sent(
        SHOP,
        f"{LABEL} Dear Zebulon of Quux Ltd, the parcel may come back within 30 days.",
        f"{LABEL} Ask our Wiltrud at the desk, the parcel may come back within 30 days.",
    )
    (found,) = shop.proposals()
    for words in ("zebulon", "quux", "wiltrud", "desk"):
        assert words not in repr(found).casefold()
    assert "within 30 days" in found.instead
    assert "30 days" not in found.model_dump_json()
    assert PARCEL in found.model_dump_json()


def test_of_ten_planted_faults_nine_are_named_in_the_first_week() -> None:
    week = Week("shop", 101)
    figures = week.figures(week.read())
    assert figures.named >= 9
    assert figures.wrong <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("site", "most_wrong"), [("shop", 1), ("office", 1)])
def test_most_planted_faults_are_named_over_weeks_on_which_nothing_was_chosen(site: str, most_wrong: int) -> None:
    """``-s`` prints the figures: the thresholds were chosen on weeks 0 to 29 of the shop, none on the office."""
    found: list[Figures] = []
    for seed in range(200, 220):
        week = Week(site, seed)
        found.append(week.figures(week.read()))
    named, wrong = (sum(getattr(one, name) for one in found) for name in ("named", "wrong"))
    proposals, weeks = sum(one.proposals for one in found), sum(one.named >= 9 for one in found)
    print(
        f"\n{site}: {named / len(found):.2f} of 10 faults named a week, at least 9 in {weeks} of {len(found)} weeks; "
        f"{wrong} of {proposals} proposals name something else"
    )
    assert named >= 8.5 * len(found)
    assert wrong <= most_wrong * len(found)
