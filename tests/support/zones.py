"""Tests on a machine that stands elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

needs_zones = pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be changed here")
ELSEWHERE = ("Asia/Tokyo", "America/Los_Angeles")


@contextmanager
def standing_in(zone: str) -> Iterator[None]:
    """The machine's local time is another one, as long as the context lasts."""
    try:
        with patch.dict(os.environ, {"TZ": zone}):
            time.tzset()
            yield
    finally:
        time.tzset()
