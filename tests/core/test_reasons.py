"""Reasons are words for programs; people read what they mean."""

from __future__ import annotations

import pytest

from ticket_processor.core.reasons import MEANINGS, in_words


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        ("already_done", "ticketbot has triaged the ticket before"),
        ("dead_letter", "the ticket failed too often; ticketbot retry run tries it again"),
        ("machine_mail_bounce", "a machine wrote the mail: bounce"),
        ("person_was_faster_assigned", "an agent has taken the ticket (with run.wait_minutes)"),
        ("person_was_faster_open", "an agent has set this status; run.statuses lists those that are triaged: open"),
        ("skip_rule_own_notes", "a rule under [skip] leaves it alone: own notes"),
        ("by model-x, confidence 0.80", "by model-x, confidence 0.80"),
        ("Zendesk refused the update (HTTP 422)", "Zendesk refused the update (HTTP 422)"),
    ],
)
def test_a_reason_is_read_as_what_it_means(reason: str, read: str) -> None:
    assert in_words(reason) == read


@pytest.mark.parametrize("word", MEANINGS)
def test_no_word_of_the_list_is_left_in_what_people_read(word: str) -> None:
    read = in_words(word)
    for name in ("wait_minutes", "canary_percent", "articles_changed", "RUN_ID"):
        read = read.replace(name, "")
    assert "_" not in read
