"""A week at a desk where drafts quote faulty articles: agents mend what is wrong, and edit otherwise."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from ticket_processor.core.clock import Deadline
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.helpdesk.transport import Auth
from ticket_processor.learning.overrides import words_of
from ticket_processor.policy.decide import Policy
from ticket_processor.replies.assembly import DRAFT_END, DRAFT_HEAD, ArticleLines, CitedLine, ReplyDraft
from ticket_processor.reporting.draft_changes import DraftProposal
from ticket_processor.reporting.drafts import DraftUse, LoggedNote, read_drafts
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID, Comment
from ticket_processor.zendesk import Zendesk

from ..helpdesk.test_zendesk import KNOWN, Account

DRAFTS = 200
"""As many as a report reads by default."""
MENDS, DROPS, REWORDS, ADDS, IGNORES = 0.75, 0.15, 0.2, 0.35, 0.12
"""How often an agent mends a fault, leaves a right sentence out, rewords it, adds one of their own, ignores a draft."""
NAMES = ("Ana Lima", "Jo Weber", "Mei Chen", "Omar Haddad", "Eva Novak")
OPENINGS = ("Hi {name},", "Hello {name},", "Dear {name},\n\nthanks for getting in touch.", "Good morning {name},")
CLOSINGS = ("Cheers,\nMia", "Best wishes\nTom from support", "Kind regards", "Have a nice day!\nLea")
OWN = (
    "I have looked at your case myself.",
    "Sorry for the trouble, {name}.",
    "My colleague from the evening shift can call you if that is easier.",
    "Your order left the building yesterday.",
    "The picture that you attached was very helpful.",
    "I have forwarded your idea to the product team.",
    "As you wrote on Tuesday, it happens only sometimes.",
    "We have made an exception for you this time.",
    "It also worked for another customer last month.",
    "Let me know whether that solves it.",
    "I will be on holiday from Monday, a colleague takes over.",
    "We are short of staff this week, so please bear with us.",
)
INSTEAD = (
    "That looks like an outage, our technicians are on it.",
    "I have done this for you, please try once more.",
    "Could you send us your order number? Then I can look it up.",
)
SYNONYMS = {
    "before": "ahead of", "after": "once past", "are": "get", "get": "receive", "choose": "select", "keep": "retain",
    "is": "will be", "comes": "arrives", "shows": "displays", "put": "place", "needed": "required", "open": "reopen",
    "mail": "e-mail", "once": "as soon as", "new": "fresh", "stay": "remain", "shown": "displayed", "sent": "delivered",
}  # fmt: skip


class Figures(NamedTuple):
    """``named`` of the planted faults, and of all ``proposals`` those that name none (``wrong``)."""

    named: int
    planted: int
    proposals: int
    wrong: int


def articles(site: str) -> list[dict[str, Any]]:
    path = Path(__file__).with_name("faulty_articles.toml")
    found: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))[site]
    return found


class Week:
    """The desk after a week, made from ``seed``."""

    def __init__(self, site: str, seed: int) -> None:
        self.articles, self._dice = articles(site), random.Random(seed)
        self.account, self.notes = Account(), dict[int, LoggedNote]()
        popular = [self._dice.uniform(0.5, 1.5) for _ in self.articles]
        for place in range(DRAFTS):
            self._ticket(place, self._dice.choices(self.articles, popular)[0])

    def _ticket(self, place: int, article: dict[str, Any]) -> None:
        name, dice = self._dice.choice(NAMES), self._dice
        number = self.account.add(requester={"name": name, "email": "who@example.com"})
        lines = dice.sample(article["right"], dice.randint(1, len(article["right"])))
        wrong = article.get("wrong", "")
        if wrong and dice.random() < 0.8:
            lines.insert(dice.randrange(len(lines) + 1), wrong)
        other = dice.choice(self.articles)
        cited = [(text, 1) for text in lines]
        if other is not article and dice.random() < 0.25:
            cited.append((dice.choice(other["right"]), 2))
        listed = tuple(ArticleLines(each["title"], each["title"], "") for each in (article, other)[: cited[-1][1]])
        draft = ReplyDraft("en", tuple(CitedLine(text, which, text) for text, which in cited), (), listed)
        note = f"Triage: order.\n{DRAFT_HEAD}\n{draft.text}\n{DRAFT_END}\nRef tb-12345678"
        self.account.clock.wait(60)
        custom = {"ticketbot": {"key": f"key-{number}", "intent": f"run-1-{number}"}}
        ticket = self.account.store.tickets[number]
        self.account.store.change(ticket, {}, actor="api", author_id=BOT_ID, comment=Comment(note), custom=custom)
        self.notes[number] = LoggedNote(note, f"key-{number}")
        self.account.clock.wait(3600)
        said = self._reply([text for text, _ in cited], article, name.split()[0])
        self.account.store.person_edit(number, comment=said, public=True, author_id=PERSON_ID)

    def _reply(self, lines: list[str], article: dict[str, Any], name: str) -> str:
        dice = self._dice
        opening, closing = dice.choice(OPENINGS).format(name=name), dice.choice(CLOSINGS)
        if dice.random() < IGNORES:
            return f"{opening}\n\n{dice.choice(INSTEAD)}\n\n{closing}"
        said = []
        mends = dice.random() < MENDS
        for line in lines:
            if line == article.get("wrong") and mends:
                said.append(dice.choice(article["better"]))
            elif dice.random() >= DROPS:
                said.append(self._reworded(line) if dice.random() < REWORDS else line)
        if article.get("wrong") == "" and mends:
            said.insert(dice.randrange(len(said) + 1), dice.choice(article["better"]))
        if dice.random() < ADDS:
            said.insert(dice.choice((0, len(said))), dice.choice(OWN).format(name=name))
        return f"{opening}\n\n{' '.join(said)}\n\n{closing}"

    def _reworded(self, line: str) -> str:
        words = [SYNONYMS.get(word, word) for word in line.rstrip(".").split()]
        if len(words) > 4 and self._dice.random() < 0.5:
            words.pop(self._dice.randrange(len(words)))
        return f"{' '.join(words)}."

    def read(self) -> DraftUse:
        transport = self.account.connect(Auth(f"Bearer {KNOWN.oauth_token}"))
        deadline = Deadline(self.account.clock, 1e9)
        words = words_of(Policy(), default_taxonomy())
        return read_drafts(Zendesk(transport), [*self.notes], self.notes, deadline=deadline, words=words)

    def figures(self, found: DraftUse) -> Figures:
        """A fault is named by its article, and by its sentence if it has one, with words that agents put there."""
        faults = {each["title"]: each["wrong"] for each in self.articles if "wrong" in each}

        def right(one: DraftProposal) -> bool:
            return faults.get(one.about) == one.sentence

        named = {one.about for one in found.proposals if right(one)}
        return Figures(len(named), len(faults), len(found.proposals), sum(not right(one) for one in found.proposals))
