"""Measure the gate: of planted bad changes of settings how many it refuses, and of good ones how many.

    python scripts/measure_gate.py

Twenty of each, on two samples of 500 invented tickets with labels, answered by keyword rules. Ten cases are pinned:
the corpus's critical tickets that the rules escalate.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import development  # noqa: F401 - for its effect

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.commands.analyser_choice import rules_alone
from ticket_processor.core.models import Analysis
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation.data import Example
from ticket_processor.evaluation.runner import as_ticket
from ticket_processor.learning.gate import Ruling, Side, compare
from ticket_processor.learning.pins import PinnedCase
from ticket_processor.policy.decide import decide
from ticket_processor.seeding.corpus import load_corpus
from ticket_processor.seeding.variations import vary
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings

TICKETS, PINS = 500, 10
ANSWERS: dict[tuple[str, tuple[str, ...]], list[Analysis]] = {}
"""Answers by taxonomy and tickets: a policy changes none."""
NAMES = default_taxonomy().names


def categories(*without: str, floor: str = "", words: tuple[str, str] = ("", ""), describe: str = "") -> str:
    """The default categories as settings, changed in one way."""
    lines = []
    for item in default_taxonomy().categories:
        if item.name in without:
            continue
        lines += ["[[categories]]", f'name = "{item.name}"', f'description = "{describe}{item.description}"']
        if floor.partition("=")[0] == item.name:
            lines.append(f'priority_floor = "{floor.partition("=")[2]}"')
        if words[0] == item.name:
            lines.append(f"keywords = {{ en = [{words[1]}] }}")
    return "\n".join(lines)


BAD = {
    **{f"without {name}": categories(name) for name in NAMES if name != "general"},
    **{
        f"{name} is critical at least": categories(floor=f"{name}=critical") for name in ("billing", "order", "general")
    },
    **{
        f"everyday words mean {name}": categories(words=(name, '"the", "please", "my", "you", "your", "have"'))
        for name in ("feature_request", "security", "refund", "order")
    },
    "nothing is escalated": "[policy.escalation]\non = []",
    "security is not escalated, nor is critical": '[policy.escalation]\non = ["negative_and_urgent"]',
    "order words mean billing": categories(words=("billing", '"order", "delivery", "parcel", "package", "shipping"')),
    "error words mean account": categories(words=("account", '"error", "crash", "app", "not work", "broken", "bug"')),
    "money words mean general": categories(words=("general", '"invoice", "charged", "refund", "payment", "money"')),
    "technical is critical at least": categories(floor="technical=critical"),
}
GOOD = {
    "no change": "",
    "the default categories, written out": categories(),
    "longer descriptions": categories(describe="Tickets about this: "),
    "no note": '[policy]\nnote = "never"',
    "a note when useful": '[policy]\nnote = "when-useful"',
    **{f"review below {value}": f"[policy]\nreview_below = {value}" for value in (0.3, 0.4, 0.6, 0.7)},
    **{f"labels from {value}": f"[policy.tags]\nthreshold = {value}" for value in (0.3, 0.4, 0.5, 0.6)},
    "priority is only suggested": '[policy.priority]\nmode = "suggest"',
    "escalated is high at least": "[policy.escalation]\nraise_priority = true",
    "suspicious is escalated too": (
        '[policy.escalation]\non = ["critical", "high_risk", "security", "negative_and_urgent", "suspicious"]'
    ),
    "tiers": '[policy]\npreset = "tiers"',
    "second categories": "[policy]\ntag_secondary = true",
    "a rare product word means technical": categories(words=("technical", '"zorbl sync"')),
    "security is high at least": categories(floor="security=high"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        running = settings_of("")
        corpus = load_corpus()
        samples = [
            [
                Example(id=one.id, body=one.text, **one.labels.model_dump())
                for one in islice(vary(corpus, (number + 1) * TICKETS, seed=7), number * TICKETS, None)
            ]
            for number in range(2)
        ]
        pins = pinned(running, samples[0])
        for what, changes in (("bad", BAD), ("good", GOOD)):
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
