"""Parts that several pages share: guarded bodies that refresh, tiles, charts, sentences for empty logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import streamlit as st

from .. import __version__
from ..core.clock import iso
from ..core.errors import TicketbotError, unexpected
from ..reporting import figures, metrics, queries
from ..reporting.glossary import MEANINGS, percent, points
from ..reporting.report import NO_ACCOUNT
from . import figures as charts
from . import tables
from .data import ask, now_of
from .options import given
from .sidebar import refresh_every

Good = Literal["up", "down", "neither"]
_GOOD: dict[Good, Literal["normal", "inverse", "off"]] = {"up": "normal", "down": "inverse", "neither": "off"}


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
    """Show ``body``, and again at the interval that the reader chose."""

    def shown() -> None:
        with guarded():
            body()

    st.fragment(shown, run_every=refresh_every())()


def nothing(selection: figures.LogSelection) -> bool:
    """Whether there is nothing to show. If so, say why."""
    if ask(metrics.reach) is None:
        st.info("There is no log yet. Everything stands here once 'ticketbot run' has handled its first tickets.")
        return True
    if not ask(metrics.totals, selection).lines:
        st.info("No tickets in this period with these filters. Choose a longer period, or fewer filters.")
        return True
    return False


ESCALATED = {
    "Escalated": st.column_config.DatetimeColumn("Escalated (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
    "Ticket": st.column_config.NumberColumn(format="%d"),
    "Link": st.column_config.LinkColumn(display_text="open", help="The ticket in the helpdesk"),
}


NO_SUBJECTS = "The log holds no subjects: the switch above reads them from the helpdesk, redacted."


def ask_the_helpdesk() -> bool:
    """Show the switch that has the helpdesk asked for status and subject of escalated tickets; whether it is on."""
    return st.toggle(
        "Ask the helpdesk which escalated tickets are still open",
        key="now",
        help="Reads status and subject of these tickets; they are stored nowhere.",
    )


def escalated(selection: figures.LogSelection, *, asking: bool, most: int | None = None) -> None:
    """The escalated tickets of a period, ``most`` of them; with ``asking`` only those that are still open."""
    found = ask(queries.escalated, selection)
    if not found:
        st.info("No ticket was escalated in this period with these filters.")
        return
    now, why = now_of(tuple(one.ticket_id for one in found)) if asking else (None, "")
    rows = tables.escalated(found, given().settings.ticket_url, now)
    if why:
        st.warning("What has become of them is not known:", icon=":material/help:")
        st.text(why)
    shown = rows[:most]
    still = f", {len(rows):,} still open" if asking and not why else ""
    here = f"; {len(shown)} are here" if len(shown) < len(rows) else ""
    st.caption(f"{len(found):,} escalated{still}{here}." + ("" if asking else f" {NO_SUBJECTS}"))
    height_px = min(600, height(len(shown)))
    st.dataframe(shown, hide_index=True, column_config=ESCALATED, height=height_px, placeholder="–")


def chart(title: str, figure: Any, *, key: str, alt: str) -> None:
    """A figure under its title. ``alt`` is for those who do not see it."""
    charts.make_readable(figure, dark=st.context.theme.type == "dark")
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{title}**")
        st.plotly_chart(figure, key=f"chart-{key}", alt=alt, config={"displayModeBar": False, "responsive": True})


def instead(title: str, why: str) -> None:
    """In a chart's place, a sentence on why there is none."""
    with st.container(border=True):
        st.markdown(f"**{title}**")
        st.caption(why)


def without_a_price(totals: figures.Totals) -> None:
    """Say how many answers have no known cost, if there are any."""
    if totals.unpriced:
        one = totals.unpriced == 1
        st.caption(
            f"{totals.unpriced:,} answer{'' if one else 's'} came from models without a price in the settings: what "
            f"{'that' if one else 'they'} cost is not known, and not counted."
        )


def tile(
    name: str,
    value: float | None,
    before: float | None,
    show: Callable[[float], str],
    *,
    good: Good,
    help: str | None = None,
) -> None:
    """A number, and its difference from the period before. Its help is its meaning, or ``help``."""
    st.metric(
        name,
        "–" if value is None else show(value),
        None if value is None or before is None else _apart(value - before, show),
        delta_color=_GOOD[good],
        help=help or meaning(name),
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


def about(selection: figures.LogSelection) -> None:
    """The period that is shown, in UTC, and the time of the figures."""
    now = given().clock.now()
    first, last = _minute(selection.since), _minute(min(selection.until, now))
    st.caption(f"{first} to {last} UTC, as of {_minute(now)} UTC")


def _minute(moment: float) -> str:
    return iso(moment)[:16].replace("T", " ")


def _apart(difference: float, show: Callable[[float], str]) -> str | None:
    said = points(difference) if show is percent else f"{'-' if difference < 0 else '+'}{show(abs(difference))}"
    return (
        said if any(digit in said for digit in "123456789") else None
    )  # a difference that rounds to zero is not shown


def height(rows: int) -> int:
    """The height of a table that shows all of its rows, in pixels."""
    return 35 * (rows + 1) + 3


def whole(texts: Iterable[tuple[str, str]], characters: int) -> None:
    """Below a table, the full texts that its cells cut off."""
    for name, text in texts:
        if len(text) > characters:
            st.caption(name)
            st.text(text)


def count(value: float) -> str:
    """``12,345``"""
    return f"{value:,.0f}"
