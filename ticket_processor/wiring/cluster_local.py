"""A cluster on this machine for one run: a scheduler and workers as processes, which end with it.

They let in who has the run's certificate, made for it alone, and are given what asking models needs and nothing else
of the run's environment.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from distributed.security import Security

from ..analysis.model_server.connection import CONNECTING
from ..analysis.model_server.settings import ModelSettings
from ..core.errors import CannotRun
from ..core.private_files import opener
from ..settings.sources import CONFIG_VARIABLE, VARIABLES, of_models

START_S = 30.0
THREADS = 16
_PROGRAM = (sys.executable, "-m", "ticket_processor")
_SYSTEM = {
    *("PATH", "PATHEXT", "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR"),
    *("COMSPEC", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "VIRTUAL_ENV"),
}
"""Variables that Python and the system need; and all that begin with one of :data:`_BEGINNINGS`."""
_BEGINNINGS = ("LC_", "PYTHON")


@contextmanager
def local_cluster(
    workers: int, models: ModelSettings, *, threads: int = THREADS, config: Path | None = None
) -> Iterator[tuple[str, Security]]:
    """The address of a scheduler with so many workers, and what a client needs to be let in.

    Raises :class:`CannotRun`.
    """
    with ExitStack() as stack:
        security = Security.temporary()
        # A folder of the system's for temporary files, which only this user may enter.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ticketbot-cluster-")))
        system = {**system_variables(os.environ), **_certificate(security, folder)}
        scheduler = stack.enter_context(_process(system, "scheduler", "--port", "0"))
        address = _first_line(scheduler).partition(" at ")[2].partition(" ")[0]
        if not address:
            raise CannotRun("the scheduler on this machine did not begin")
        settings = () if config is None else ("--config", str(config))
        environ = {**system, **model_variables(os.environ, models)}
        for _ in range(workers):
            stack.enter_context(
                _process(environ, "worker", "--scheduler", address, "--threads", str(threads), "--quiet", *settings)
            )
        yield address, security


def system_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """What Python and the system need of an environment."""
    return {
        name: text for name, text in environ.items() if name.upper() in _SYSTEM or name.upper().startswith(_BEGINNINGS)
    }


def model_variables(environ: Mapping[str, str], models: ModelSettings) -> dict[str, str]:
    """What asking these models needs of an environment besides: settings, keys, proxies and certificates."""
    wanted = {*of_models(VARIABLES), *CONNECTING, CONFIG_VARIABLE}
    wanted |= {use.api_key_variable for use in models.use.values() if use.api_key_variable}
    return {name: text for name, text in environ.items() if name in wanted or name.upper() in CONNECTING}


def _certificate(security: Security, folder: Path) -> dict[str, str]:
    """The variables by which a scheduler and a worker find their certificate, whose files are written here."""
    texts = security.get_tls_config_for_role("worker")
    variables = {"REQUIRE_ENCRYPTION": "True"}
    for name in ("CA_FILE", "CERT", "KEY"):
        path = folder / name.lower()
        with open(path, "w", encoding="ascii", opener=opener) as file:
            file.write(texts[name.lower()])
        for role in ("",) if name == "CA_FILE" else ("SCHEDULER__", "WORKER__"):
            variables[f"TLS__{role}{name}"] = str(path)
    return {f"DASK_DISTRIBUTED__COMM__{name}": text for name, text in variables.items()}


@contextmanager
def _process(environ: Mapping[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command of this program, which ends when its standard input does: also when this process is killed."""
    process = subprocess.Popen(  # noqa: S603 - this program
        [*_PROGRAM, *words, "--with-parent"],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if words[0] == "scheduler" else subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.kill()  # nothing of it is needed any more
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _first_line(process: subprocess.Popen[str]) -> str:
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        lines.put(process.stdout.readline() if process.stdout else "")

    threading.Thread(target=read, daemon=True).start()
    with suppress(queue.Empty):
        return lines.get(timeout=START_S)
    return ""
