"""How long an imitated model takes to answer."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class LatencyProfile:
    """Log-normal latency by its median and 95th percentile, in seconds; repeatable by ``seed``."""

    p50: float
    p95: float
    seed: int = 0

    def __call__(self, key: int) -> float:
        """Seconds for one request; the same key gets the same latency, in any order of requests."""
        spread = math.log(self.p95 / self.p50) / 1.6448536269514722
        return self.p50 * math.exp(spread * random.Random(self.seed * 0x9E3779B1 ^ key).gauss(0.0, 1.0))
