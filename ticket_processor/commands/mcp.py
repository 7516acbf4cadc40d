"""``ticketbot mcp``: checks options and packages, and answers an assistant's questions about the log until it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ..core.clock import SystemClock
from ..core.errors import ConfigError, ExitCode, Stopping, how_to_install
from .options import ConfigOption
from .portal import POLL_S, say_line
from .screen import Screen

_PARTS = ("mcp", "duckdb", "fastapi", "uvicorn")
_TOKEN = "--http needs a token: set TICKETBOT_MCP_TOKEN to 32 characters or more that nobody can guess"  # noqa: S105


def mcp(
    clock: SystemClock,
    http: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="PORT", help="Serve HTTP on 127.0.0.1 there, with TICKETBOT_MCP_TOKEN."),
    ] = None,
    candidate: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Changed settings: the tool what_if says what they would decide."),
    ] = None,
    config: ConfigOption = None,
) -> tuple[int, int]:
    """Let an assistant ask the log questions, by the Model Context Protocol; it can change nothing.

    Without --http it speaks on standard input and output, and ends with them. Exit code 0: stopped by a signal, or the
    assistant has gone.
    """
    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise ConfigError(f"mcp needs {' and '.join(missing)}, not installed here: {how_to_install('mcp')}")
    from ..settings.load import load, load_candidate

    settings = load(config=config, need_helpdesk=False, need_any=True)
    changed = load_candidate(candidate, config=config) if candidate else None
    tokens = [token.get_secret_value() for token in settings.serve.mcp_tokens]
    if http is not None and not tokens:
        raise ConfigError(_TOKEN)
    from ..web.mcp_server import http_app, make_server, over_pipes
    from ..web.mcp_tools import LogReader

    logging.getLogger("mcp").setLevel(logging.CRITICAL)  # its messages may quote what was asked
    screen = Screen()
    screen.notices(settings.notices)
    with closing(LogReader(settings, changed, clock)) as reader:
        server = make_server(reader, say_line)
        if http is None:
            serving = threading.Thread(target=over_pipes, args=[server, say_line], name="mcp", daemon=True)
            serving.start()
            return _until_stopped(clock, serving.is_alive), 1  # a thread may still wait for standard input
        from ..web.server import Server, listening

        at = listening("127.0.0.1", http)
        port = at.getsockname()[1]
        web = Server(http_app(server, port, tokens), at, lifespan=True)
        web.start()
        screen.say(f"An assistant finds the tools at http://127.0.0.1:{port}/mcp ; Ctrl-C ends it.")
        code = _until_stopped(clock, lambda: web.is_alive)
        web.stop()
        return code, 1


def _until_stopped(clock: SystemClock, is_alive: Callable[[], bool]) -> ExitCode:
    with suppress(Stopping):
        while is_alive():
            clock.wait(POLL_S)
    return ExitCode.OK
