"""What is wrong with a helpdesk for longer than a moment: poison tickets, odd rows, shared faults, dead stamps.

Most stories have none of it. It has dice of its own, so that all other stories stay what they were.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import orjson

from ticket_processor.sandbox.messages import Request, Response

from ..imitation.faults import BROKEN, ODD, spoil

READABLE = ("surrogate", "null-tag", "no-escape", "latin-1", "control", "not-a-number")
"""Odd rows that make sense all the same."""
SHARED = (("audits", 403), ("audits", 504), ("update", 422), ("update", 403), ("update", 503))
ODD_ANSWERS = (200, 204, 302, 401)
"""Statuses that say something else than a refusal; 200 comes with a list."""
STATUSES = {"audits": (403, 500, 504), "update": (400, 422, 503), "show": (403, 500, 504)}
UNPASSABLE = ("id-text",)
"""Odd rows that no run can name, or pass in an export."""


@dataclass(frozen=True)
class Mishaps:
    """The lasting faults of one story.

    ``poison`` says of a ticket what never works, and with which status. ``odd`` are the rows that make no sense, by
    ticket. ``shared`` is what works for no ticket before the quiet phase. ``omits`` is how often an answer about many
    tickets lacks one, ``stale_jobs`` the status of every look at a
    job that was asked about before the quiet phase.
    """

    poison: dict[int, tuple[str, int]]
    odd: dict[int, str]
    shared: tuple[str, int] | None = None
    omits: float = 0.0
    stale_jobs: int | None = None
    ignores_stamps: bool = False
    guard_ended: bool = False
    """Whether runs know of an earlier day that stamps guard, which they do no longer."""
    agent: bool = False
    """Whether the user may see no more than an agent."""
    silent: float = 0.0
    """How many of people's edits move no stamp."""
    hidden: bool = False
    """Whether the record lacks those."""
    no_room: bool = False
    """Whether tickets take no comment more than their first."""
    storm: bool = False
    """People work on most tickets, all the time."""
    upgrade: int | None = None
    """The run with which a new version begins; earlier ones make keys as they once did."""
    redacts: bool = False
    copies: float = 0.0
    """How many tickets are born with our marker."""
    late: float = 0.0
    """Tickets are found by search only, which shows each up to so many seconds late."""
    drops: tuple[str, ...] = ()
    """Keys that single updates leave out before the quiet phase."""
    asks: bool = False
    """Somebody asks for tickets by their numbers, most times anew."""

    @property
    def quiet_poison(self) -> set[int]:
        """Tickets that no run can bring to an end."""
        return set(self.poison) | {number for number, how in self.odd.items() if how not in READABLE}

    @property
    def unguarded(self) -> bool:
        """Whether a write may take away what no stamp tells of: then it has to be back in the end."""
        return bool(self.ignores_stamps or self.silent)

    @property
    def max_attempts(self) -> int:
        """Where only lasting faults are about, two failures give a ticket up; by search it never shows up again."""
        return 2 if self.shared or self.poison else 99 if self.late else 5

    @property
    def calm(self) -> bool:
        """Whether nothing else may go wrong: a ticket must be given up for its own fault only."""
        return bool(self.shared or self.poison or self.odd)


def mishaps(seed: int) -> Mishaps:
    """What a story holds, the same for the same seed."""
    dice = random.Random(f"mishaps {seed}")
    kind = dice.choice(
        ("none",) * 8 + ("search", "poison", "odd", "shared", "stamps", "silent", "storm", "keys", "mixed")
    )
    strange = random.Random(f"strange {seed}")
    poison: dict[int, tuple[str, int]] = {}
    odd: dict[int, str] = {}
    if kind in ("poison", "mixed"):
        for number in dice.sample(range(1, 6), dice.choice((1, 1, 2, 3))):
            what = dice.choice(("audits", "audits", "update", "show"))
            status = dice.choice(STATUSES[what])
            poison[number] = (what, strange.choice(ODD_ANSWERS) if strange.random() < 0.3 else status)
    if kind in ("odd", "mixed"):
        rows = [how for how in ODD if how not in BROKEN]
        odd = {number: dice.choice(rows) for number in dice.sample(range(1, 6), dice.choice((1, 2)))}
        odd = {number: strange.choice(list(BROKEN)) if strange.random() < 0.3 else how for number, how in odd.items()}
    odd = {number: how for number, how in odd.items() if number not in poison and how not in UNPASSABLE}
    account = random.Random(f"account {seed}").random() if kind == "none" else 1.0
    trims = random.Random(f"trims {seed}")
    return Mishaps(
        poison,
        odd,
        no_room=random.Random(f"comments {seed}").random() < 0.03,
        drops=trims.choice((("tags",), ("priority",), ("tags", "priority"))) if trims.random() < 0.03 else (),
        shared=dice.choice(SHARED) if kind == "shared" else None,
        omits=dice.choice((0.1, 0.3)) if kind in ("odd", "mixed", "keys") else 0.0,
        stale_jobs=dice.choice((400, 403, 500)) if kind in ("stamps", "mixed") and dice.random() < 0.5 else None,
        ignores_stamps=kind == "stamps" or account < 0.1,
        guard_ended=account < 0.1,
        agent=0.1 <= account < 0.2,
        silent=0.1 if kind in ("silent", "storm") else 0.0,
        hidden=dice.random() < 0.5,
        storm=kind == "storm",
        upgrade=dice.choice((1, 2, 9)) if kind == "keys" else None,
        redacts=kind == "keys",
        late=dice.choice((600.0, 7200.0)) if kind == "search" else 0.0,
        copies=0.5 if kind in ("keys", "poison") and dice.random() < 0.5 else 0.0,
        # Where nothing guards, two runs at once have nothing to keep them apart.
        asks=kind in ("none", "search", "silent", "storm") and dice.random() < 0.2 and account >= 0.1,
    )


class Afflicted:
    """Answers requests as an account with these mishaps would; ``None`` for those that it answers as ever."""

    def __init__(self, mishaps: Mishaps, seed: int) -> None:
        self.mishaps = mishaps
        self.quiet = False
        self._old_jobs: set[str] = set()
        self._dice = random.Random(f"afflicted {seed}")

    def instead(self, request: Request) -> Response | None:
        """What a request meets before it reaches anybody."""
        what, tickets = _about(request)
        held = self.mishaps
        status = next((held.poison[number][1] for number in tickets if held.poison.get(number, ("",))[0] == what), None)
        if held.shared is not None and held.shared[0] == what and not self.quiet:
            status = held.shared[1]
        if what == "jobs":
            named = set(request.query.get("ids", "").split(","))
            self._old_jobs |= set() if self.quiet else named
            status = held.stale_jobs if named & self._old_jobs else None
        if status is None:
            return None
        if status == 204:
            return Response(status)
        told = {"error": f"Fault{status}", "description": "A lasting fault"}
        body = orjson.dumps([] if status == 200 else told)
        return Response(status, {"Content-Type": "application/json"}, body)

    def behind(self, request: Request, response: Response) -> Response:
        """What becomes of an answer on its way."""
        if response.status != 200 or request.method != "GET":
            return response
        for number, odd in self.mishaps.odd.items():
            response = spoil(response, "odd-row", number, odd, self._dice)
        if "show_many" in request.path and not self.quiet and self._dice.random() < self.mishaps.omits:
            response = spoil(response, "omit-row", None, "any", self._dice)
        return response


def _about(request: Request) -> tuple[str, list[int]]:
    """What a request is for, and the tickets that it names."""
    path = request.path.removeprefix("/api/v2/")
    if path.startswith("job_statuses"):
        return "jobs", []
    if not path.startswith("tickets/"):
        return "", []
    if path == "tickets/show_many":
        return "show", [int(number) for number in request.query.get("ids", "").split(",") if number]
    parts = path.split("/")
    if not parts[1].isdigit():
        return "update" if parts[1] == "update_many" else "", []
    what = "update" if request.method == "PUT" else "audits" if parts[-1] == "audits" else "show"
    return what, [int(parts[1])]
