"""For the tests of the log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest import mock

import pytest


@pytest.fixture(scope="module")
def unsynced() -> Iterator[None]:
    """No power is cut here, so that nothing has to wait for the disk."""
    with mock.patch.object(os, "fsync", return_value=None):
        yield
