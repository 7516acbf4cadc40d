"""The pages' data: figures from the log, runs from the state, open alerts; cached while nothing changes.

Streamlit runs each page in a thread of its own, again and again. All of them share one index of the log, which takes in
new lines each time; figures are computed once for each state of the log. Every cache has a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import streamlit as st

from ..learning.model import Correction, LearntChange
from ..learning.review import decisions
from ..learning.scoreboard import Scoreboard, kept_scoreboard
from ..learning.store import FILE_NAME as LEARNT
from ..learning.store import LearningStore
from ..monitoring.health.checks import Health
from ..monitoring.health.doctor import Doctor
from ..monitoring.memory import AlertStore, OpenAlert
from ..reporting.index import LogIndex
from ..settings.schema import Settings
from ..wiring.parts import keyring
from ..wiring.ticket_subjects import LookedUp, look_up
from .server import given
from .tables import Moment, days_of, events_of, moments

MOST_ANSWERS = 256
MOST_DECISIONS = 5
MOST_BYTES = "64mb"
KEPT_S = 900.0
SUBJECTS_KEPT_S = 60.0

_Options = ParamSpec("_Options")
_Said = TypeVar("_Said")


@st.cache_resource(max_entries=1, show_spinner="Reading the log", on_release=lambda index: index.close())
def _opened(folder: str, review_tag: str, _settings: Settings) -> LogIndex:
    return LogIndex(_settings.log_dir, given().clock.now, keys=keyring(_settings), review_tag=review_tag)


def ask(
    question: Callable[Concatenate[LogIndex, _Options], _Said], *options: _Options.args, **more: _Options.kwargs
) -> _Said:
    """The answer of a function of ``metrics`` for the current log. Raises what :class:`LogIndex` raises."""
    settings = given().settings
    log = _opened(str(settings.log_dir.absolute()), settings.policy.tag("review"), settings)
    log.refresh()
    key = f"{id(log)} {log.changes} {question.__name__} {options!r} {more!r}"
    return cast(_Said, _answer(key, lambda: question(log, *options, **more)))


@st.cache_data(max_entries=MOST_ANSWERS, max_size=MOST_BYTES, ttl=KEPT_S, show_spinner=False)
def _answer(key: str, _work_out: Callable[[], Any]) -> Any:
    return _work_out()


def story(ticket_id: int) -> list[Moment]:
    """Everything in the log about a ticket, oldest first. Raises ``CannotRun`` when it cannot be read."""
    settings = given().settings
    days = ask(days_of, ticket_id)
    return moments(events_of(settings.log_dir, ticket_id, days, keyring(settings)))


@st.cache_data(max_entries=16, ttl=SUBJECTS_KEPT_S, show_spinner="Asking the helpdesk")
def now_of(ticket_ids: tuple[int, ...]) -> tuple[dict[int, LookedUp], str]:
    """Tickets as the helpdesk has them, cached for a minute; and the reason if some are missing."""
    options = given()
    return look_up(options.settings, options.clock, ticket_ids)


def collected(since: float, until: float) -> Scoreboard | None:
    """The scoreboard of labels confirmed or changed in a period; ``None`` for none.

    Raises ``StateUnusable`` when it cannot be read.
    """
    return kept_scoreboard(given().settings.state_folder, since, until)


def pending_corrections() -> tuple[list[Correction], list[LearntChange]]:
    """The corrections and kept labels that wait, and the latest decisions.

    Raises ``StateUnusable`` when they cannot be read.
    """
    with closing(LearningStore(given().settings.state_folder / LEARNT, read_only=True)) as store:
        return store.corrections("pending", kept=True), decisions(store, MOST_DECISIONS)


def open_alerts() -> dict[str, OpenAlert] | None:
    """The open alerts by rule; ``None`` if they cannot be read."""
    memory = AlertStore.of(given().settings).known()
    return None if memory is None else memory.open


def health() -> Health:
    """The result of the checks that contact no server."""
    options = given()
    return Doctor(options.settings, options.clock, offline=True, secret_files=options.secret_files).examine()
