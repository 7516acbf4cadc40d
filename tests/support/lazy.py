"""What takes a while is done when it is needed, or once: modules that load for a second, word lists of the rules."""

from __future__ import annotations

import importlib
from typing import Any

from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.core.taxonomy import Taxonomy


class Lazy:
    """A module that is imported when something of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "pytest")):  # pytest asks everything in a module for such
            raise AttributeError(name)
        return getattr(importlib.import_module(self._name), name)


def share_word_lists() -> None:
    """Let rules of this process that have the same categories share the word lists that they compile."""
    begin, compiled = RulesAnalyser.__init__, dict[str, Any]()

    def share(self: RulesAnalyser, taxonomy: Taxonomy) -> None:
        begin(self, taxonomy)
        self._matchers = compiled.setdefault(taxonomy.model_dump_json(), self._matchers)

    RulesAnalyser.__init__ = share  # type: ignore[method-assign]
