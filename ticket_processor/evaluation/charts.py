"""Pictures for a page: SVG that scales with it, names nothing outside it and runs nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from .scores import Bin, CurvePoint

BLUE, ORANGE, GREEN, OCHRE, RED, GREY = "#2b6cb0", "#c2590c", "#2a7f4f", "#b0892b", "#a8446b", "#8a8f98"
COLOURS = (BLUE, ORANGE, GREEN, "#8154ab", OCHRE, "#3f8f9b", RED, "#5b6b2f")
"""A contrast of 3:1 and more with a white page and with a dark one."""
_TOP, _BOTTOM, _LEFT, _RIGHT = 24, 40, 46, 8


class Picture:
    """A picture with axes from 0: ``across`` to the right, to a round number of ``high`` or more upwards."""

    def __init__(
        self,
        title: str,
        high: float,
        *,
        y: str,
        x: str = "",
        across: float = 1.0,
        wide: bool = False,
        whole: bool = False,
    ) -> None:
        self._size = (960, 250) if wide else (340, 300)
        self._parts: list[Markup] = []
        self._names: list[Markup] = []
        self._title = title
        self._across = across
        step = _round_step(high, whole=whole)
        count = max(1, math.ceil(high / step - 1e-9))
        self._high = step * count
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        for number in range(count + 1):
            at = self._y(step * number)
            right = self._size[0] - _RIGHT
            self._add(Markup('<path class="{}" d="M{} {:.1f}H{}"/>'), "grid" if number else "axis", _LEFT, at, right)
            self._text(_LEFT - 6, at + 4, f"{step * number:,.{decimals}f}", "end")
        self._text(2, 12, y, "start")
        self._text((_LEFT + self._size[0]) / 2, self._size[1] - 4, x, "middle")

    def bar(
        self, left: float, width: float, low: float, height: float, colour: str, said: str, pale: float = 1.0
    ) -> None:
        """A bar upon ``low``; ``said`` is shown to who points at it, ``pale`` is its opacity."""
        box = (
            self._x(left),
            self._y(low + height),
            self._x(left + width) - self._x(left),
            self._y(low) - self._y(low + height),
        )
        place = Markup('x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"').format(*box)
        self._add(Markup('<rect {} fill="{}" opacity="{:.2f}"><title>{}</title></rect>'), place, colour, pale, said)

    def line(
        self, points: Sequence[tuple[float, float]], colour: str, width: float = 2, *, dashed: bool = False
    ) -> None:
        """A line through these points."""
        way = "L".join(f"{self._x(x):.1f} {self._y(y):.1f}" for x, y in points)
        dashes = Markup(' stroke-dasharray="5 4"') if dashed else ""
        self._add(Markup('<path d="M{}" fill="none" stroke="{}" stroke-width="{}"{}/>'), way, colour, width, dashes)

    def dot(self, x: float, y: float, colour: str, said: str, radius: float = 3) -> None:
        """A dot; ``said`` is shown to who points at it."""
        place = Markup('cx="{:.1f}" cy="{:.1f}" r="{}"').format(self._x(x), self._y(y), radius)
        self._add(Markup('<circle {} fill="{}"><title>{}</title></circle>'), place, colour, said)

    def tick(self, x: float, text: str) -> None:
        """A place on the lower axis, with up to two lines of words."""
        foot = self._y(0)
        self._add(Markup('<path class="axis" d="M{:.1f} {:.1f}v4"/>'), self._x(x), foot)
        for number, words in enumerate(text.split("\n")):
            self._text(self._x(x), foot + 17 + 14 * number, words, "middle")

    def name(self, name: str, colour: str = "transparent") -> None:
        """What a colour stands for, below the picture."""
        self._names.append(Markup('<span><i style="background: {}"></i>{}</span>').format(colour, name))

    def made(self) -> Markup:
        """The picture, to be put into a page."""
        head = Markup('<svg role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">')
        svg = head.format(self._title, *self._size, *self._size) + Markup("").join(self._parts) + Markup("</svg>")
        return (
            svg + Markup('<div class="legend">{}</div>').format(Markup(" ").join(self._names)) if self._names else svg
        )

    def _x(self, value: float) -> float:
        return _LEFT + value / self._across * (self._size[0] - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        return self._size[1] - _BOTTOM - value / self._high * (self._size[1] - _BOTTOM - _TOP)

    def _text(self, x: float, y: float, words: str, anchor: str) -> None:
        if words:
            self._add(Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'), x, y, anchor, words)

    def _add(self, form: Markup, *values: object) -> None:
        self._parts.append(form.format(*values))


def _round_step(high: float, *, whole: bool, most: int = 5) -> float:
    """1, 2 or 5, times a power of ten: at most ``most`` steps of it reach ``high``."""
    rough = high / most if high > 0 else 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * (1 - 1e-9))
    return max(1.0, step) if whole else step


def reliability(bins: Sequence[Bin]) -> Markup:
    """Confidence against the share that was right; on the dashed line a confidence means what it says."""
    picture = _square("Reliability diagram", "confidence", "share that was right")
    filled = [part for part in bins if part.count]
    most = max((part.count for part in filled), default=1)
    for part in filled:
        said = f"confidence {part.confidence:.2f}: {part.accuracy:.0%} of {part.count} right"
        width = (part.upper - part.lower) * 0.92
        picture.bar(part.lower, width, 0, part.accuracy, BLUE, said, 0.25 + 0.75 * part.count / most)
        picture.dot(part.confidence, part.accuracy, ORANGE, said)
    picture.line([(0, 0), (1, 1)], GREY, 1.5, dashed=True)
    return picture.made()


def abstention(curve: Sequence[CurvePoint]) -> Markup:
    """Precision when only the surest answers are given."""
    picture = _square("Precision at coverage", "share of the tickets that is answered", "precision")
    shown = _thinned(curve)
    picture.line([(point.coverage, point.precision) for point in shown], BLUE)
    picture.dot(shown[-1].coverage, shown[-1].precision, BLUE, f"{shown[-1].precision:.1%} of all")
    return picture.made()


def _square(title: str, x: str, y: str) -> Picture:
    picture = Picture(title, 1.0, x=x, y=y)
    for fifth in range(6):
        picture.tick(fifth / 5, f"{fifth / 5:.1f}")
    return picture


def _thinned(curve: Sequence[CurvePoint], most: int = 200) -> list[CurvePoint]:
    """Enough points for a picture; without the first few answers, whose wild swings mean nothing."""
    telling = [point for point in curve if point.rows >= min(10, curve[-1].rows)]
    step = max(1, len(telling) // most)
    return [*telling[:-1:step], telling[-1]]
