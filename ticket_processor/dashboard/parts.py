"""Parts that several pages share: the log's figures, filters, who may see them, guarded bodies, tiles, charts, tables.

Streamlit runs each page in a thread of its own, again and again. All of them share one index of the log, which takes in
new lines each time; figures are computed once for each state of the log. The filters are part of the address, so that a
view can be shared. The sign-in is Streamlit's own OpenID Connect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

import streamlit as st

from .. import __version__
from ..core.clock import iso
from ..core.errors import TicketbotError, unexpected
from ..core.tables import SENTENCES, Table
from ..core.text import many, person_at_keyboard
from ..reporting import figures
from ..reporting.glossary import MEANINGS, percent, points
from ..reporting.index import LogIndex
from ..reporting.queries import Dimension, LogSelection
from ..reporting.report import NO_ACCOUNT
from ..reporting.sections import AskedPeriod, DashboardPage, tables_of
from ..settings.schema import Settings
from ..wiring.parts import keyring
from .server import given

PERIODS = {"24 h": timedelta(days=1), "7 d": timedelta(days=7), "30 d": timedelta(days=30)}
CUSTOM = "custom"
MOST_CHOSEN = 50
REFRESH = {"off": None, "10 s": 10, "60 s": 60}
FILTERS: dict[Dimension, str] = {
    "category": "Category",
    "secondary": "Second category",
    "urgency": "Urgency",
    "sentiment": "Sentiment",
    "risk": "Risk",
    "language": "Language",
    "outcome": "Outcome",
    "analyser": "Analyser",
}
_MINUTE, _DAY = 60.0, 86_400.0
_Options = ParamSpec("_Options")
_Said = TypeVar("_Said")


@st.cache_resource(max_entries=1, show_spinner="Reading the log", on_release=lambda index: index.close())
def _opened(folder: str, review_tag: str, _settings: Settings) -> LogIndex:
    return LogIndex(_settings.log_dir, given().clock.now, keys=keyring(_settings), review_tag=review_tag)


def ask(
    question: Callable[Concatenate[LogIndex, _Options], _Said], *options: _Options.args, **more: _Options.kwargs
) -> _Said:
    """The answer of a function of ``figures`` for the current log. Raises what :class:`LogIndex` raises."""
    settings = given().settings
    log = _opened(str(settings.log_dir.absolute()), settings.policy.tag("review"), settings)
    log.refresh()
    key = f"{id(log)} {log.changes} {question.__name__} {options!r} {more!r}"
    return cast(_Said, _answer(key, lambda: question(log, *options, **more)))


@st.cache_data(max_entries=256, max_size="64mb", ttl=900.0, show_spinner=False)
def _answer(key: str, _work_out: Callable[[], Any]) -> Any:
    return _work_out()


def period(name: str, first: date | None, last: date | None, now: float) -> tuple[float, float]:
    """The period's begin and end, in Unix seconds; days are UTC, and the last one is included.

    A period up to now ends with the minute, so that what was worked out serves for as long.
    """
    until = math.floor(now / _MINUTE + 1) * _MINUTE
    if name in PERIODS:
        return until - PERIODS[name].total_seconds(), until
    begin, end = sorted((first or last or _day(now), last or first or _day(now)))
    return _midnight(begin), _midnight(end) + _DAY


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def choose() -> Callable[[], LogSelection]:
    """Show the filters. Returns a function that gives the current selection."""
    now = given().clock.now
    with st.sidebar:
        name = st.segmented_control(
            "Period (UTC)",
            [*PERIODS, CUSTOM],
            default="7 d",
            required=True,
            key="period",
            bind="query-params",
            width="stretch",
        )
        first = last = None
        if name == CUSTOM:
            today = _day(now())
            first = st.date_input("From", today - timedelta(days=6), key="from", bind="query-params")
            last = st.date_input("Until, this day included", today, key="until", bind="query-params")
        known = ask(figures.breakdowns, LogSelection(*period(name or CUSTOM, first, last, now())), tuple(FILTERS))
        chosen = {dimension: _several(dimension, label, known) for dimension, label in FILTERS.items()}

    def selected() -> LogSelection:
        return LogSelection(*period(name or CUSTOM, first, last, now()), labels=chosen)

    return selected


def _several(
    dimension: Dimension, label: str, known: Mapping[Dimension, Sequence[figures.DimensionShare]]
) -> tuple[str, ...]:
    # A chosen value stays among the choices even if the period has none of it.
    asked = (st.query_params.get_all(dimension) or st.session_state.get(dimension, []))[:MOST_CHOSEN]
    options = list(dict.fromkeys((*(part.label for part in known[dimension]), *asked)))
    return tuple(st.multiselect(label, options, key=dimension, bind="query-params", placeholder="all"))


def may_see(user: Mapping[str, object], allow: Sequence[str]) -> bool:
    """Whether the provider's word for a person is enough: an allowed address that it does not call unverified."""
    address = user.get("email")
    if not isinstance(address, str) or address.count("@") != 1 or user.get("email_verified", True) is not True:
        return False
    address = address.lower()
    return address in allow or f"@{address.partition('@')[2]}" in allow


def signed_in() -> bool:
    """Whether the reader may see the pages. If not, show how to sign in or out."""
    auth = given().settings.dashboard.auth
    if not auth.wanted:
        return True
    user = st.user.to_dict()
    known = user.get("is_logged_in") is True
    if known and may_see(user, auth.allow):
        with st.sidebar:
            st.button("Sign out", icon=":material/logout:", on_click=st.logout)
        return True
    st.title("ticketbot")
    if known:
        st.error("This account may not see these pages; dashboard.auth.allow says which may.")
        st.button("Sign out", icon=":material/logout:", on_click=st.logout)
    else:
        st.button("Sign in", icon=":material/login:", type="primary", on_click=st.login)
    return False


def person() -> str | None:
    """Who uses the page: the address that signed in, or the person at the keyboard; ``None`` if unknown."""
    options = given()
    if options.settings.dashboard.auth.wanted:
        return str(st.user.to_dict()["email"]).lower()
    return person_at_keyboard() if options.private else None


@contextmanager
def guarded() -> Iterator[None]:
    """Show errors as sentences. Their text is never Markdown: it may name paths."""
    try:
        yield
    except TicketbotError as error:
        st.error("This cannot be shown now:", icon=":material/error:")
        st.text(str(error))
    except Exception as error:  # noqa: BLE001 - Streamlit would print its message, which may quote a ticket
        st.error("This is a bug in ticketbot, please report it:", icon=":material/error:")
        st.text(unexpected(error))


def live(body: Callable[[], None]) -> None:
    """Show ``body``, and again at the interval that the reader chooses."""
    with st.sidebar:
        every = st.segmented_control(
            "Refresh", list(REFRESH), default="off", required=True, key="refresh", bind="query-params"
        )

    def shown() -> None:
        with guarded():
            body()

    st.fragment(shown, run_every=REFRESH[every or "off"])()


def of_period(title: str, body: Callable[[LogSelection], None]) -> None:
    """A page about the tickets of a period: its heading, the filters, and ``body`` where there are any."""
    head(title)
    selected = choose()

    def shown() -> None:
        selection = selected()
        about(selection)
        if not nothing(selection):
            body(selection)

    live(shown)


def _days(index: LogIndex) -> tuple[str, str] | None:
    return index.days


def nothing(selection: LogSelection) -> bool:
    """Whether there is nothing to show. If so, say why."""
    if ask(_days) is None:
        st.info("There is no log yet. Everything stands here once 'ticketbot run' has handled its first tickets.")
        return True
    if not ask(figures.totals, selection).lines:
        st.info("No tickets in this period with these filters. Choose a longer period, or fewer filters.")
        return True
    return False


LINK = st.column_config.LinkColumn(display_text="open", help="The ticket in the helpdesk")


def table(found: Table) -> None:
    """A table of the report under its title, or nothing where it has no rows."""
    if not found.rows:
        return
    st.markdown(f"**{found.title}**")
    if found.columns == SENTENCES:
        for (text,) in found.rows:
            st.text(text)
        return
    names = [f"{name[:1].upper()}{name[1:]}" for name in found.names]
    rows = [dict(zip(names, row, strict=True)) for row in found.rows]
    st.dataframe(rows, hide_index=True, height=min(600, height(len(rows))), column_config={"Where": LINK})


def sections(page: DashboardPage, selection: LogSelection) -> None:
    """The tables of the report's sections that belong on this page."""
    for found in ask(_of_sections, page, selection):
        table(found)


def _of_sections(index: LogIndex, page: DashboardPage, selection: LogSelection) -> list[Table]:
    return tables_of(page, AskedPeriod(index, selection, given().settings))


Chart = dict[str, Any]
"""A chart as Vega-Lite has it: plain data, in which names are never mark-up."""
INK = {False: "#4a4f57", True: "#c3c8cf"}
"""The colour of text on a light and on a dark page: Streamlit's own grey has too little contrast for WCAG's AA."""


def readable(chart: Chart, *, dark: bool) -> Chart:
    """The chart with text that can be read on a light or a dark page."""
    ink = INK[dark]
    text = {"labelColor": ink, "titleColor": ink}
    return {**chart, "config": {"axis": text, "legend": text, "text": {"color": ink}}}


def chart(title: str, figure: Chart, *, key: str, alt: str) -> None:
    """A chart under its title. ``alt`` is for those who do not see it."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{title}**")
        if figure["data"]["values"]:
            shown = readable(figure, dark=st.context.theme.type == "dark")
            st.vega_lite_chart(shown, key=f"chart-{key}", alt=alt)
        else:
            st.caption("None in this period.")


def without_a_price(totals: figures.Totals) -> None:
    """Say how many answers have no known cost, if there are any."""
    if totals.unpriced:
        st.caption(f"Not counted is the cost of {many(totals.unpriced, 'answer')} by models without a price.")


Good = Literal["normal", "inverse", "off"]


def tile(
    name: str,
    value: float | None,
    before: float | None,
    show: Callable[[float], str],
    *,
    good: Good = "off",
) -> None:
    """A number, and its difference from the period before. ``good`` says how Streamlit colours that."""
    st.metric(
        name,
        "–" if value is None else show(value),
        None if value is None or before is None else _apart(value - before, show),
        delta_color=good,
        help=meaning(name),
        border=True,
        height="stretch",
    )


def meaning(name: str) -> str:
    """The meaning of the figure with this name, as a sentence."""
    said = MEANINGS[name.lower()]
    return f"{said[0].upper()}{said[1:]}."


def head(title: str) -> None:
    """A page's heading: title, account, and version."""
    st.title(title)
    st.text(f"{given().settings.account or NO_ACCOUNT}  ·  ticketbot {__version__}")


def about(selection: LogSelection) -> None:
    """The period that is shown, in UTC, and the time of the figures."""
    now = given().clock.now()
    first, last = _minute(selection.since), _minute(min(selection.until, now))
    st.caption(f"{first} to {last} UTC, as of {_minute(now)} UTC")


def _minute(moment: float) -> str:
    return iso(moment)[:16].replace("T", " ")


def _apart(difference: float, show: Callable[[float], str]) -> str | None:
    said = points(difference) if show is percent else f"{'-' if difference < 0 else '+'}{show(abs(difference))}"
    return said if any(digit in said for digit in "123456789") else None  # none where it rounds to zero


def height(rows: int) -> int:
    """The height of a table that shows all of its rows, in pixels."""
    return 35 * (rows + 1) + 3


def count(value: float) -> str:
    """``12,345``"""
    return f"{value:,.0f}"
