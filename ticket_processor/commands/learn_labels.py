"""``ticketbot learn confusions`` and ``doubts``: categories that are mixed up, and people's labels that look wrong."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..analysis.text.cleaning import clean
from ..analysis.text.redact import redact
from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.wording import many
from ..evaluation.data import Example, read_examples
from ..learning.confusions import Confusion, confusions, proposed_descriptions, taxonomy_lines
from ..learning.doubtful_labels import FEWEST_TICKETS, LEAST_ACCURACY, doubtful_labels, neighbours_of
from ..learning.model import CATEGORIES
from ..settings.load import load
from ..settings.schema import Settings
from ..wiring.parts import strictest_redaction
from . import score_tables
from .learn import opened_learning
from .options import ConfigOption, JsonOption, VerboseOption
from .parse_time import parse_since
from .screen import Screen
from .solved_tickets import read_solved

COLUMNS = (
    "<field",
    "<ticketbot said",
    "<people say",
    "tickets",
    "of",
    "share",
    "95%",
    "by chance",
    "people",
    "<remark",
)
DOUBTS = ("<ticket", "<label", "similar have it", "<most have", "share")
MOST_SOLVED = 3_000
YEAR = "365d"


def confused(
    clock: SystemClock,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Only labels confirmed or changed since then, such as 90d.")
    ] = None,
    from_helpdesk: Annotated[
        bool, typer.Option("--from-helpdesk", help="Take words from a year's solved tickets, too.")
    ] = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show which categories people put in place of others more often than chance; changes nothing.

    Proposes descriptions with the words that tell their tickets apart, as far as corrections keep texts.
    """
    settings, screen = load(config=config, need_helpdesk=from_helpdesk), Screen(as_json=as_json)
    first = None if since is None else parse_since(since, clock.now())
    with opened_learning(config, read_only=True) as store:
        labels = list(store.reactions(first))
        found = confusions(labels, settings.taxonomy, store.corrections("rejected"))
        usable = [item for status in ("approved", "pending") for item in store.corrections(status, kept=True)]
    texts: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for item in usable:
        name = settings.taxonomy.today(item.theirs) if item.field in CATEGORIES else None
        if item.text and item.actor_kind == "person" and name is not None:
            texts[name][str(item.ticket_id)] = item.text
    if from_helpdesk and found:
        corrected = {number for of_category in texts.values() for number in of_category}
        for example in solved_labels(settings, clock, screen):
            if example.id not in corrected and example.category is not None:
                texts[example.category][example.id] = redacted(settings, example)
    by_category = {name: tuple(of_category.values()) for name, of_category in texts.items()}
    descriptions = proposed_descriptions(found, settings.taxonomy, by_category)
    lines = taxonomy_lines(descriptions)
    if as_json:
        rows = [{**asdict(item), "by_one": item.by_one} for item in found]
        screen.result("", {"confusions": rows, "descriptions": descriptions, "lines": lines})
        return ExitCode.OK
    if not labels:
        screen.say("nothing was collected; 'ticketbot learn collect' reads which labels people kept and changed")
        return ExitCode.OK
    if not found:
        screen.say("no two categories are mixed up more often than chance, as far as was collected")
        return ExitCode.OK
    score_tables.show([score_tables.Table("Mixed up more often than chance", COLUMNS, tuple(map(_row, found)))])
    if lines:
        screen.say("\nDescriptions with the words that tell them apart, for ticketbot.toml; read them before use:")
        for line in lines:
            screen.say(f"  {line}")
    else:
        screen.say("\nToo few texts tell them apart to propose descriptions.")
    return ExitCode.OK


def doubts(
    clock: SystemClock,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Labelled tickets in place of the helpdesk's: .jsonl or .jsonl.gz."),
    ] = None,
    since: Annotated[str, typer.Option(metavar="WHEN", help="Tickets created since then.")] = YEAR,
    include_ours: Annotated[
        bool, typer.Option("--include-ours", help="Also tickets that ticketbot triaged and people left so.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Show at most N.")] = 50,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """List people's categories that similar solved tickets speak against, the most doubtful first; writes nothing."""
    settings, screen = load(config=config, need_helpdesk=not files), Screen(as_json=as_json)
    if files:
        read = read_examples(files, lambda sentence: screen.notices([sentence]))
    else:
        read = solved_labels(settings, clock, screen, since, include_ours=include_ours)
    examples = [example for example in read if example.category is not None][:MOST_SOLVED]
    if not examples:
        raise ConfigError(
            "no ticket has a category"
            if files
            else "no solved ticket has a category that is known to be a person's: 'ticketbot learn collect' finds some "
            "on tickets that ticketbot triaged, --include-ours takes them all"
        )
    with screen.progress("comparing tickets", len(examples)) as advance:
        near = neighbours_of([redacted(settings, example) for example in examples], advance)
    names, taxonomy = settings.taxonomy.names, settings.taxonomy
    labels = [str(example.category) for example in examples]
    tops = [taxonomy.split(label)[0] if label in names else label for label in labels]
    found = doubtful_labels([(example.id, top) for example, top in zip(examples, tops, strict=True)], near)
    shown = found.doubtful[:limit]
    tickets = many(found.tickets, "ticket")
    told = f"{tickets}; the vote of similar ones agrees with {found.accuracy:.0%} of their categories"
    if as_json:
        rows = [asdict(item) for item in shown]
        counts = {"tickets": found.tickets, "accuracy": found.accuracy, "usable": found.usable}
        screen.result("", {**counts, "doubtful": len(found.doubtful), "doubts": rows})
        return ExitCode.OK
    screen.say(told)
    if not found.usable:
        screen.say(f"that is too little to doubt anybody: {FEWEST_TICKETS} tickets and {LEAST_ACCURACY:.0%} are needed")
    elif not shown:
        screen.say("no label is doubtful")
    else:
        title = f"The most doubtful {len(shown)} of {len(found.doubtful):,}"
        rows_of = tuple(
            (one.ticket, one.label, f"{one.share:.0%}", one.neighbours_say, f"{one.their_share:.0%}") for one in shown
        )
        score_tables.show([score_tables.Table(title, DOUBTS, rows_of)])
    return ExitCode.OK


def solved_labels(
    settings: Settings, clock: SystemClock, screen: Screen, since: str = YEAR, *, include_ours: bool = False
) -> list[Example]:
    """The newest solved tickets with labels that people chose or, on ours, are known to have decided about."""
    moment = parse_since(since, clock.now())
    solved = read_solved(
        settings, clock, screen, moment, limit=MOST_SOLVED, include_ours=include_ours, with_decided=True
    )
    return list(solved.examples)


def redacted(settings: Settings, example: Example) -> str:
    """The text of a ticket as analysers see it."""
    text = clean(example.subject, example.body)
    return redact(text, names=example.names, level=strictest_redaction(settings)).text


def _row(item: Confusion) -> tuple[str, ...]:
    return (
        item.field,
        item.ours,
        item.theirs,
        str(item.tickets),
        str(item.reviewed),
        f"{item.tickets / item.reviewed:.0%}",
        f"{item.lower:.0%} to {item.upper:.0%}",
        f"{item.expected:.0%}",
        str(len(item.people)),
        f"nearly all by {item.people[0][0]}" if item.by_one else "",
    )
