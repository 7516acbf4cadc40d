"""The fork server has everything loaded; in a fresh interpreter each module has to load what it needs itself."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import ticket_processor

from .fork_server import REPOSITORY


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_module_can_be_the_first_that_is_imported() -> None:
    for module in pkgutil.walk_packages(ticket_processor.__path__, f"{ticket_processor.__name__}."):
        if module.name.endswith("__main__") or ".views" in module.name or module.name.endswith("dashboard.app"):
            continue
        code = f"import {module.name}"
        done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, f"{code}: {done.stderr}"
