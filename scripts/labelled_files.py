"""The labelled ticket sets of a folder that a measurement is to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path


def labelled_files(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Name and file of each set that is there; says which are not."""
    for name in names:
        path = folder / f"{name}.jsonl.gz"
        if path.is_file():
            yield name, path
        else:
            print(f"{name}: left out, there is no {path}")
