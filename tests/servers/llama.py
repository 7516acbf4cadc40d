"""llama.cpp's own server with a model of random weights, installed once into an environment of its own."""

from __future__ import annotations

import hashlib
import os
import queue
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import pytest

REPOSITORY = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("LLAMA_VENV") or REPOSITORY / ".venv-llama")
SCRIPT = Path(__file__).with_name("tiny_model.py")
REQUIREMENTS = Path(__file__).with_name("llama-requirements.txt")
INSTALL_S = 90.0
START_S = 20.0


def installed() -> Path:
    """The environment's interpreter, made once. Skips the test, saying why, where it cannot be."""
    interpreter = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = FOLDER / "llama.stamp"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    lock = FOLDER.with_name(FOLDER.name + ".lock")
    try:
        with filelock.FileLock(lock, timeout=INSTALL_S + 10):
            if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
                return interpreter
            venv.create(FOLDER, with_pip=True, clear=FOLDER.exists())
            # Few retries: without a network the answer should come soon.
            pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            pip += ["--only-binary", ":all:", "--retries", "1", "--timeout", "10", "--requirement", REQUIREMENTS]
            done = subprocess.run(pip, capture_output=True, text=True, timeout=INSTALL_S, check=False)
            if done.returncode:
                pytest.skip(f"llama.cpp's server cannot be installed here: {_last(done.stderr)}")
            stamp.write_text(wanted, encoding="utf-8")
    except (OSError, subprocess.SubprocessError, filelock.Timeout) as error:
        pytest.skip(f"llama.cpp's server cannot be installed here: {type(error).__name__}")
    return interpreter


def model(interpreter: Path) -> Path:
    """The model's file, written once for each version of the script."""
    version = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:12]
    path = FOLDER / f"tiny-{version}.gguf"
    with filelock.FileLock(FOLDER / "model.lock", timeout=START_S):
        if not path.exists():
            half = path.with_suffix(".half")
            subprocess.run([interpreter, SCRIPT, "write", half], check=True, timeout=START_S)
            half.replace(path)
    return path


class Llama:
    """A running server. ``url`` is its address, with ``/v1``."""

    def __init__(self, *options: str) -> None:
        interpreter = installed()
        self._process = subprocess.Popen(
            [interpreter, SCRIPT, "serve", model(interpreter), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        lines: queue.Queue[str] = queue.Queue()
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_address, args=(lines,), daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        try:
            address = lines.get(timeout=START_S).strip()
        except queue.Empty:
            address = ""
        if not address.startswith("http"):
            self.kill()
            pytest.skip(f"llama.cpp's server does not start here: {_last(''.join(self._errors))}")
        self.url = f"{address}/v1"

    def kill(self) -> None:
        """End it at once. Idempotent."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _read_address(self, lines: queue.Queue[str]) -> None:
        assert self._process.stdout is not None
        lines.put(self._process.stdout.readline())
        self._process.stdout.read()

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)


@contextmanager
def llama(*options: str) -> Iterator[Llama]:
    """A server for as long as the block lasts."""
    server = Llama(*options)
    try:
        yield server
    finally:
        server.kill()


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it says nothing"
