"""The portal's own files: what is vendored is what was published, and every answer carries the safe headers."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from ticket_processor.web.portal import parts

STATIC = Path(parts.__file__).parent / "static"


def test_the_vendored_script_is_the_one_that_was_published() -> None:
    noted = re.findall(r"sha256: ([0-9a-f]{64})", (STATIC / "vendored.txt").read_text(encoding="utf-8"))
    assert [hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest()] == noted
