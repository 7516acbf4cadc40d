"""Each need has one acceptance test, which names it: its docstring begins with ``Need`` and the number."""

from __future__ import annotations

import ast
import re
from pathlib import Path

NEEDS = [*range(1, 49)]


def test_each_need_is_named_by_one_test() -> None:
    found = []
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if path.name == Path(__file__).name:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                named = re.match(r"Need (\d+): ", ast.get_docstring(node) or "")
                assert named, f"{path.name}: the docstring of {node.name} names no need"
                found.append(int(named[1]))
    assert sorted(found) == NEEDS
