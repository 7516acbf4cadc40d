"""Work that is the same in every story, done once: pure functions that remember, databases copied and not set up.

Within :func:`shortcuts` the package does what it always does, a little sooner. What has been replaced already (by a
mutation) is left as it is.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import tenacity

from ticket_processor import llm, zendesk
from ticket_processor.analysis import cache as answer_store
from ticket_processor.analysis import chain as analysis
from ticket_processor.analysis.model_server import prompt
from ticket_processor.analysis.rules import analyser as rules
from ticket_processor.core import models
from ticket_processor.core import sanitize as plain
from ticket_processor.helpdesk import http_messages, transport, zendesk_reads
from ticket_processor.pipeline import eligibility
from ticket_processor.policy import decide as policy
from ticket_processor.policy import note
from ticket_processor.sandbox import app, calls, clock, freshdesk_api, records, store, zendesk_api, zendesk_tickets
from ticket_processor.state import sqlite as state_file
from ticket_processor.state import store as state

MOST = 20_000
"""Results kept of one function, so that long runs stay small."""

REMEMBERING: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (analysis, ("clean", "redact")),
    (rules.RulesAnalyser, ("analyse_with_points",)),
    (prompt, ("estimate_tokens", "ticket_message")),
    (plain, ("_strip_once",)),
    (note, ("quoted",)),
    (policy, ("tag",)),
    (eligibility, ("parse_iso",)),
    (models, ("parse_iso",)),
    (zendesk, ("parse_iso",)),
    (zendesk_reads, ("parse_iso",)),
    (http_messages, ("parse_http_date",)),
    (transport, ("_template",)),
    (app, ("route_of", "http_date")),
    (zendesk_api, ("route_of",)),
    (freshdesk_api, ("route_of",)),
    (calls, ("quote",)),
    (records, ("text_to_html",)),
)
"""Pure functions of texts and numbers, by where they are looked up."""


class _Pool:
    """Databases in memory that were used before and hold nothing: their statements are compiled already."""

    def __init__(self, new: Callable[[], sqlite3.Connection]) -> None:
        self._new = new
        self._free: list[sqlite3.Connection] = []
        tables = new().execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        self._clearing = [f"DELETE FROM {name}" for (name,) in tables]

    def take(self) -> sqlite3.Connection:
        return self._free.pop() if self._free else self._new()

    def give_back(self, db: sqlite3.Connection) -> None:
        for statement in self._clearing:
            db.execute(statement)
        self._free.append(db)


_STATES = _Pool(lambda: state.State(None)._db)
_STORES = _Pool(lambda connect=answer_store._connect: connect(None)[0])


class UsedState(state.State):
    """A state in memory, empty as a new one."""

    def __init__(self) -> None:
        self.__dict__.update(_PATTERN.__dict__)
        self._lock = threading.RLock()
        self._db = _STATES.take()
        self._closed = False

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            _STATES.give_back(self._db)


_PATTERN = state.State(None)


class _UsedStore:
    """What the store of answers needs of a connection."""

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = _STORES.take()
        self.execute = self._db.execute

    def close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            _STORES.give_back(db)


class _Retrying(tenacity.Retrying):
    """The loop alone, without the statistics; what is tried again, how often and when is up to the caller as ever."""

    def __init__(self, **given: Any) -> None:
        self.__dict__.update(given)

    def __call__(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        tries: tenacity.RetryCallState | None = None
        while True:
            try:
                return fn(*args, **kwargs)
            except Exception as error:
                tries = tries or tenacity.RetryCallState(self, fn, args, kwargs)
                tries.set_exception((type(error), error, error.__traceback__))
                if not self.retry(tries):
                    raise
                tries.upcoming_sleep = self.wait(tries)
                if self.stop(tries):
                    raise
                sleep = tries.upcoming_sleep
                tries.prepare_for_next_attempt()
            self.sleep(sleep)


@lru_cache(MOST)
def _iso(second: int) -> str:
    return clock.iso(second)


@lru_cache(MOST)
def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    return urlencode(query)


def _checked_once(whole: Callable[..., Any] = llm.checked) -> Callable[..., Any]:
    known: dict[Any, Any] = {}

    def checked(answer: str, ticket: str, taxonomy: Any, **given: Any) -> Any:
        key = (answer, ticket, *map(str, given.values()))
        if len(known) > MOST:
            known.clear()
        if key not in known:
            known[key] = whole(answer, ticket, taxonomy, **given)
        return known[key]

    return checked


def _options_once(whole: Callable[..., Any] = records.options_of) -> Callable[..., Any]:
    last: tuple[Any, Any] = (None, None)

    def options_of(fields: Any) -> Any:
        nonlocal last
        if last[0] is not fields:
            last = fields, whole(fields)
        return last[1]

    return options_of


_UNTRANSLATED = nullcontext()
_SECRET = bytes(32)


def _replacing(owner: Any, name: str, quick: Callable[..., Any] | None = None) -> tuple[Any, str, Any, Any]:
    whole = getattr(owner, name)
    return owner, name, whole, quick or lru_cache(MOST)(whole)


REPLACED = [
    *(_replacing(owner, name) for owner, names in REMEMBERING for name in names),
    *(_replacing(owner, "iso", lambda moment: _iso(int(moment))) for owner in (records, store, zendesk_tickets)),
    *(_replacing(owner, "options_of", _options_once()) for owner in (records, store)),
    _replacing(llm, "checked", _checked_once()),
    _replacing(calls, "urlencode", lambda query: _encoded(tuple(query.items()))),
    _replacing(state_file, "translated", lambda _path: _UNTRANSLATED),
    _replacing(answer_store, "_connect", lambda _path: (_UsedStore(), _SECRET)),
    _replacing(answer_store.AnswerStore, "_sweep", lambda _store: None),
    _replacing(tenacity, "Retrying", _Retrying),
]


@contextmanager
def shortcuts() -> Iterator[None]:
    """Within this block they are taken."""
    replaced = [item for item in REPLACED if getattr(item[0], item[1]) is item[2]]
    for owner, name, _, quick in replaced:
        setattr(owner, name, quick)
    try:
        yield
    finally:
        for owner, name, whole, _ in replaced:
            setattr(owner, name, whole)
