"""Counts how people used drafts, over a sample of tickets, and shows the words that they changed. Reads only.

Replies are compared without quoted mail and signatures.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, get_args

from pydantic import Field

from ..analysis.text.cleaning import clean
from ..analysis.text.language import detect_language
from ..analysis.text.outgoing import leaving_line
from ..analysis.text.redact import redact
from ..core.clock import Deadline
from ..core.models import Frozen, Ticket
from ..core.tables import SENTENCES, Table
from ..core.text import RedactionLevel, lazy_pattern, many
from ..helpdesk.protocol import Helpdesk
from ..helpdesk.ticket_history import History
from ..learning.collect import HistoryReader
from ..learning.overrides import Words, Written, judge
from ..replies import word_lists
from ..replies.assembly import draft_in_note
from ..replies.grounding import sentences_of, share_found
from .draft_changes import DraftProposal, JudgedDraft, cited_sentences, proposal_table, proposals
from .glossary import percent

Use = Literal["used", "edited", "ignored"]
USES: tuple[Use, ...] = get_args(Use)
"""Best first."""
USED = 0.85
"""A draft is used when a reply has this share of its wording."""
EDITED = 0.35
"""A draft is edited when a reply has this share of its wording."""
EDITED_PART, MOSTLY_DRAFT = 0.15, 0.8
"""It is edited as well if a reply has the first share of it, and the second share of the reply is in the draft."""

MOST_COMPARED = 500
"""Maximum number of words of a draft and of a reply that are compared."""
NOT_ANSWERED = "not answered by a person yet"
ERASED = "whose note is no longer in the log"
NOT_OURS = "without our write in its history"
_PUNCTUATION = lazy_pattern(r"[^\w\[\]]+")
_SOURCE_LINE = lazy_pattern(r"^\[\d+\] .*$", re.MULTILINE)
_CITATION = lazy_pattern(r"\s?\[\d+\]")


class EditedDraft(Frozen):
    """The words that a person took out of a draft and put into it; they and the subject are redacted."""

    ticket_id: int
    subject: str
    taken_out: str
    put_in: str
    url: str = ""


class DraftUse(Frozen):
    """How people used the drafts in a period's notes.

    ``offered`` is the number of the period's tickets with a draft in their note, ``histories`` that of histories read.
    ``left_out`` counts tickets that were not judged, by reason; ``ended_early`` says why reading stopped early.
    ``edits`` holds people's words, so JSON leaves it out; ``proposals`` say what to mend.
    """

    offered: int = 0
    histories: int = 0
    used: int = 0
    edited: int = 0
    ignored: int = 0
    edits: tuple[EditedDraft, ...] = Field((), exclude=True)
    proposals: tuple[DraftProposal, ...] = ()
    left_out: dict[str, int] = Field(default_factory=dict)
    requests: int = 0
    ended_early: str | None = None


@dataclass(frozen=True)
class LoggedNote:
    """A note's text from the log, and the key of its write."""

    text: str
    key: str


def read_drafts(
    desk: Helpdesk,
    ordered: Sequence[int],
    notes: Mapping[int, LoggedNote],
    *,
    deadline: Deadline,
    words: Words,
    advance: Callable[[int], object] = lambda _count: None,
) -> DraftUse:
    """Find out how people used the drafts on ``ordered`` tickets; ``words`` are ours. See :class:`HistoryReader`."""
    reader = HistoryReader(desk, deadline, advance)
    uses: Counter[str] = Counter()
    edits: list[EditedDraft] = []
    judged: list[JudgedDraft] = []
    for ticket, history in reader.read(ordered):
        note = notes.get(ticket.id)
        draft = draft_in_note(note.text) if note is not None else ""
        if note is None or not draft:
            reader.left[ticket.id] = ERASED
            continue
        replies = replies_since(history, note.key, ticket.requester)
        if not replies:
            reader.left[ticket.id] = NOT_OURS if replies is None else NOT_ANSWERED
            continue
        uses[use := draft_use(draft, replies)] += 1
        judged.append(_judged(ticket, draft, replies, use, _categories(ticket, history, words)))
        if use == "edited":
            edits.append(_edit(ticket, draft, replies))
    return DraftUse(
        histories=reader.histories,
        **uses,
        edits=tuple(sorted(edits, key=lambda one: -one.ticket_id)),
        proposals=tuple(proposals(judged)),
        left_out=dict(Counter(reader.left.values())),
        ended_early=reader.ended_early,
    )


def _edit(ticket: Ticket, draft: str, replies: Sequence[str]) -> EditedDraft:
    subject = _redacted(ticket.subject, ticket.names)
    subject, taken_out, put_in = (
        leaving_line(text, 200) for text in (subject, *difference(draft, replies, ticket.names))
    )
    return EditedDraft(ticket_id=ticket.id, subject=subject, taken_out=taken_out, put_in=put_in)


def _judged(ticket: Ticket, draft: str, replies: Sequence[str], use: Use, categories: tuple[str, str]) -> JudgedDraft:
    own = _own_words(draft)
    sent = _redacted(_own_words(_nearest(own, replies)), ticket.names)
    cited = [(article, _redacted(text, ticket.names)) for article, text in cited_sentences(_unframed(draft), draft)]
    sentences = [sentence for line in sent.splitlines() for sentence in sentences_of(line.strip())]
    return JudgedDraft(ticket.id, use == "ignored", detect_language(own), cited, sentences, *categories)


def _categories(ticket: Ticket, history: History, words: Words) -> tuple[str, str]:
    """The category that we chose, and the one that a person chose instead; empty where there is none."""
    made = judge(history, words, Written(ticket.id, "", {}), requester=ticket.requester) or ()
    for one in made:
        if one.field == "category":
            return one.ours or "", (one.fate == "changed" and one.actor_kind == "person" and one.theirs) or ""
    return "", ""


def draft_use(draft: str, replies: Iterable[str]) -> Use:
    """How a draft was used: the best use among the replies."""
    own = _own_words(draft)
    return min((_draft_use(own, clean("", reply)) for reply in replies), key=USES.index, default="ignored")


def difference(draft: str, replies: Iterable[str], names: Sequence[str]) -> tuple[str, str]:
    """The words that people took out of a draft, and those that they put in, by the reply nearest to it; redacted."""
    own = _own_words(draft)
    before, after = (
        _redacted(text, names).split()[:MOST_COMPARED] for text in (own, _own_words(_nearest(own, replies)))
    )
    plain = [[_PUNCTUATION.sub("", word).casefold() or word for word in side] for side in (before, after)]
    changes = [
        change[1:]
        for change in SequenceMatcher(None, plain[0], plain[1], autojunk=False).get_opcodes()
        if change[0] != "equal"
    ]
    taken_out = " ... ".join(" ".join(before[start:end]) for start, end, _, _ in changes if end > start)
    return taken_out, " ... ".join(" ".join(after[start:end]) for _, _, start, end in changes if end > start)


def _nearest(own: str, replies: Iterable[str]) -> str:
    return max((clean("", reply) for reply in replies), key=lambda reply: share_found(own, reply))


def _redacted(text: str, names: Sequence[str]) -> str:
    return redact(text, names=names, level=RedactionLevel.STRICT).text


def replies_since(history: History, key: str, requester: int | None) -> tuple[str, ...] | None:
    """Public words of people other than the requester after our write; ``None`` if the record lacks that write."""
    ours = history.find(key)
    if ours is None:
        return None
    start = history.edits.index(ours) + 1
    later = [*zip(history.edits, history.by_people(), strict=True)][start:]
    return tuple(
        edit.text
        for edit, person in later
        if person and edit.comment == "public" and edit.author not in (None, requester) and edit.text
    )


def _draft_use(draft: str, reply: str) -> Use:
    taken = share_found(draft, reply)
    if taken >= USED:
        return "used"
    part = taken >= EDITED_PART and share_found(reply, draft) >= MOSTLY_DRAFT
    return "edited" if taken >= EDITED or part else "ignored"


def _own_words(draft: str) -> str:
    """What a draft says: without its fixed courtesies, its citations and its list of articles."""
    return _CITATION.sub("", _unframed(draft)).strip()


def _unframed(draft: str) -> str:
    text = _SOURCE_LINE.sub("", draft)
    for frame in word_lists("frames").values():
        for words in frame.values():
            text = text.replace(words, "")
    return text


def drafts_tables(found: DraftUse) -> Iterator[Table]:
    """Tables of how people used drafts, and of the words that they changed."""
    yield Table("What became of drafts", SENTENCES, tuple((text,) for text in _in_words(found)))
    rows = tuple((use, f"{getattr(found, use):,}") for use in USES)
    yield Table("Drafts by use", ("<", "drafts"), rows if found.used + found.edited + found.ignored else ())
    edits: list[tuple[str, str, str]] = []
    for one in found.edits:
        facts = {"subject": one.subject, "taken out": one.taken_out, "put in": one.put_in, "where": one.url}
        lines = [(name, words) for name, words in facts.items() if words]
        edits += [(str(one.ticket_id) if place == 0 else "", *line) for place, line in enumerate(lines)]
    yield Table("Drafts that people edited, redacted", ("ticket", "<", "<words"), tuple(edits))
    yield proposal_table(found.proposals)


def _in_words(found: DraftUse) -> Iterator[str]:
    if not found.offered:
        yield "No note of this period offered a draft."
        return
    used = found.used + found.edited
    if judged := used + found.ignored:
        yield (
            f"Of {many(judged, 'draft')} on tickets that a person answered since, {used:,} "
            f"{'was' if used == 1 else 'were'} of use ({percent(used / judged)})."
        )
    yield (
        f"A random sample: {many(found.histories, 'history')} read, of {many(found.offered, 'ticket')} with a draft; "
        f"{many(found.requests, 'request')}."
    )
    if found.left_out:
        yield f"Not judged: {', '.join(f'{number:,} {why}' for why, number in found.left_out.items())}."
