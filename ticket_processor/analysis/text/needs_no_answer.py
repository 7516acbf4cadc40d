"""Mail that a machine wrote: bounces, out-of-office replies, acknowledgements, scans, all-clears. None needs an answer.

A subject alone proves nothing: people write about bounces and automatic replies too. It takes the sender as well, or a
text in a machine's own form; in doubt the ticket is a person's. An alert that something is down is a ticket; only the
one that says it is up again is not.

Whether a customer's further message only thanks: known phrases cover every word of it.

So nothing can be asked, denied or told beside them; words that no list holds, digits and question marks end it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from ...core.models import Ticket
from ...core.text import lazy_pattern
from ..rules.matcher import clauses_of, length_of, lists
from .cleaning import MAX_SUBJECT, clean, normalised


def _any(name: str, *, behind: str = "", before: str = "") -> re.Pattern[str]:
    """One of the patterns in the list ``name``, or in any language of the table ``name``."""

    def pattern() -> str:
        found = lists("machine_mail")[name]
        patterns = [one for each in found.values() for one in each] if isinstance(found, dict) else found
        return f"{behind}(?:{'|'.join(patterns)}){before}"

    return lazy_pattern(pattern, re.IGNORECASE | re.DOTALL)


_MAIL = frozenset(("", "email", "mail", "api"))
"""Channels by which mail comes in; programs that pass mail on use the API."""
_SENDER, _TAGGED = r"(?:^|[<\s])", r"(?:[+\-.][^@]{0,80})?@"
_DAEMON = _any("daemon_senders", behind=_SENDER, before="@")
_MACHINE_SENDER = _any("machine_senders", behind=_SENDER, before=_TAGGED)
_DEVICE_SENDER = _any("device_senders", behind=_SENDER, before=r"[\w\-]{0,40}@")
_DEVICE_SUBJECT, _DEVICE_BODY = _any("device_subjects", behind=r"\s{0,4}"), _any("device_bodies")
_ALERT_SENDER = _any("alert_senders", behind=_SENDER, before=r"(?:[+\-._][^@]{0,80})?@")
_ALL_CLEAR, _STILL_BAD = _any("all_clear"), _any("still_bad")
# From a sender that may also pass on what people write, only a subject of an alert's form counts.
_ALERT_SUBJECT = _any("alert_subjects", behind=r"\s{0,4}")
_LEAD = r"\s{0,4}(?:\[external\] ?)?[\[【]?"
# Behind the words that head a reply stands what it replies to, or nothing: "Away: …", not "Away when the parcel came".
_HEADING = r"\w{0,16}(?: (?:auto-?reply|reply|response|message|notification|re))? ?(?:[:：)\]】–-]|$)"
_SUBJECTS = (
    ("bounce", _any("bounce_subjects", behind=_LEAD)),
    ("delivery_report", _any("receipt_subjects", behind=_LEAD)),
    ("auto_reply", _any("reply_subjects", behind=_LEAD, before=_HEADING)),
    ("out_of_office", _any("away_subjects", behind=_LEAD, before=_HEADING)),
)
_ANSWER = lazy_pattern(r"\s{0,4}(?:re|aw|antw|antwoord|r|sv|回复|答复) ?:", re.IGNORECASE)
_BOUNCE_OPENING = _any("bounce_openings", behind=r"[\s*_=#-]{0,20}")
_BOUNCE_FACTS = _any("bounce_facts")
_RECEIPT_OPENING = _any("receipt_openings", behind=r"\s{0,20}")
_SELF = _any("self")
_MEANWHILE = _any("meanwhile")
_POLITE = _any("polite")
_FORM = _any("form_fields", behind=r"(?m:^)\s{0,4}", before=" ?[:：]")
_OPENING, _REPLY = 3_000, 800
_SAYS_SOMETHING = 3
"""Words from which on a part of a sentence says more than a greeting or a name."""


def machine_mail(ticket: Ticket) -> str | None:
    """The kind of machine mail that this ticket is: ``"bounce"``, ``"delivery_report"``, ``"out_of_office"``,
    ``"auto_reply"``, ``"device"`` (a scan or fax) or ``"all_clear"`` (monitoring found something up again); ``None``
    for a person's mail, for alerts, and for what did not come as mail.

    A mail daemon's address suffices. Otherwise it takes the form of a machine's text, and beside it an address that
    nobody reads or a subject of that kind.
    """
    if ticket.channel.lower() not in _MAIL:
        return None
    sender = (ticket.sender or ticket.requester_address)[:1000]
    if sender == "<>" or _DAEMON.search(sender):
        return "bounce"
    subject = normalised(ticket.subject[:MAX_SUBJECT])
    from_machine = bool(_MACHINE_SENDER.search(sender))
    kind = next((reason for reason, pattern in _SUBJECTS if pattern.match(subject)), None)
    from_device = bool(_DEVICE_SENDER.search(sender) or _ALERT_SENDER.search(sender))
    if not (from_machine or from_device or kind or _ANSWER.match(subject)):
        return None
    opening = normalised(ticket.description[:_OPENING])
    if from_machine and kind and not opening.strip():
        return kind
    # Mail servers' reports begin otherwise than what people write who quote one.
    reports = _BOUNCE_OPENING.match(opening) or (from_machine and _BOUNCE_FACTS.search(opening))
    if reports and (from_machine or kind == "bounce"):
        return "bounce"
    if kind == "delivery_report" and _RECEIPT_OPENING.match(opening):
        return kind
    if _is_reply(opening[:_REPLY], kind, from_machine=from_machine):
        return kind if kind == "out_of_office" else "auto_reply"
    head = opening[:600]
    if "?" in head:
        return None
    scanned = _DEVICE_SUBJECT.match(subject) and _DEVICE_BODY.search(head)
    if scanned and (from_machine or _DEVICE_SENDER.search(sender)):
        return "device"
    alerting = _ALERT_SENDER.search(sender) or (from_machine and _ALERT_SUBJECT.match(subject))
    over = _ALL_CLEAR.search(subject) and not _STILL_BAD.search(subject) and "?" not in subject
    return "all_clear" if alerting and over else None


def _is_reply(text: str, kind: str | None, *, from_machine: bool) -> bool:
    """Whether ``text`` says mostly what automatic replies say, and asks nothing."""
    if "?" in text or "？" in text or _FORM.search(text):
        return False
    of_itself = meanwhile = own = 0
    for clause in clauses_of(text):
        if _SELF.search(clause):
            of_itself += 1
        elif _MEANWHILE.search(clause):
            meanwhile += 1
        elif not _POLITE.match(clause) and length_of(clause) >= _SAYS_SOMETHING:
            own += 1
    telling = of_itself + meanwhile
    headed = kind in ("auto_reply", "out_of_office")
    return telling > own and (headed or (of_itself > 0 and (from_machine or telling > 1)))


LONGEST, MOST_WORDS = 300, 40
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
    if len(text) > LONGEST or len(text.split()) > MOST_WORDS or _SAD.search(text):
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
