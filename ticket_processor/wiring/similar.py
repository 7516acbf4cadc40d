"""What similar solved tickets add to the internal note, and to nothing else: neither a reply nor a model sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from ..analysis.text.cleaning import clean
from ..core.clock import iso
from ..core.errors import DeadlineReached, StateUnusable, Stopping, unexpected
from ..core.models import Analysis, Decision, Ticket
from ..core.sanitize import PLACEHOLDER
from ..knowledge.solved import FLOOR, SolvedTicket, SolvedTickets
from ..knowledge.store import KnowledgeStore
from ..pipeline.parts import Answers
from ..policy.note import NoteWhen, quoted
from ..replies.grounding import sentences_of
from ..replies.plain import plain_words_leaving
from ..replies.sources import usable_text
from ..replies.wording import telling_stems
from ..settings.schema import Settings
from .knowledge import knowledge_store

MOST_TICKETS = 2
LONGEST_SUBJECT, LONGEST_LINE = 80, 200
FEWEST_WORDS = 3
"""Telling words of a sentence; a greeting has fewer."""
SimilarLines = Callable[[Ticket, Analysis], list[str]]


@contextmanager
def with_similar(
    settings: Settings, trouble: Callable[[str], object], answers: Answers | None
) -> Iterator[Answers | None]:
    """``answers``, and behind what they add similar solved tickets; the same ``answers`` where none are kept."""
    with similar_tickets(settings, trouble) as lines_for:
        if lines_for is None:
            yield answers
            return

        def add(
            ticket: Ticket, analysis: Analysis, decision: Decision, *, may_ask: bool = True
        ) -> tuple[Analysis, Decision]:
            if answers is not None:
                analysis, decision = answers(ticket, analysis, decision, may_ask=may_ask)
            lines = lines_for(ticket, analysis) if may_ask else []
            note = "\n".join([*([decision.note] if decision.note else []), *lines])
            return analysis, decision.model_copy(update={"note": note}) if lines else decision

        yield add


@contextmanager
def similar_tickets(settings: Settings, trouble: Callable[[str], object]) -> Iterator[SimilarLines | None]:
    """Gives the lines of a note about a ticket; ``None`` where no ticket is to get any. Thread-safe."""
    wanted = settings.replies.wanted and settings.policy.note is not NoteWhen.NEVER
    store = _opened(settings, trouble) if wanted and settings.knowledge.solved_tickets_days else None
    if store is None:
        yield None
        return
    with closing(store):
        tickets = SolvedTickets(store)

        def lines_for(ticket: Ticket, analysis: Analysis) -> list[str]:
            if settings.replies.of(analysis.category) == "off" or analysis.suspicious:
                return []
            try:
                floor = store.fact(FLOOR)  # a sync at the start of this run may have learnt it
                if floor is None:
                    return []
                text = clean(ticket.subject, ticket.description)
                found = tickets.search(text, limit=MOST_TICKETS, without=ticket.id)
                return [line for one, score in found if score >= float(floor) and (line := _line(one))]
            except (DeadlineReached, Stopping):
                raise
            except Exception as error:  # noqa: BLE001 - a line of a note must not cost the ticket its triage
                trouble(f"a ticket got no similar ones: {unexpected(error)}")
                return []

        yield lines_for


def _opened(settings: Settings, trouble: Callable[[str], object]) -> KnowledgeStore | None:
    try:
        return knowledge_store(settings)
    except StateUnusable as error:
        trouble(str(error))
        return None


def _line(ticket: SolvedTicket) -> str:
    """The ticket in a line; empty where its reply has no sentence that says something."""
    reply = next(filter(None, (_plain(sentence, LONGEST_LINE) for sentence in _telling_sentences(ticket))), "")
    if not reply:
        return ""
    about = f"#{ticket.id} {_plain(ticket.subject, LONGEST_SUBJECT)}".rstrip()
    return f"Similar solved ticket: {about} (solved {iso(ticket.solved_at)[:10]}): {reply}"


def _telling_sentences(ticket: SolvedTicket) -> list[str]:
    """The reply's sentences that say something, in order; first those that have a word of the question."""
    asked = set(telling_stems(f"{ticket.subject}\n{ticket.question}"))
    lines = usable_text(ticket.reply).splitlines()
    stems = {
        sentence: telling_stems(PLACEHOLDER.sub(" ", sentence))
        for line in lines
        for sentence in sentences_of(line.strip())
    }
    telling = [sentence for sentence, words in stems.items() if len(words) >= FEWEST_WORDS]
    return sorted(telling, key=lambda sentence: asked.isdisjoint(stems[sentence]))


def _plain(words: str, limit: int) -> str:
    return quoted(plain_words_leaving(usable_text(words), limit), limit)
