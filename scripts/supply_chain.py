"""What ticketbot is made of: known vulnerabilities of the pinned packages, and a bill of materials.

python scripts/supply_chain.py audit         # pip-audit over constraints.txt; what cannot be looked up is a failure
python scripts/supply_chain.py sbom          # sbom.cdx.json (CycloneDX) of ticketbot with the extra 'ops'

The tools get an environment of their own (.venv-tools), so that they are no part of what they describe. `audit` asks
PyPI about every package and needs the network.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import bootstrap

TOOLS = bootstrap.ROOT / ".venv-tools"
PACKAGES = ("pip-audit>=2.9", "cyclonedx-bom>=7")
SUBJECT = bootstrap.ROOT / ".venv-sbom"
EXTRAS = "ops"
BILL = bootstrap.ROOT / "sbom.cdx.json"


def audit() -> int:
    """Pip-audit's exit code; a package that was skipped is a failure, not a pass."""
    options = ["--strict", "--no-deps", "--disable-pip", "--requirement", str(bootstrap.ROOT / "constraints.txt")]
    return bootstrap.run([_tool("pip-audit"), *options])


def sbom() -> int:
    """Write the bill of what a user installs, in a fresh environment with nothing else in it."""
    python = _environment(SUBJECT)
    target = f"{bootstrap.ROOT}[{EXTRAS}]"
    try:
        _pip(python, "--constraint", str(bootstrap.ROOT / "constraints.txt"), target)
        command = [_tool("cyclonedx-py"), "environment", "--output-reproducible", "--of", "JSON", "-o", BILL, python]
        code = bootstrap.run(command)
    finally:
        shutil.rmtree(SUBJECT, ignore_errors=True)
    if code == 0:
        bill = json.loads(BILL.read_text(encoding="utf-8"))
        print(f"{BILL.name}: {bill['bomFormat']} {bill['specVersion']}, {len(bill['components'])} packages")
    return code


def _tool(name: str) -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    tool = TOOLS / folder / (f"{name}.exe" if os.name == "nt" else name)
    if not tool.exists():
        _pip(_environment(TOOLS), *PACKAGES)
    return tool


def _environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True, clear=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _pip(python: Path, *what: str) -> None:
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what], check=True)


if __name__ == "__main__":
    asked = {"audit": audit, "sbom": sbom}.get(sys.argv[1] if len(sys.argv) == 2 else "")
    sys.exit(asked() if asked else __doc__)
