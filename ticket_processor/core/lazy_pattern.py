"""Regular expressions that compile when they are first used: most commands, and idle runs, use few of them."""

from __future__ import annotations

import re
from typing import Any, cast


def lazy_pattern(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Like :func:`re.compile`, at the first use of a method; a mistake in ``pattern`` shows only then.

    Threads may share it. It is no argument for the functions of :mod:`re`; call its own methods.
    """
    return cast("re.Pattern[str]", _LazyPattern(pattern, flags))


class _LazyPattern:
    def __init__(self, pattern: str, flags: int) -> None:
        self._arguments = pattern, flags

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(*self._arguments), name)
        self.__dict__[name] = value  # found without __getattr__ from now on
        return value
