"""The fork server has everything loaded; elsewhere each module has to load what it needs of the package itself."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import ticket_processor

from .fork_server import REPOSITORY

IMPORT_EACH_ANEW = """
import importlib, sys
for name in sys.argv[1:]:
    for known in [known for known in sys.modules if known.split(".")[0] == "ticket_processor"]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except ImportError as error:
        sys.exit(f"{name} cannot be imported first: {error}")
"""


@pytest.mark.slow
def test_each_module_can_be_the_first_that_is_imported() -> None:
    names = [
        module.name
        for module in pkgutil.walk_packages(ticket_processor.__path__, f"{ticket_processor.__name__}.")
        if not (module.name.endswith("__main__") or ".views" in module.name or module.name.endswith("dashboard.app"))
    ]
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH_ANEW, *names], cwd=REPOSITORY, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-2000:]
