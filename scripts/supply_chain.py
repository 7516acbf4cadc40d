"""What ticketbot is made of: known vulnerabilities of the pinned packages, and a bill of materials.

python scripts/supply_chain.py audit               # pip-audit over constraints.txt; not to be looked up is a failure
python scripts/supply_chain.py sbom                # sbom.cdx.json (CycloneDX): all that a user can install
python scripts/supply_chain.py sbom --extras ops   # one installation: ticketbot with these extras; '' for none

The tools get an environment of their own (.venv-tools), so that they are no part of what they describe. `audit` asks
PyPI about every package and needs the network; so does `sbom`, which installs what it describes.
"""

from __future__ import annotations

import argparse
import configparser
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import bootstrap

TOOLS = bootstrap.ROOT / ".venv-tools"
PACKAGES = ("pip-audit>=2.9", "cyclonedx-bom>=7")
SUBJECT = bootstrap.ROOT / ".venv-sbom"
NOT_FOR_USERS = {"dev"}
MADE = "tools.stamp"
BILL = bootstrap.ROOT / "sbom.cdx.json"


def audit() -> int:
    """Pip-audit's exit code; a package that was skipped is a failure, not a pass."""
    options = ["--strict", "--no-deps", "--disable-pip", "--requirement", str(bootstrap.ROOT / "constraints.txt")]
    return bootstrap.run([_tool("pip-audit"), *options])


def extras() -> list[str]:
    """The extras that are there for users."""
    described = configparser.ConfigParser(interpolation=None)
    described.read(bootstrap.ROOT / "setup.cfg", encoding="utf-8")
    return [name for name in described["options.extras_require"] if name not in NOT_FOR_USERS]


def sbom(chosen: Sequence[str]) -> int:
    """Write the bill of ticketbot with the ``chosen`` extras, installed in a fresh environment with nothing else."""
    tools, python = _tool("python"), _environment(SUBJECT, with_pip=False)
    target = f"{bootstrap.ROOT}[{','.join(chosen)}]" if chosen else str(bootstrap.ROOT)
    try:
        _pip(tools, "--constraint", str(bootstrap.ROOT / "constraints.txt"), target, into=python)
        command = [_tool("cyclonedx-py"), "environment", "--output-reproducible", "--of", "JSON", "-o", BILL, python]
        code = bootstrap.run(command)
    finally:
        shutil.rmtree(SUBJECT, ignore_errors=True)
    if code == 0:
        bill = json.loads(BILL.read_text(encoding="utf-8"))
        described = f"extras {', '.join(chosen)}" if chosen else "no extras"
        counted = f"{len(bill['components'])} packages"
        print(f"{BILL.name}: {bill['bomFormat']} {bill['specVersion']}, {counted} of ticketbot with {described}")
    return code


def _tool(name: str) -> Path:
    folder = "Scripts" if os.name == "nt" else "bin"
    tool = TOOLS / folder / (f"{name}.exe" if os.name == "nt" else name)
    if not (TOOLS / MADE).exists():
        _pip(_environment(TOOLS), *PACKAGES)
        (TOOLS / MADE).touch()
    return tool


def _environment(folder: Path, *, with_pip: bool = True) -> Path:
    venv.create(folder, with_pip=with_pip, clear=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _pip(python: Path, *what: str, into: Path | None = None) -> None:
    """Install with the pip of one environment, if need be into another, which then has none."""
    pip = [python, "-m", "pip", *(["--python", into] if into else [])]
    subprocess.run([*pip, "install", "--quiet", "--disable-pip-version-check", *what], check=True)


def main(words: Sequence[str] | None = None) -> int:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("audit")
    bill = commands.add_parser("sbom")
    bill.add_argument("--extras", default=",".join(extras()), help="with commas between; default: %(default)s")
    asked = parser.parse_args(words)
    if asked.command == "audit":
        return audit()
    chosen = [name for name in asked.extras.replace(" ", "").split(",") if name]
    if unknown := sorted(set(chosen).difference(extras())):
        parser.error(f"there is no extra {', '.join(unknown)}; there are {', '.join(extras())}")
    return sbom(chosen)


if __name__ == "__main__":
    sys.exit(main())
