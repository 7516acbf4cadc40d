"""Pictures for a page: SVG that scales with it, names nothing outside it and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from .scores import Bin, CurvePoint

BLUE, ORANGE, GREY = "#2b6cb0", "#c2590c", "#8a8f98"
"""A contrast of 3:1 and more with a white page and with a dark one."""
_SIZE = (340, 300)
_STEPS = 5
_TOP, _BOTTOM, _LEFT, _RIGHT = 24, 40, 46, 8


class Picture:
    """A picture of shares: both axes go from 0 to 1."""

    def __init__(self, title: str, *, x: str, y: str) -> None:
        self._parts: list[Markup] = []
        self._title = title
        for number in range(_STEPS + 1):
            share, right = number / _STEPS, _SIZE[0] - _RIGHT
            at = self._y(share)
            self._add(Markup('<path class="{}" d="M{} {:.1f}H{}"/>'), "grid" if number else "axis", _LEFT, at, right)
            self._text(_LEFT - 6, at + 4, f"{share:.1f}", "end")
            self._add(Markup('<path class="axis" d="M{:.1f} {:.1f}v4"/>'), self._x(share), self._y(0))
            self._text(self._x(share), self._y(0) + 17, f"{share:.1f}", "middle")
        self._text(2, 12, y, "start")
        self._text((_LEFT + _SIZE[0]) / 2, _SIZE[1] - 4, x, "middle")

    def bar(self, left: float, width: float, height: float, colour: str, said: str, opacity: float) -> None:
        """A bar upon the axis; ``said`` is shown to who points at it."""
        box = (
            self._x(left),
            self._y(height),
            self._x(left + width) - self._x(left),
            self._y(0) - self._y(height),
        )
        place = Markup('x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"').format(*box)
        self._add(Markup('<rect {} fill="{}" opacity="{:.2f}"><title>{}</title></rect>'), place, colour, opacity, said)

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

    def made(self) -> Markup:
        """The picture, to be put into a page."""
        head = Markup('<svg role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">')
        return head.format(self._title, *_SIZE, *_SIZE) + Markup("").join(self._parts) + Markup("</svg>")

    def _x(self, value: float) -> float:
        return _LEFT + value * (_SIZE[0] - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        return _SIZE[1] - _BOTTOM - value * (_SIZE[1] - _BOTTOM - _TOP)

    def _text(self, x: float, y: float, words: str, anchor: str) -> None:
        self._add(Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'), x, y, anchor, words)

    def _add(self, form: Markup, *values: object) -> None:
        self._parts.append(form.format(*values))


def reliability(bins: Sequence[Bin]) -> Markup:
    """Confidence against the share that was right; on the dashed line a confidence means what it says."""
    picture = Picture("Reliability diagram", x="confidence", y="share that was right")
    filled = [part for part in bins if part.count]
    most = max((part.count for part in filled), default=1)
    for part in filled:
        said = f"confidence {part.confidence:.2f}: {part.accuracy:.0%} of {part.count} right"
        width = (part.upper - part.lower) * 0.92
        picture.bar(part.lower, width, part.accuracy, BLUE, said, 0.25 + 0.75 * part.count / most)
        picture.dot(part.confidence, part.accuracy, ORANGE, said)
    picture.line([(0, 0), (1, 1)], GREY, 1.5, dashed=True)
    return picture.made()


def abstention(curve: Sequence[CurvePoint]) -> Markup:
    """Precision when only the surest answers are given."""
    picture = Picture("Precision at coverage", x="share of the tickets that is answered", y="precision")
    shown = _thinned(curve)
    picture.line([(point.coverage, point.precision) for point in shown], BLUE)
    picture.dot(shown[-1].coverage, shown[-1].precision, BLUE, f"{shown[-1].precision:.1%} of all")
    return picture.made()


def _thinned(curve: Sequence[CurvePoint], most: int = 200) -> list[CurvePoint]:
    """Enough points for a picture; without the first few answers, whose wild swings mean nothing."""
    telling = [point for point in curve if point.rows >= min(10, curve[-1].rows)]
    step = max(1, len(telling) // most)
    return [*telling[:-1:step], telling[-1]]
