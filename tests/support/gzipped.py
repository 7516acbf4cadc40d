"""Days of the log as earlier versions packed them."""

from __future__ import annotations

import gzip
from pathlib import Path


def pack(path: Path) -> Path:
    """Gzip a file in its place."""
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    packed.chmod(0o600)
    path.unlink()
    return packed
