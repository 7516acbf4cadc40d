"""For all tests: how long an example takes is no reason to fail, and what one does to ``requests`` ends with it."""

from __future__ import annotations

import pytest
import requests
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _sessions_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.sessions, "HTTPAdapter", requests.sessions.HTTPAdapter)
