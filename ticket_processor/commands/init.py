"""``ticketbot init``: writes the settings files, and prints what they reach."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import ConfigError, ExitCode
from ..core.models import HelpdeskKind
from .screen import Screen

_FILL_IN = "Next: copy .env.example to {}, fill it in, and say: {}"


def init(
    folder: Annotated[Path, typer.Argument(help="Folder for the files.")] = Path(),
    helpdesk: Annotated[HelpdeskKind, typer.Option(help="The helpdesk that the files are for.")] = "zendesk",
    offline: Annotated[bool, typer.Option("--offline", help="Write the files; contact no server.")] = False,
) -> int:
    """Write ticketbot.toml and .env.example, and check helpdesk and models."""
    from ..settings.load import DEFAULT_FILE, load
    from .init_files import write_files

    screen = Screen()
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder")
    for found in write_files(folder, helpdesk):
        screen.found(True, found)
    named = "" if folder == Path() else f"--config {folder / DEFAULT_FILE} "
    look = f"ticketbot run {named}--dry-run --since 1d"
    if offline:
        screen.say(_FILL_IN.format(folder / ".env", look))
        return ExitCode.OK
    from ..monitoring.health.checks import Status
    from .examinations import check_helpdesk, check_models  # they load what asks servers

    code = ExitCode.OK
    settings = load(folder=folder, need_helpdesk=False)
    complete = False
    try:
        settings = load(folder=folder)
        complete = True
    except ConfigError as error:
        for problem in error.problems:
            screen.found(None, problem)
    else:
        check = check_helpdesk(settings)
        screen.found(check.status is Status.OK, check.text)
        code = ExitCode.OK if check.status is Status.OK else ExitCode.CANNOT_RUN
    for check in check_models(settings):
        screen.found(None if check.status is Status.SKIPPED else check.status is Status.OK, check.text)
        code = ExitCode.CANNOT_RUN if check.status is Status.FAIL else code
    if not complete:
        screen.say(_FILL_IN.format(folder / ".env", look))
    elif code is ExitCode.OK:
        if settings.desk.can.rules:
            screen.found(
                None, f"ticketbot doctor {named}names what else is wrong, such as rules that a run would set off"
            )
        screen.say(f"Next: {look} (shows what a run would do, and writes nothing)")
    else:
        screen.say("Next: put right what failed, and say: ticketbot init")
    return code
