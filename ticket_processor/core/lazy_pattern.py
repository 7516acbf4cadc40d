"""Regular expressions that compile when they are first used: most commands, and idle runs, use few of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast


def lazy_pattern(pattern: str | Callable[[], str], flags: int = 0) -> re.Pattern[str]:
    """Like :func:`re.compile`, at the first use of a method; a mistake in ``pattern`` shows only then.

    A function as ``pattern`` is called then; it may read a file.
    Threads may share it. It is no argument for the functions of :mod:`re`; call its own methods.
    """
    return cast("re.Pattern[str]", _LazyPattern(pattern, flags))


class _LazyPattern:
    def __init__(self, pattern: str | Callable[[], str], flags: int) -> None:
        self._pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        pattern = self._pattern if isinstance(self._pattern, str) else self._pattern()
        value = getattr(re.compile(pattern, self._flags), name)
        self.__dict__[name] = value  # found without __getattr__ from now on
        return value
