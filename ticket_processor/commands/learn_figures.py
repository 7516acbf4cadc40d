"""``ticketbot learn thresholds``: from which confidence on values may be written, proved by what people kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from ..analysis.classifier.storage import trained_at, version
from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode
from ..core.who import person_at_keyboard
from ..learning.store import FILE_NAME, LearningStore
from ..learning.thresholds import (
    CLASSIFIER,
    KIND,
    LEAST_REVIEWED,
    FieldThreshold,
    by_part,
    policy_lines,
    proved_thresholds,
)
from ..policy.decide import PARTS, Part
from ..settings.load import load
from .options import ConfigOption, JsonOption
from .parse_time import parse_since
from .score_tables import Table, show
from .screen import Screen


def thresholds(
    clock: SystemClock,
    precision: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="People keep this share of what is written.")
    ] = 0.95,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Only labels confirmed or changed since then, such as 90d.")
    ] = None,
    parts: Annotated[
        list[str] | None,
        typer.Option("--part", metavar="PART", help="Only tags, priority, group or fields; repeat it."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Have runs use them from now on.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Print from which confidence on values of each field may be written; below it they are only suggested."""
    settings = load(config=config, need_helpdesk=False, need_any=True)
    wanted = [part for part in PARTS if not parts or part in parts]
    if unknown := set(parts or ()) - set(PARTS):
        raise ConfigError(f"--part: there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    screen, digest = Screen(as_json=as_json), settings.taxonomy.digest
    first = None if since is None else parse_since(since, clock.now())
    with closing(LearningStore(settings.state_folder / FILE_NAME, read_only=not apply)) as store:
        found = proved_thresholds(store.reactions(first), precision, trained_at(settings.classifier_folder))
        chosen = by_part(found, digest, wanted)
        change = None
        if apply and not chosen:
            raise ConfigError("nothing was reviewed yet, so there is nothing to apply; see 'ticketbot learn collect'")
        if apply:
            detail = {"precision": precision, "taxonomy": digest, "parts": chosen, "said": _said(chosen)}
            detail[CLASSIFIER] = version(settings.classifier_folder)
            change = store.record(KIND, person_at_keyboard(), detail, clock.now())
    lines = policy_lines(chosen, digest)
    if as_json:
        rows = [asdict(item) for item in found]
        screen.result("", {"thresholds": rows, "policy": "\n".join(lines), "change": change and change.id})
        return ExitCode.OK
    if not found:
        screen.say("nothing was reviewed yet; 'ticketbot learn collect' reads which labels people kept and changed")
        return ExitCode.OK
    show([_table(found, digest, precision)])
    if change is not None:
        screen.say(
            f"\nRuns use these from now on: {_said(chosen)}. 'ticketbot learn undo {change.id}' takes that back."
        )
    else:
        screen.say("\nFor ticketbot.toml, or for --apply:")
    for line in lines:
        screen.say(f"  {line}")
    if any(not item.taxonomy for item in found):
        screen.notices(["runs without learning.collect_share do not say under which categories they label"])
    return ExitCode.OK


def _said(chosen: Mapping[Part, Mapping[str, float]]) -> str:
    return "; ".join(
        f"{part} " + (", ".join(f"{name} {least:.2f}" for name, least in models.items()) or "only suggested")
        for part, models in chosen.items()
    )


def _table(found: Sequence[FieldThreshold], digest: str, precision: float) -> Table:
    return Table(
        f"From which confidence on people keep {precision:.0%}",
        ("<field", "<model", "<categories", "reviewed", "kept", "<apply from", "at least", "coverage"),
        tuple(
            (
                item.field,
                item.model,
                "today's" if item.taxonomy == digest else "others" if item.taxonomy else "unknown",
                str(item.reviewed),
                f"{item.kept / item.reviewed:.3f}",
                *_shown(item),
            )
            for item in found
        ),
    )


def _shown(item: FieldThreshold) -> tuple[str, str, str]:
    if item.found is None:
        missing = LEAST_REVIEWED - item.reviewed
        return (f"never: {missing} more are needed" if missing > 0 else "never: not proved", "-", "-")
    return f"{item.found.threshold:.2f}", f"{item.found.lower:.3f}", f"{item.found.coverage:.0%}"
