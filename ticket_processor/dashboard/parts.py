"""Parts that several pages share: guarded bodies that refresh, tiles, charts, sentences for empty logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import streamlit as st

from .. import __version__
from ..core.clock import iso
from ..core.errors import TicketbotError, unexpected
from ..core.tables import SENTENCES, Table
from ..reporting import figures, metrics
from ..reporting.glossary import MEANINGS, percent, points
from ..reporting.report import NO_ACCOUNT
from . import figures as charts
from .data import ask
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
