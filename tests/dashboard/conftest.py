"""The dashboard's pages without a browser, over a log that a test writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ticket_processor.core.clock import SystemClock
from ticket_processor.dashboard.server import SCRIPT, DashboardOptions, give
from ticket_processor.settings.schema import Settings

from .logs import NOW, write

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest


class Still(SystemClock):
    """It is always :data:`~.logs.NOW`; deadlines run all the same."""

    def now(self) -> float:
        return NOW


@dataclass
class Pages:
    """The pages over the log and state of one folder."""

    folder: Path

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def log(self, *lines: Mapping[str, Any]) -> None:
        write(self.logs, lines)

    def configure(self, **settings: Any) -> Settings:
        """Show the pages with these settings."""
        made = Settings.model_validate({"log_dir": self.logs, "state_dir": self.state, **settings})
        give(DashboardOptions(made, Still()))
        return made

    def open(self, name: str, query: Mapping[str, Any] | None = None) -> AppTest:
        """The page, shown; its address holds ``query``. Fails when it shows an error that is none of ours."""
        page = app_test()
        for key, value in (query or {}).items():
            page.query_params[key] = value
        if name != "overview":
            go_to(page, name)
        page.run()
        assert not page.exception
        return page


def app_test() -> AppTest:
    """The dashboard without a browser; Streamlit is loaded here, not in each process that collects these tests."""
    from streamlit.testing.v1 import AppTest

    return AppTest.from_file(SCRIPT, default_timeout=60)


def go_to(page: AppTest, name: str) -> None:
    """Have the next run show the page of this name: Streamlit's tests can switch to files only."""
    from streamlit.util import calc_hash

    page._page_hash = calc_hash(name)


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit puts the script that it runs in the place of ``__main__``, where new processes look for theirs."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    import streamlit as st

    st.cache_data.clear()
    made = Pages(tmp_path)
    made.configure()
    yield made
    st.cache_resource.clear()
    st.cache_data.clear()
    give(None)


def values(page: AppTest) -> dict[str, tuple[str, str]]:
    """What each tile says: its number, and how far it is from the one before."""
    return {tile.label: (tile.value, tile.delta) for tile in page.metric}


def words(page: AppTest) -> str:
    """Everything that Streamlit would take for Markdown, and so might turn into links or pictures."""
    kinds: Sequence[Any] = [page.markdown, page.caption, page.info, page.success, page.warning, page.error, page.title]
    return "\n".join(str(element.value) for kind in kinds for element in kind)
