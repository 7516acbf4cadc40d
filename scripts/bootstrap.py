"""Set up the project's own virtual environment, once, with nothing but Python's standard library."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.pop("TICKETBOT_VENV", "") or ROOT / ".venv")  # the commands would call it no setting
OLDEST = (3, 11)
DESCRIBES = ("setup.cfg", "pyproject.toml", "constraints.txt")


def python(extras: str = "") -> Path:
    """The environment's interpreter, with ticketbot and ``extras`` installed; the second time this is instant.

    Ends the process with a sentence when the environment cannot be made.
    """
    if sys.version_info < OLDEST:
        sys.exit(f"ticketbot needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {sys.version.split()[0]}")
    wanted = _fingerprint()
    interpreter = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = FOLDER / f"ticketbot-{extras or 'base'}.stamp"
    if interpreter.exists() and _read(stamp) == wanted:
        return interpreter
    print(f"Setting up {FOLDER} (once; half a minute or so)", file=sys.stderr, flush=True)
    try:
        if not interpreter.exists() or not _same_python(interpreter):
            venv.create(FOLDER, with_pip=True, clear=FOLDER.exists())
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"no virtual environment could be made in {FOLDER} ({error}); on Debian: apt install python3-venv")
    target = f"{ROOT}[{extras}]" if extras else str(ROOT)
    command = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-compile"]  # Python compiles what is used, which is a third of what there is
    command += ["--constraint", ROOT / "constraints.txt", "--editable", target]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit("pip could not install ticketbot; its own words are above")
    stamp.write_text(wanted, encoding="utf-8")
    return interpreter


def run(command: Sequence[str | Path]) -> int:
    """Run in the project's folder; returns the exit code. Ctrl-C is the child's to answer."""
    process = subprocess.Popen([str(part) for part in command], cwd=ROOT)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _fingerprint() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for name in DESCRIBES:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _same_python(interpreter: Path) -> bool:
    answer = subprocess.run(
        [interpreter, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() == sys.version


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
