"""Analyses a ticket again: when its customer answers, and when a model is available after a fallback. Pure functions.

Both happen only if the settings want it. Our own earlier labels may be replaced, since a receipt proves that they are
ours. If a person changed one of them, or took off ``ai_fallback``, the ticket is left alone. A priority always stays.

A solved ticket that a customer's thanks reopened may be solved again, if nobody has touched it since. The helpdesk's
record must be complete and say that this message reopened the ticket; in doubt the ticket is left alone. A message only
thanks if known phrases cover every word of it, so that nothing can be asked, denied or told beside them; words that no
list holds, digits and question marks end it.

Each answer has a kind, which receipts tell and no decision uses. It comes from word lists in four languages, and is
``unclear`` where they find nothing, or several things.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from ..analysis.rules.alarms import Denials
from ..analysis.rules.injection import signs_of
from ..analysis.rules.matcher import PhraseMatcher, Wording, entries_of, lists, without_contained
from ..analysis.text.cleaning import clean
from ..analysis.text.language import detect_language
from ..core import reasons
from ..core.clock import moment_of
from ..core.models import Decision, Overwrite, ReplyKind, ReplySeen, StatusChange, Ticket
from ..core.text import MAX_INPUT, lazy_pattern
from ..helpdesk.ticket_history import Edit, History
from ..tags import earlier_key, write_key
from .decide import Mode, Policy
from .skip_rules import machine_mail

MOST_READ = 20
"""Maximum number of a customer's answers that are read; the newest are."""
LONGEST = 6_000
"""Maximum characters of one answer that are read, so that the first message is seen as well."""
_END = "\ue000"


@dataclass(frozen=True)
class CustomerReply:
    """The requester's answer since we triaged. ``key`` is the key of the one write for it.

    ``ticket`` is the result of :func:`with_answers`; ``ours`` are our labels that it carries. ``judged``: a person has
    changed one of our labels. ``seen`` is the newest of the requester's comments, and its kind.
    """

    key: str
    ticket: Ticket
    ours: tuple[str, ...]
    seen: ReplySeen
    judged: bool = False
    earlier_key: str = ""


def reply_to(ticket: Ticket, history: History, policy: Policy) -> CustomerReply | None:
    """The requester's answer that is not triaged yet; ``None`` if there is none."""
    if ticket.requester is None or history.last_of_ours() is None:
        return None
    said = history.said_since(None, ticket.requester)
    if _triaged(ticket, history, said) == len(said):
        return None
    return CustomerReply(
        _key(ticket, len(said)),
        with_answers(ticket, history),
        our_labels(ticket, history, policy),
        ReplySeen(kind=reply_kind(ticket, said[-1].text, files=said[-1].files), number=len(said)),
        judged=history.judged(ticket.tags) or policy.marker not in ticket.tags,
        earlier_key=earlier_key(ticket, _stage(len(said))),
    )


def with_answers(ticket: Ticket, history: History) -> Ticket:
    """The ticket with all messages of its requester as its description, the newest first."""
    said = () if ticket.requester is None else history.said_since(None, ticket.requester)
    newest_first = [edit.text for edit in reversed(said) if not edit.creation][:MOST_READ]
    words = "\n\n".join(text for text in (*map(_to_read, newest_first), ticket.description) if text)
    return ticket.model_copy(update={"description": words})


def _triaged(ticket: Ticket, history: History, said: tuple[Edit, ...]) -> int:
    """How many of the comments ``said`` our last triage covered, as far as can be known.

    The key of a write for an answer says so exactly, even if more comments came meanwhile. Writes without triage, such
    as one that completes another, say nothing about it.
    """
    keys = {edit.key for edit in history.edits}
    for number in range(len(said), 0, -1):
        if _key(ticket, number) in keys or earlier_key(ticket, _stage(number)) in keys:
            return number
    first = history.find(write_key(ticket), earlier_key(ticket)) or history.last_of_ours()
    return len(said) - len(history.said_since(first, ticket.requester or 0))


def _key(ticket: Ticket, number: int) -> str:
    return write_key(ticket, _stage(number))


def _stage(number: int) -> str:
    return f"reply {number}"


def _to_read(text: str) -> str:
    """A comment without its quotes, since cleaning would take a quote for the end of all messages.

    Empty if it holds nothing but quotes. If removing quotes would hide signs of instructing a model, it stays whole.
    """
    cleaned = clean("", text)[:LONGEST]
    if not set(signs_of(text)) <= set(signs_of(cleaned)):
        return text[:MAX_INPUT]
    return cleaned if clean("", f"0\n{cleaned}\n{_END}").endswith(_END) else ""


def our_labels(ticket: Ticket, history: History, policy: Policy) -> tuple[str, ...]:
    """Our labels on the ticket, without those that are a drop-down's value: taking one off would empty the field.

    The tag that says that we have replied is not a label: it stays true.
    """
    still_ours = history.ours().tags - {policy.replied}
    values = {word for value in ticket.fields.values() for word in value.split()}
    return tuple(
        tag for tag in ticket.tags if tag in still_ours and tag.startswith(policy.tag_prefix) and tag not in values
    )


def anew_key(ticket: Ticket, run_id: str) -> str:
    """The key of the one write for which this run analyses the ticket again."""
    return write_key(ticket, f"anew {run_id}")


STAGE = "second_look"
"""The second write's stage, which makes its key differ from the first one's."""
MOST_TRIES = 3
"""Failed requests to a model about one ticket after which the rules' answer is final."""
_NOT_ASKED = ("budget_", "model_", "no_model", "analyser_broken")
_IN_VAIN = ("model_refused", "model_content_filter", "model_prompt_too_long", "model_empty_answer", "model_nonsense")


def still_ours(ticket: Ticket, ours: Sequence[str], policy: Policy) -> bool:
    """True if the ticket still carries all tags of our first write, the fallback tag included."""
    return policy.tag("fallback") in ours and set(ours) <= set(ticket.tags)


def in_vain(why: str | None) -> bool:
    """True if a model was asked but could not analyse this ticket; false if it was down or too expensive."""
    return why is not None and (why in _IN_VAIN or not why.startswith(_NOT_ASKED))


def replacing(decision: Decision, ticket: Ticket, ours: Sequence[str], policy: Policy) -> Decision:
    """``decision`` in place of our earlier labels ``ours``; without a note if it says the same as they do."""
    labelled = any(tag.startswith(policy.tag("urgency", "")) for tag in decision.tags)
    # A decision without labels only suggests, so our earlier labels stay.
    gone = tuple(tag for tag in ours if tag not in decision.tags) if labelled else ()
    news = set(decision.tags).difference(ticket.tags) or set(gone) - {policy.tag("fallback"), policy.tag("review")}
    note = decision.note if news else None
    if note:
        note += "".join(f"\n{sentence}" for sentence in _stays(decision, ticket))
    offered = decision.offered if note else None
    return decision.model_copy(update={"tags_removed": gone, "note": note, "offered": offered})


def _stays(decision: Decision, ticket: Ticket) -> list[str]:
    """A sentence for each value that stays because it was set before, but differs from the model's."""
    stays = []
    priority = decision.priority if decision.priority_overwrite is Overwrite.NEVER else None
    group = decision.group if decision.group_overwrite is Overwrite.NEVER else None
    fields = decision.fields if decision.fields_overwrite is Overwrite.NEVER else {}
    if ticket.priority is not None and priority not in (None, ticket.priority):
        stays.append(f"The priority stays {ticket.priority}; {priority} is suggested.")
    if ticket.group is not None and group not in (None, ticket.group):
        stays.append(f"The group stays; {group} is suggested.")
    for key, value in fields.items():
        if ticket.fields.get(key, value) != value:
            stays.append(f"Field {key} stays as it is; {value} is suggested.")
    return stays


_OPEN = ("new", "open")
_SUGGESTED = "The customer only says thanks: the ticket can be set back to solved."
_APPLIED = "The customer only says thanks, so the ticket is solved again."


def reopened_by_thanks(ticket: Ticket, history: History) -> bool:
    """True if the requester's thanks reopened the solved ticket, and since then only the account's rules changed it.

    Rules that comment or set a status count as a person, and so do changes that are not on record. If the ticket was
    solved again before, it is left to people: an automatic reply may thank for every mail of the helpdesk.
    """
    edits = history.edits
    place = next((at for at in range(len(edits) - 1, -1, -1) if edits[at].comment is not None), None)
    if ticket.status not in _OPEN or ticket.requester is None or place is None:
        return False
    said, since = edits[place], edits[place + 1 :]
    of_the_customer = said.comment == "public" and said.author == ticket.requester and not (said.key or said.creation)
    # The status that the helpdesk sets because of an answer may be a separate edit right after it.
    reopening = said if said.status is not None else next(iter(since), said)
    if not of_the_customer or reopening.status is None or reopening.status[0] != "solved":
        return False
    if reopening.status[1] != ticket.status or (reopening is not said and reopening.way != "rules"):
        return False
    solved = next((edit for edit in reversed(edits[:place]) if edit.status and edit.status[1] == "solved"), None)
    if solved is not None and solved.key and solved.comment is not None:
        return False
    if not all(edit is reopening or _is_quiet(edit) for edit in since):
        return False
    if moment_of(ticket.updated_at) > max(moment_of(edit.at) for edit in edits):
        return False
    return is_mere_thanks(ticket, said.text, files=said.files)


def _is_quiet(edit: Edit) -> bool:
    return edit.way == "rules" and edit.comment is None and edit.status is None


def solved_again(ticket_id: int, policy: Policy) -> Decision:
    """The decision for such a ticket: a note, and the status if the settings allow it. Labels stay."""
    applies = policy.thanks_keep_solved is Mode.APPLY
    return Decision(
        ticket_id=ticket_id,
        closing=StatusChange(status="solved") if applies else None,
        note=_APPLIED if applies else _SUGGESTED,
        reason=reasons.ONLY_THANKS,
        suggest_only=not applies,
    )


def still_holds(decision: Decision, ticket: Ticket, history: History, policy: Policy) -> bool:
    """True if such a decision still fits the ticket as it is now and the present settings."""
    wanted = policy.thanks_keep_solved is not Mode.OFF and decision == solved_again(ticket.id, policy)
    return wanted and reopened_by_thanks(ticket, history)


LONGEST_THANKS, MOST_WORDS = 300, 40
"""Characters and words of a message that only thanks: a longer one has more to say."""
MOST_NAMES = 3
"""Words of a name, or of two lines below a sign-off."""
_TABLES = ("thanks", "beside", "greeting", "sign_off")
_NAMED = {"thanks": 1, "greeting": MOST_NAMES, "sign_off": MOST_NAMES}
"""Words of a name that may end a clause behind a phrase of this table."""
_JOINED = ("ja", "signs")
"""Have no spaces between words."""
_CLAUSES = lazy_pattern(r"[.!¡,;:…\n。、！～〜・()\"“”«»*]+|(?<=\s)[–—]+(?=\s)|'(?=\s|$)|(?<=\s)'")
_EMOTICON = lazy_pattern(r"(?<!\w)[:;8]-?[)DPp](?!\w)|\^\^|<3")
_SAD = lazy_pattern(r"[:;][-']?[(\[]")
_DENIALS = frozenset("no nope not nein nicht nee niet non pas não".split())
"""Written as names are, behind thanks, these are none."""


@cache
def _phrases() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Every phrase with its table. Repetitions are bounded, so that no message takes long."""
    return tuple(
        (table, re.compile(body if language in _JOINED else rf"{body}(?!\w)", re.IGNORECASE))
        for table in _TABLES
        for language, phrases in lists("mere_thanks")[table].items()
        for body in (f"(?:{phrase.replace(')*', '){0,5}')})" for phrase in phrases)
    )


def is_mere_thanks(ticket: Ticket, text: str, *, files: bool = False) -> bool:
    """Whether a message on ``ticket`` only thanks. Quoted mail and signatures are not read; ``files`` came with it.

    What a machine wrote is none, whatever it says.
    """
    mail = ticket.model_copy(update={"subject": "Re:", "description": text, "channel": "email"})
    return not files and machine_mail(mail) is None and only_thanks(clean("", text), ticket.names)


def only_thanks(text: str, names: Collection[str] = ()) -> bool:
    """Whether a text without quotes and signature thanks and says nothing else; ``names`` are the writer's."""
    if len(text) > LONGEST_THANKS or len(text.split()) > MOST_WORDS or _SAD.search(text):
        return False
    plain = _EMOTICON.sub(" ", text.replace("’", "'").replace("-", " "))
    own = {word.casefold() for name in names for word in name.replace("-", " ").split()}
    thanked, signed = False, 0
    for clause in filter(None, (part.strip() for part in _CLAUSES.split(plain))):
        if found := _tables_of(clause):
            thanked = thanked or "thanks" in found
            signed = MOST_NAMES if found == {"sign_off"} else signed
        elif len(clause.split()) <= signed and _is_name(clause):
            signed -= len(clause.split())
        elif not set(clause.casefold().split()) <= own:
            return False
    return thanked


def _tables_of(clause: str) -> frozenset[str]:
    """The tables of the phrases that cover a clause, as many as there are in one way; empty where they do not."""
    ways: dict[tuple[int, str], frozenset[str]] = {(0, ""): frozenset()}
    best: frozenset[str] = frozenset()
    while ways:
        place = min(ways)
        found = ways.pop(place)
        at, last = place
        if at >= len(clause):
            best = max(best, found, key=len)
            continue
        for table, phrase in _phrases():
            match = phrase.match(clause, at)
            if match and match.end() > at:
                end = len(clause) - len(clause[match.end() :].lstrip())
                ways[end, table] = max(ways.get((end, table), frozenset()), found | {table}, key=len)
        if (most := _NAMED.get(last)) and (name := clause[at:].split()) and len(name) <= most and _is_name(clause[at:]):
            best = max(best, found, key=len)
        elif most and _is_name(name[0]):
            end = at + len(name[0]) + 1
            ways[end, ""] = max(ways.get((end, ""), frozenset()), found, key=len)
    return best


def _is_name(text: str) -> bool:
    """Whether every word is written as names are: a capital, then small letters."""
    words = text.split()
    like_names = all(word.isalpha() and word[0].isupper() and (word[1:].islower() or len(word) == 1) for word in words)
    return like_names and _DENIALS.isdisjoint(map(str.casefold, words))


MOST_TOLD = 2_000
"""Characters of a reply by which its kind is told: what it is about stands at its beginning."""
_FACT = lazy_pattern(r"^[^\W\d_][\w .\-]{1,30}: {0,2}\S", re.MULTILINE)
_YES_OR_NO = lazy_pattern(r"\A\s*(?:no|nope|nein|nee|non|yes|yep|ja|oui|s[ií])\b[\s,.!:-]*", re.IGNORECASE)
"""At the beginning of a reply they answer a question, and deny no word behind them."""
_FACTS = 2
"""Lines with a name and a value from which on a reply is a filled-in form."""


def reply_kind(ticket: Ticket, text: str, *, files: bool = False) -> ReplyKind:
    """The kind of a public reply of the requester of ``ticket``; ``files`` came with it. Never raises.

    Quoted mail and signatures are not read. A reply that says that the trouble goes on is ``same_problem`` whatever it
    asks beside it, unless it names another matter as well.
    """
    mail = ticket.model_copy(update={"subject": "Re:", "description": text, "channel": "email"})
    if machine_mail(mail) is not None:
        return "out_of_office"
    said = _YES_OR_NO.sub("", clean("", text)[:MOST_TOLD])
    if not files and only_thanks(said, ticket.names):
        return "thanks"
    wording = Wording(said)
    denials = Denials(wording, detect_language(said))
    hits = without_contained(_matcher().find(wording.words, said)["kinds"])
    found = {hit.value for hit in hits if not denials.of(hit)}
    other = "new_question" in found
    if "same_problem" in found:
        return "unclear" if other or "over" in found else "same_problem"
    asked = "?" in said and "asks" in found and "waiting" not in found
    told = files or "more_information" in found or len(_FACT.findall(said)) >= _FACTS
    if other or asked:
        return "unclear" if told and not other else "new_question"
    return "more_information" if told and "?" not in said else "unclear"


@cache
def _matcher() -> PhraseMatcher:
    return PhraseMatcher(
        kinds=(
            (entry, name)
            for name, rows in lists("replies").items()
            for words in rows.values()
            for entry in entries_of(words)
        )
    )
