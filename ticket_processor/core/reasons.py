"""The reasons that outcomes carry; ``scripts/reference.py`` writes ``docs/reasons.md`` from this list.

Each line of the log about a ticket has a reason, and so has each entry of the retry list. A written ticket's reason
names its analyser. A failed ticket may have the helpdesk's answer, a sentence, as its reason.
"""

from __future__ import annotations

from collections.abc import Mapping

MEANINGS: dict[str, str] = {}
"""Every reason, and its meaning in one sentence; ``skip_rule_LIST`` stands for all that begin so."""
_OF_MANY: dict[str, str] = {}
"""Meanings of groups of reasons, by the beginning that they share."""
NO_MODEL = "no_model_configured"
"""The ``why_fallback`` of analyses for which no model was configured."""


def _reason(word: str, meaning: str, *, then: str = "") -> str:
    MEANINGS[f"{word}_{then}" if then else word] = meaning
    if then:
        _OF_MANY[f"{word}_"] = meaning
    return word


def in_words(reason: str) -> str:
    """A reason as people read it, such as ``the ticket is closed; the helpdesk allows no change``.

    A text that is not in the list, such as a sentence of the helpdesk, is returned unchanged.
    """
    meaning, then = MEANINGS.get(reason), ""
    if meaning is None:
        start = next(filter(reason.startswith, _OF_MANY), None)
        if start is None:
            return reason
        meaning, then = _OF_MANY[start].partition(":")[0], ": " + reason.removeprefix(start).replace("_", " ")
    words = meaning.rstrip(".").replace("`", "")
    return f"{words[:1].lower()}{words[1:]}{then}"


# A ticket is left alone

ALREADY_DONE = _reason("already_done", "ticketbot has triaged the ticket before.")
MARKED_BY_OTHERS = _reason("marked_by_others", "The ticket has our marker tag, but no write of ours on record.")
DEAD_LETTER = _reason("dead_letter", "The ticket failed too often; `ticketbot retry run` tries it again.")
DROPPED = _reason("retry_dropped", "A person took the ticket off the retry list.")
OLDER_THAN_SINCE = _reason("older_than_since", "The ticket is older than `--since`.")
FASTER = _reason(
    "person_was_faster", "An agent has set this status; `run.statuses` lists those that are triaged.", then="STATUS"
)
TAKEN = _reason("person_was_faster_assigned", "An agent has taken the ticket (with `run.wait_minutes`).")
SOLVED = _reason("solved", "The ticket is solved.")
CLOSED = _reason("closed", "The ticket is closed; the helpdesk allows no change.")
DELETED = _reason("deleted", "The ticket is deleted.")
NOT_FOUND = _reason("not_found", "No ticket has the number that was asked for.")
HANDS_OFF = _reason("hands_off", "The ticket carries the hands-off tag.")
SKIP_RULE = _reason(
    "skip_rule", "A rule under `[skip]` leaves it alone: this list names the ticket, or this switch is on.", then="LIST"
)
MACHINE_MAIL = _reason("machine_mail", "A machine wrote the mail: a bounce or an automatic reply.", then="KIND")
OUTSIDE_CANARY = _reason("outside_canary", "The ticket is outside `run.canary_percent`.")
WAITING = _reason("waiting_for_people", "Agents have their head start (`run.wait_minutes`).")
JUDGED = _reason("person_changed_our_tags", "A person has changed our labels since, which settles the ticket.")
STILL_NO_MODEL = _reason("still_no_model", "A second look was due, and again no model answered.")
CHANGED_SINCE = _reason("changed_since_dry_run", "The ticket has changed since the dry run that planned its write.")
NOTHING_NEW = _reason("nothing_left_to_change", "The ticket has all that would be written.")

# It is written, or waits

DEFERRED = _reason("deferred_changed_just_now", "The ticket changed within the last seconds; the next run takes it.")
RECORD_UNREADABLE = _reason(
    "deferred_record_unreadable", "The helpdesk's audits cannot be read; a later run takes the ticket."
)
CONFIRMED = _reason("confirmed_by_reading", "The reply to the write was lost; reading the ticket proved the write.")
INCOMPLETE = _reason("incomplete", "The helpdesk refuses this part; a later run tries it again.", then="PART")
PUT_BACK = _reason("put_back_what_was_overwritten", "A write had replaced what a person set meanwhile; it is back.")

# A public reply, and the status behind it

REPLIED = _reason("public_reply", "The announced reply was sent: no person had changed the ticket.")
STATUS_SET = _reason("status_after_reply", "No person changed the ticket after our reply, so it got this status.")
STAYED_INTERNAL = _reason("reply_stayed_internal", "The helpdesk made our public reply an internal note.")
CANCELLED = _reason(
    "reply_cancelled",
    "The announced reply, or the status behind it, was cancelled, such as for `articles_changed`: an article no longer "
    "says what the reply says.",
    then="WHY",
)
ARTICLES_CHANGED = "articles_changed"
TOUCHED_SINCE = "touched"
TOO_LATE = "too_late"
NOT_WANTED = "not_wanted"
NOT_ON_RECORD = "not_on_record"
REPLIED_BEFORE = "replied_before"
MESSAGING = "messaging"

# Thanks of the customer

ONLY_THANKS = _reason("only_thanks", "The customer's thanks had reopened the solved ticket; the note says so.")
THANKS_OVERTAKEN = _reason(
    "thanks_overtaken", "More has happened since the thanks, or the settings have changed: nothing is written for it."
)

# It failed

CHANGED_AGAIN = _reason("changed_again_and_again", "Others changed the ticket during each attempt.")
NO_CLEAR_ANSWER = _reason("no_clear_answer_again_and_again", "The helpdesk gave no clear reply to each attempt.")
JOB_ITEM_FAILED = _reason("failed_in_a_job", "The helpdesk's job left this ticket out each time.")

# An undo

TAKEN_BACK = _reason("taken_back", "The run's write is taken back.")
ALREADY_UNDONE = _reason("already_undone", "An earlier undo has taken the write back.")
NOTHING_OF_OURS = _reason("nothing_of_ours", "The helpdesk has no write of ours on record.")
OTHER_RUN = _reason("written_by_another_run", "The write is this other run's.", then="RUN_ID")
TOUCHED = _reason("touched_since", "People have changed every value since.")
SEEN_BY_CUSTOMERS = _reason("seen_by_customers", "A public reply, or the status behind it, cannot be taken back.")
NOTHING_LEFT = _reason("nothing_left_to_take_back", "Nothing of the write is on the ticket any more.")
NOT_KNOWN_YET = _reason("not_known_yet", "The run's job had not ended; the write may still come.")

WITHOUT_MODEL: Mapping[str, str] = {
    "nothing_to_read": "there is no text to read",
    "no_model_configured": "no model is configured",
    "budget_of_run_spent": "the budget of the run is spent",
    "budget_of_day_spent": "the budget of the day is spent",
    "model_unreachable": "the model server is unreachable",
    "model_timeout": "the model server gave no answer in time",
    "model_hung": "a call to the model server hung",
    "model_rate_limited": "the model server asked for a pause",
    "model_breaker_open": "the model server had failed shortly before",
    "model_not_authorised": "the model server refuses the key",
    "model_unknown": "the model server does not know the model",
    "model_no_quota": "the account at the model server is used up",
    "model_refused_request": "the model server refuses the request",
    "model_refused": "the model refused to answer",
    "model_empty_answer": "the model's answer was empty",
    "model_nonsense": "the model server's answer could not be read",
    "model_answers_useless": "the model's answers were of no use",
    "model_content_filter": "the model server's filter refused the text",
    "model_prompt_too_long": "the text is too long for the model",
}
"""Why no model answered (``why_fallback`` of an analysis), in words."""


def why_no_model(reason: str, detail: str = "") -> str:
    """Why no model answered (``why_fallback``), in words: ``the model server is unreachable: connection refused``."""
    word = reason.replace("_", " ")
    status = word.removeprefix("model http ")
    words = WITHOUT_MODEL.get(reason, word if status == word else f"the model server answers HTTP {status}")
    return f"{words}: {detail}" if detail else words
