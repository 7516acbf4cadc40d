"""Measure the gate: of planted bad changes of settings how many it refuses, and of good ones how many.

    python scripts/measure_gate.py [--set first | fresh] [--tickets N]

Twenty of each in either set, on two samples of invented tickets with labels, answered by keyword rules. Ten cases are
pinned: the corpus's critical tickets that the rules escalate.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import development  # noqa: F401 - for its effect
from gate_changes import SETS

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.commands.analyser_choice import rules_alone
from ticket_processor.core.models import Analysis
from ticket_processor.evaluation.data import Example
from ticket_processor.evaluation.runner import as_ticket
from ticket_processor.learning.gate import Ruling, Side, compare
from ticket_processor.learning.pins import PinnedCase
from ticket_processor.policy.decide import decide
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.seeding.variations import vary
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings

PINS = 10
ANSWERS: dict[tuple[str, tuple[str, ...]], list[Analysis]] = {}
"""Answers by taxonomy and tickets: a policy changes none."""


def main() -> None:
    """Measure one set of changes, or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=tuple(SETS), help="only this one")
    parser.add_argument("--tickets", type=int, default=500, help="of each sample")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        running = settings_of("")
        corpus = load_corpus()
        samples = [
            [
                Example(id=one.id, body=one.text, **one.labels.model_dump())
                for one in islice(vary(corpus, (number + 1) * asked.tickets, seed=7), number * asked.tickets, None)
            ]
            for number in range(2)
        ]
        pins = pinned(running, samples[0])
        for name in [asked.set] if asked.set else SETS:
            for what, changes in zip(("bad", "good"), SETS[name], strict=True):
                told(f"{name}, {what}", changes, running, samples, pins)


def told(
    what: str,
    changes: Mapping[str, str],
    running: Settings,
    samples: Sequence[Sequence[Example]],
    pins: Sequence[PinnedCase],
) -> None:
    """Print on how many samples each change is refused."""
    refused = {name: refusals(running, settings_of(text), samples, pins) for name, text in changes.items()}
    for name, times in refused.items():
        print(f"{what}: {name}: refused on {times} of 2", flush=True)
    total = [sum(times >= least for times in refused.values()) for least in (1, 2)]
    print(f"{what}: {len(changes)} changes, refused at least once {total[0]}, twice {total[1]}")


def settings_of(text: str) -> Settings:
    """The settings of a file with this text."""
    Path("new.toml").write_text(text, encoding="utf-8")
    return load(config=Path("new.toml"), environ={}, need_helpdesk=False)


def rulings(settings: Settings, examples: Sequence[Example]) -> list[Ruling]:
    """What the keyword rules make of tickets with these settings."""
    key = settings.taxonomy.model_dump_json(), tuple(example.id for example in examples)
    if key not in ANSWERS:
        analyse = rules_alone(RulesAnalyser(settings.taxonomy, settings.entities))
        ANSWERS[key] = [analyse(as_ticket(example, number)) for number, example in enumerate(examples, start=1)]
    answers = ANSWERS[key]
    return [
        Ruling(answer, decide(number, answer, settings.policy, settings.taxonomy))
        for number, answer in enumerate(answers, start=1)
    ]


def pinned(running: Settings, examples: Sequence[Example]) -> list[PinnedCase]:
    """Critical tickets that are escalated today."""
    critical = [one for one in examples if one.urgency == "critical"]
    escalated = [
        one for one, ruling in zip(critical, rulings(running, critical), strict=True) if ruling.decision.escalated
    ]
    return [
        PinnedCase(number, number, "escalated", "is", "yes", f"{one.subject}\n\n{one.body}")
        for number, one in enumerate(escalated[:PINS], start=1)
    ]


def refusals(
    running: Settings, changed: Settings, samples: Sequence[Sequence[Example]], pins: Sequence[PinnedCase]
) -> int:
    """On how many samples the gate refuses the change."""
    cases = [Example(id=f"pin-{case.id}", body=case.text) for case in pins]
    times = 0
    for examples in samples:
        sides = [Side(one.policy, rulings(one, examples), rulings(one, cases)) for one in (running, changed)]
        times += not compare(sides[0], sides[1], examples, pins, running.taxonomy).passed
    return times


if __name__ == "__main__":
    main()
