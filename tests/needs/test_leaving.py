"""Needs of somebody who moves to another machine: what was learnt and set goes along, secrets and the erased do not."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.core.models import Decision
from ticket_processor.helpdesk.local_model import NewTicket
from ticket_processor.helpdesk.local_store import LocalStore
from ticket_processor.learning.gate import pinned
from ticket_processor.learning.store import Correction, LearningStore
from ticket_processor.policy.decide import decide
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.settings.load import load
from ticket_processor.wiring.explain import pasted
from ticket_processor.wiring.parts import understanding

from ..cli.conftest import Command
from ..support.chats import Messages, ScriptedChat
from .parts import WORDS, labelled, lines

PLACES = [folder / "shared" / "data" / "bitext_support.jsonl.gz" for folder in Path(__file__).resolve().parents[2:]]
DATA = next((path for path in PLACES if path.exists()), None)
PLANTED = "planted-0123456789"
HELPDESKS = {
    "local": {"TICKETBOT_API_TOKEN": f"token-{PLANTED}"},
    "zendesk": {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_OAUTH_TOKEN": f"zendesk-{PLANTED}"},
    "freshdesk": {"FRESHDESK_DOMAIN": "acme.freshdesk.com", "FRESHDESK_API_KEY": f"freshdesk-{PLANTED}"},
}
TOML = """
helpdesk = "HELPDESK"
[models]
names = ["m"]
[learning]
examples = 4
[policy]
tag_prefix = "own_"
"""


def machine(folder: Path, helpdesk: str) -> Command:
    """A folder, with the credentials of a helpdesk and a model in its environment."""
    folder.mkdir()
    local = {"TICKETBOT_LOCAL_PATH": str(folder / "desk.sqlite3")} if helpdesk == "local" else {}
    return Command(folder, {"OPENAI_API_KEY": f"sk-{PLANTED}", **HELPDESKS[helpdesk], **local})


@contextlib.contextmanager
def learning(command: Command) -> Iterator[LearningStore]:
    with closing(LearningStore(command.state / "learning.sqlite3")) as store:
        yield store


def teach(command: Command) -> None:
    """Approve and pin what people corrected on twelve tickets, and train a classifier."""
    found = [
        Correction(0, n, "category", "general", [*WORDS][n % 3], 5, "person", 100.0 + n, text=row["body"])
        for n, row in enumerate(labelled(12), start=1)
    ]
    with learning(command) as store:
        store.keep([], found)
    command.here("learn", "approve", *map(str, range(1, 13)))
    command.here("learn", "pin", "1", "2")
    command.here("train", lines(command, "rows.jsonl", labelled(60)), "--own-desk", "--task", "category")


def as_shown(messages: Messages) -> str:
    """A model that says what the most similar example says."""
    shown = re.findall(rf"^({'|'.join(WORDS)}): ", str(messages[-1]["content"]), re.MULTILINE)
    said = {"category": shown[-1] if shown else "general", "urgency": "low", "sentiment": "neutral", "confidence": 0.9}
    return json.dumps({**said, "summary": "As shown.", "evidence": [], "secondary": [], "subcategory": None})


def decided(command: Command, texts: Sequence[str], *, by_model: bool) -> list[Decision]:
    """What a run would write on tickets with these texts."""
    clock, models = SystemClock(), None if by_model else ()
    with contextlib.chdir(command.folder):
        places = {"TICKETBOT_STATE_DIR": str(command.state)}
        settings = load(environ={**command.environ, **places}, flags={("models", "names"): models})
    chat = ScriptedChat(as_shown)
    with understanding(settings, clock, Deadline(clock, 900.0), through=lambda _: chat) as chain:
        return [
            decide(number, chain(pasted(clock, "", text)), settings.policy_here, settings.taxonomy)
            for number, text in enumerate(texts, start=1)
        ]


def texts_of(count: int) -> list[str]:
    """Customers' texts, every third with words that only what was learnt gives a meaning."""
    if count > 100:
        if DATA is None:
            pytest.skip("there is no folder shared/data with tickets above this project")
        with gzip.open(DATA, "rt", encoding="utf-8") as file:
            found = [json.loads(line)["body"] for line in file]
    else:
        found = [ticket.text for ticket in load_corpus()]
    own = [f"About our {row['body']}" for row in labelled(count)]
    return [own[n // 3] if n % 3 == 0 else found[n % len(found)] for n in range(count)]


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_a_site_leaves_with_what_it_learnt_and_set_and_decides_alike_elsewhere(tmp_path: Path, count: int) -> None:
    """Need 48: `local export` and `import`: the same decisions on another machine, on three helpdesks; no secrets."""
    texts, alike = texts_of(count), {}
    for helpdesk in HELPDESKS:
        here, there = machine(tmp_path / f"{helpdesk}-a", helpdesk), machine(tmp_path / f"{helpdesk}-b", helpdesk)
        here.configure(TOML.replace("HELPDESK", helpdesk))
        if helpdesk == "local":
            with closing(LocalStore(here.folder / "desk.sqlite3")) as store:
                store.create(NewTicket("Charged twice", "Twice on my card", "ada@example.com"), time.time())
        teach(here)
        before = [decided(here, texts, by_model=by_model) for by_model in (True, False)]
        assert {tag for one in before[0] for tag in one.tags} >= {f"own_{name}" for name in WORDS}

        told = here.here("local", "export", "bundle.jsonl")
        assert "12 approved corrections, 2 pins, 1 classifier, settings exported" in told.err
        bundle = (here.folder / "bundle.jsonl").read_text(encoding="utf-8")
        assert PLANTED not in bundle
        assert ('"ticket"' in bundle) == (helpdesk == "local")
        for _ in range(2):
            there.here("local", "import", str(here.folder / "bundle.jsonl"))

        after = [decided(there, texts, by_model=by_model) for by_model in (True, False)]
        pairs = [*zip(before[0] + before[1], after[0] + after[1], strict=True)]
        alike[helpdesk] = sum(one == other for one, other in pairs)
        assert alike[helpdesk] == 2 * count
        with learning(here) as first, learning(there) as second:
            assert len(first.corrections()) == len(second.corrections()) == 12
            assert [(one.text, one.wanted) for one in pinned(first)] == [(o.text, o.wanted) for o in pinned(second)]
    print(f"{count} tickets, by a model with examples and by the classifier, decided alike: {alike}")
