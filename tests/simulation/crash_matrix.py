"""Stories on Freshdesk in which runs die at any step, be it between two calls or two lines of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from .freshdesk_invariants import losses, violations
from .freshdesk_world import FreshdeskWorld


class CrashingWorld(FreshdeskWorld):
    """A story whose runs die at a random step: around each request, each write to the state, each line of the log."""

    def play(self) -> None:
        self._crash_weight = 1.0
        super().play()


def play_crashes(seeds: Iterable[int]) -> Iterator[tuple[int, list[str], Counter[str]]]:
    """Each story's seed, its broken promises, and what it held: deaths by the last request before them, losses."""
    for seed in seeds:
        world = CrashingWorld(seed)
        world.play()
        held = losses(world)
        held["runs"] = len(world.ends)
        for end in world.ends:
            if isinstance(end, str) and end.endswith(" crashed"):
                held["runs that died"] += 1
                held[f"died after {_last_request(world, end.removesuffix(' crashed'))}"] += 1
        yield seed, violations(world), held


def _last_request(world: FreshdeskWorld, run: str) -> str:
    asked = [(method, path) for name, method, path, *_ in world.wire if name == run]
    if not asked:
        return "nothing"
    method, path = asked[-1]
    parts = path.removeprefix("/api/v2/").partition("?")[0].split("/")
    return f"{method} {'/'.join('{id}' if part.isdigit() else part for part in parts)}"
