"""What several pages are made of: guarded bodies that refresh themselves, tiles, charts, sentences for empty logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import streamlit as st

from .. import metrics
from ..errors import TicketbotError, unexpected
from .data import ask
from .sidebar import refresh_every

Good = Literal["up", "down", "neither"]
_GOOD: dict[Good, Literal["normal", "inverse", "off"]] = {"up": "normal", "down": "inverse", "neither": "off"}


@contextmanager
def guarded() -> Iterator[None]:
    """Errors become sentences. Their text is shown letter by letter: it may name paths."""
    try:
        yield
    except TicketbotError as error:
        st.error("This cannot be shown now:", icon=":material/error:")
        st.text(str(error))
    except Exception as error:  # noqa: BLE001 - Streamlit would print its message, which may quote a ticket
        st.error("This is a bug in ticketbot, please report it:", icon=":material/error:")
        st.text(unexpected(error))


def live(body: Callable[[], None]) -> None:
    """Show what ``body`` shows, again and again where the reader wants it refreshed."""

    def shown() -> None:
        with guarded():
            body()

    st.fragment(shown, run_every=refresh_every())()


def nothing(selection: metrics.Selection) -> bool:
    """Whether there is nothing to show, which is then said."""
    if ask(metrics.reach) is None:
        st.info("There is no log yet. Everything stands here once 'ticketbot run' has handled its first tickets.")
        return True
    if not ask(metrics.totals, selection).lines:
        st.info("No tickets in this period with these filters. Choose a longer period, or fewer filters.")
        return True
    return False


def chart(title: str, figure: Any, *, key: str, alt: str) -> None:
    """A figure under its title. ``alt`` is for those who do not see it."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{title}**")
        st.plotly_chart(figure, key=f"chart-{key}", alt=alt, config={"displayModeBar": False, "responsive": True})


def tile(
    name: str,
    value: float | None,
    before: float | None,
    show: Callable[[float], str],
    *,
    good: Good,
    help: str,
) -> None:
    """A number, and how far it is from that of the period before."""
    delta = None
    if value is not None and before is not None:
        difference = value - before
        said = f"{abs(difference) * 100:.1f} pts" if show is percent else show(abs(difference))
        told = any(digit in said for digit in "123456789")  # as rounded; no difference is none
        delta = f"{'-' if difference < 0 else '+'}{said}" if told else None
    st.metric(
        name,
        "–" if value is None else show(value),
        delta,
        delta_color=_GOOD[good],
        help=help,
        border=True,
        height="stretch",
    )


def height(rows: int) -> int:
    """Of a table that shows all of its rows, in pixels."""
    return 35 * (rows + 1) + 3


def count(value: float) -> str:
    """``12,345``"""
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """``99.52%``"""
    return f"{value:.2%}" if value >= 0.99 or 0 < value < 0.01 else f"{value:.1%}"


def dollars(value: float) -> str:
    """``$1,234.50``; of small sums more digits."""
    if value >= 1 or not value:
        return f"${value:,.2f}"
    return f"${value:.3f}" if value >= 0.01 else f"${value:.6f}".rstrip("0").rstrip(".")


def seconds(milliseconds: float) -> str:
    """``1.25 s``, from milliseconds."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.2f} s"
