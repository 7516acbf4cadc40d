"""``ticketbot init``: writes the settings files, and prints what they reach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, get_args

import typer

from ..core.errors import ConfigError, ExitCode
from ..core.files import opener
from ..core.taxonomy import default_taxonomy
from ..helpdesk.protocol import HelpdeskKind
from .options import OfflineOption
from .screen import Screen

USUAL: HelpdeskKind = get_args(HelpdeskKind)[0]
_FILL_IN = "Next: copy .env.example to {}, fill it in, and say: {}"


def init(
    folder: Annotated[Path, typer.Argument(help="Folder for the files.")] = Path(),
    helpdesk: Annotated[HelpdeskKind, typer.Option(help="The helpdesk that the files are for.")] = USUAL,
    offline: OfflineOption = False,
) -> int:
    """Write ticketbot.toml and .env.example, and check helpdesk and models."""
    from ..settings.load import DEFAULT_FILE, load

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
    from ..monitoring.health_checks import Status
    from .doctor import check_helpdesk, check_models  # they load what asks servers

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


ENV_EXAMPLE = ".env.example"
CONFIG_TEXT = (
    resources.files(__package__)
    .joinpath("settings_template.toml")
    .read_text(encoding="utf-8")
    .replace("CATEGORIES", ", ".join(default_taxonomy().names))
)


def config_text(helpdesk: HelpdeskKind) -> str:
    """``ticketbot.toml`` with this helpdesk's table and none of the others; it names one that is not the usual one."""
    others = "|".join(one.replace("-", "_") for one in get_args(HelpdeskKind) if one != helpdesk)
    text = re.sub(rf"^\[(?:{others})\].*\n(?:.+\n)+\n", "", CONFIG_TEXT, flags=re.MULTILINE)
    if helpdesk == USUAL:
        return text
    return re.sub(rf'^# helpdesk = "{USUAL}".*$', f'helpdesk = "{helpdesk}"', text, flags=re.MULTILINE)


def env_text(helpdesk: HelpdeskKind = USUAL) -> str:
    """``.env.example``: every environment variable with its meaning; for another helpdesk without the usual one's."""
    from ..settings.sources import VARIABLES  # heavy

    lines = [
        "# Copy to .env and fill in what you use. Keep .env out of version control.",
        "# Lists take commas. Of several keys or secrets the first one writes, and older ones still count.",
        "",
    ]
    for name, variable in VARIABLES.items():
        if helpdesk != USUAL and name.startswith(f"{USUAL.upper()}_"):
            continue
        twice = variable in list(VARIABLES.values())[: list(VARIABLES).index(name)]
        meaning = "the same; one of the two is enough" if twice else variable.meaning
        lines += [f"# {meaning}{' (secret)' if variable.secret else ''}", f"# {name}=", ""]
    return "\n".join(lines)


def write_files(folder: Path, helpdesk: HelpdeskKind) -> Iterator[str]:
    """Write ``ticketbot.toml`` and ``.env.example``; existing ones stay. A sentence for each."""
    for name, text in (("ticketbot.toml", config_text(helpdesk)), (ENV_EXAMPLE, env_text(helpdesk))):
        path = folder / name
        if path.exists():
            yield f"{name} is there already and stays as it is"
            continue
        # A copy of the example keeps its mode and will hold secrets. A container's user has to read the other file.
        with open(path, "w", encoding="utf-8", newline="\n", opener=opener if name == ENV_EXAMPLE else None) as file:
            file.write(text)
        yield f"{name} written"
