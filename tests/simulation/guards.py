"""How a guard is taken away, so that the simulation has something to notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest import mock


class Guard:
    """A guard that is gone within each of some contexts, and the ``seed`` of a story that notices it.

    When that story no longer does, others are tried.
    """

    def __init__(self, seed: int, *gone: Callable[[], AbstractContextManager[Any]]) -> None:
        self.seed = seed
        self._gone = gone

    @contextmanager
    def taken_away(self) -> Iterator[None]:
        """Within this block it is gone."""
        with ExitStack() as stack:
            for each in self._gone:
                stack.enter_context(each())
            yield

    def noticed_by(self, seed: int) -> Guard:
        """The same in stories of another kind."""
        return Guard(seed, *self._gone)


def noticed_by(guards: Mapping[str, Guard], seeds: Mapping[str, int]) -> dict[str, Guard]:
    """Guards that stories of another kind notice too, under the same names, each by the story with this seed."""
    return {name: guards[name].noticed_by(seed) for name, seed in seeds.items()}


def patch(*target: Any, **options: Any) -> Callable[[], AbstractContextManager[Any]]:
    """What makes this ``mock.patch.object``."""
    return partial(mock.patch.object, *target, **options)
