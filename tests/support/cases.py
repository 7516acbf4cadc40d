"""Many cases in one test, where each is too small to be a test by itself."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

Test = Callable[..., None]


def for_each(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Like ``pytest.mark.parametrize``, but all cases are one test; a failure names its case."""
    parameters = (names,) if isinstance(names, str) else names
    all_cases = [(case,) if isinstance(names, str) else case for case in cases]

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def one_test(**fixtures: Any) -> None:
            for case in all_cases:
                values = dict(zip(parameters, case, strict=True))
                try:
                    test(**fixtures, **values)
                except BaseException as error:
                    error.add_note(f"the case: {values!r}")
                    raise

        signature = inspect.signature(test)
        kept = [parameter for name, parameter in signature.parameters.items() if name not in parameters]
        one_test.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return one_test

    return decorate
