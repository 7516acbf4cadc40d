"""How long things took, as counts in bands that grow by a tenth: small enough to keep for every run, and to add up."""

from __future__ import annotations

import math
from collections.abc import Mapping

_GROWTH = math.log(1.1)
"""The longest duration of a band is 1.1 times the shortest."""


class Latencies:
    """Counts durations in milliseconds. A quantile is at most a tenth too high, and never too low. For one thread."""

    def __init__(self, bands: Mapping[str, int] | None = None) -> None:
        self._bands: dict[int, int] = {int(band): count for band, count in (bands or {}).items()}

    def add(self, milliseconds: float) -> None:
        """Take one duration in."""
        band = math.ceil(math.log(milliseconds) / _GROWTH - 1e-9) if milliseconds > 1 else 0
        self._bands[band] = self._bands.get(band, 0) + 1

    def __add__(self, other: Latencies) -> Latencies:
        both = Latencies(self.bands)
        for band, count in other._bands.items():
            both._bands[band] = both._bands.get(band, 0) + count
        return both

    @property
    def bands(self) -> dict[str, int]:
        """The counts, to be kept and given back."""
        return {str(band): count for band, count in sorted(self._bands.items())}

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self._bands.values())

    def quantile(self, share: float) -> float | None:
        """Milliseconds that ``share`` of them did not take longer than; ``None`` without any."""
        wanted = share * self.count
        passed = 0
        for band, count in sorted(self._bands.items()):
            passed += count
            if passed >= wanted:
                return math.exp(band * _GROWTH)
        return None
