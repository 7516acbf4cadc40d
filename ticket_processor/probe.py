"""What a probe saw of an account's jobs, in words for a person, and what follows for the write-back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .batch_trust import Learnt
from .throttle import Limit

Rendering = Literal["as written", "expanded", "removed", "changed"]


@dataclass(frozen=True)
class Observed:
    """What was seen; ``None`` where it could not be.

    ``refused``: how the helpdesk refused jobs as a whole. ``told``: a job said of its item that it was done.
    ``arrived``: it was done. ``escaped`` and ``raw``: what became of ``{{ticket.id}}`` in a note, written with
    character references, and as it is. ``stale_item`` and ``stale_single``: whether a write with an old stamp was
    refused, and ``…_error`` with which word. ``tomorrow``: whether a stamp of the future was accepted. ``before`` and
    ``after``: the limit on ticket updates as told by two single updates with one job between them.
    """

    refused: str | None = None
    job_seconds: float | None = None
    told: bool = False
    arrived: bool = False
    comment: bool = False
    public: bool = False
    metadata: bool = False
    escaped: Rendering | None = None
    raw: Rendering | None = None
    stale_item: bool | None = None
    stale_item_error: str | None = None
    stale_single: bool | None = None
    conflict_error: str | None = None
    tomorrow: bool | None = None
    tag_edits: bool | None = None
    before: Limit | None = None
    after: Limit | None = None


@dataclass(frozen=True)
class Finding:
    """One check, what was seen, and what follows. ``good`` is ``None`` where either answer will do."""

    check: str
    seen: str
    follows: str
    good: bool | None = None


def conclude(seen: Observed, at: str) -> Learnt:
    """What is to be remembered; ``at`` is the moment, ISO."""
    reasons = []
    if seen.refused is not None:
        reasons.append(f"jobs of updates are refused ({seen.refused})")
    elif not seen.arrived:
        reasons.append("a change in a job was not made")
    else:
        reasons += [] if seen.comment else ["a note in a job is dropped"]
        reasons += [] if seen.metadata else ["the key in a job is dropped"]
        reasons += [] if seen.stale_item else ["an old stamp in a job does not stop the write"]
    reasons += ["an internal note became public"] if seen.public else []
    if seen.comment and seen.escaped != "as written":
        reasons.append(f"an escaped placeholder in a note is {seen.escaped or 'not found again'}")
    return Learnt(
        how="probe",
        at=at,
        ok=not reasons,
        comment=seen.comment,
        private=not seen.public,
        metadata=seen.metadata,
        stamps=seen.stale_item is True,
        placeholders_safe=None if seen.escaped is None else seen.escaped == "as written",
        stamp_rule=None if seen.tomorrow is None else "not_newer" if seen.tomorrow else "equal",
        conflict_error=seen.conflict_error,
        batch_tag_edits=seen.tag_edits,
        jobs_count_as_updates=counted(seen.before, seen.after) if seen.arrived else None,
        job_seconds=seen.job_seconds,
        why="; ".join(reasons),
    )


def counted(before: Limit | None, after: Limit | None) -> bool | None:
    """Whether something was counted between two updates besides the second; ``None`` when that cannot be told."""
    if before is None or after is None or after.remaining >= before.remaining:
        return None
    if before.resets_s is not None and after.resets_s is not None and after.resets_s > before.resets_s:
        return None  # another window has begun between them
    return before.remaining - after.remaining > 1


def findings(seen: Observed) -> tuple[Finding, ...]:
    """Everything that was seen, the important first."""
    if seen.refused is not None:
        jobs = [Finding("a job of updates", f"refused ({seen.refused})", "every ticket takes a request", good=False)]
    else:
        jobs = _in_a_job(seen)
    return (*jobs, *_placeholders(seen), *_stamps(seen), *_limits(seen))


def _in_a_job(seen: Observed) -> list[Finding]:
    if not seen.arrived:
        return [Finding("a change in a job", "not made, tried twice", "jobs cannot be used", good=False)]
    found = []
    if not seen.comment:
        found.append(Finding("a note in a job", "dropped", "a job would lose every note", good=False))
    elif seen.public:
        found.append(Finding("a note in a job", "PUBLIC", "customers would read what is internal", good=False))
    else:
        found.append(Finding("a note in a job", "arrives, internal", "a job can carry notes", good=True))
    if seen.metadata:
        found.append(Finding("our key in a job", "kept", "a write is found again after a lost reply", good=True))
    else:
        found.append(Finding("our key in a job", "dropped", "a write could be made twice", good=False))
    if seen.stale_item:
        words = f" ({seen.stale_item_error})" if seen.stale_item_error else ""
        found.append(Finding("an old stamp in a job", f"refused{words}", "what a person changed stays", good=True))
    else:
        found.append(Finding("an old stamp in a job", "ignored", "a person's change could be undone", good=False))
    told = ("done", "its word is taken") if seen.told else ("nothing", "tickets are read back")
    found.append(Finding("what a job says of its ticket", *told))
    return found


def _placeholders(seen: Observed) -> list[Finding]:
    found = []
    if seen.escaped is not None:
        safe = seen.escaped == "as written"
        follows = "words of a ticket stay words" if safe else "a ticket's words could have text filled in"
        found.append(Finding("a placeholder in a note, escaped", seen.escaped, follows, good=safe))
    if seen.raw is not None:
        found.append(Finding("a placeholder in a note, as it is", seen.raw, "notes are always escaped"))
    return found


def _stamps(seen: Observed) -> list[Finding]:
    found = []
    if seen.stale_single is not None:
        check = "an old stamp in a single update"
        if seen.stale_single:
            said = f"refused: 409, {seen.conflict_error or 'in unknown words'}"
            found.append(Finding(check, said, "what a person changed stays", good=True))
        else:
            found.append(Finding(check, "ignored", "nothing guards a write: do not use ticketbot here", good=False))
    if seen.tomorrow is not None:
        rule = "accepted: no newer than the stamp" if seen.tomorrow else "refused: equal to the stamp"
        found.append(Finding("a stamp of tomorrow", rule, "none: the stamp that was read goes back as it is"))
    return found


def _limits(seen: Observed) -> list[Finding]:
    found = []
    if seen.tag_edits is not None:
        told = "work" if seen.tag_edits else "ignored"
        found.append(Finding("additional_tags in a job", told, "none: the whole list of tags is sent"))
    if seen.arrived and seen.job_seconds is not None:
        count = counted(seen.before, seen.after)
        told = "cannot be told" if count is None else "yes" if count else "no"
        follows = (
            "jobs are no quicker than single updates" if count else "none" if count is None else "jobs are quicker"
        )
        found.append(Finding("a job counts as ticket updates", told, follows))
        found.append(Finding("time of a job of one", f"{seen.job_seconds:.1f} s", "none"))
    return found
