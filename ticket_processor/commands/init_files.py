"""Writes the files of ``ticketbot init``, and checks the servers that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

from ..analysis.model_server.chat import server_for
from ..analysis.model_server.presets import LISTED, targets
from ..analysis.rules.analyser import RulesAnalyser
from ..analysis.text.redact import redact
from ..core.clock import Deadline, SystemClock
from ..core.errors import AnalysisFailed, ConfigError
from ..core.models import HelpdeskKind
from ..core.private_files import opener
from ..monitoring.health.checks import Status
from ..monitoring.health.remote import ask_helpdesk
from ..settings.helpdesks import LocalSettings
from ..settings.schema import Settings
from ..settings.sources import VARIABLES
from ..wiring.local import local_store
from ..wiring.parts import model_analyser, transport_for

ENV_EXAMPLE = ".env.example"
CONFIG_TEXT = resources.files(__package__).joinpath("settings_template.toml").read_text(encoding="utf-8")


def config_text(helpdesk: HelpdeskKind) -> str:
    """``ticketbot.toml`` with this helpdesk's table and none of the others; it names one that is not Zendesk."""
    others = "|".join(sorted({"zendesk", "freshdesk", "local"} - {helpdesk}))
    text = re.sub(rf"^\[(?:{others})\].*\n(?:.+\n)+\n", "", CONFIG_TEXT, flags=re.MULTILINE)
    if helpdesk == "zendesk":
        return text
    return re.sub(r'^# helpdesk = "zendesk".*$', f'helpdesk = "{helpdesk}"', text, flags=re.MULTILINE)


def env_text(helpdesk: HelpdeskKind = "zendesk") -> str:
    """``.env.example``: every environment variable with its meaning, but for those of Zendesk where it is not that."""
    lines = ["# Copy to .env and fill in what you use. Keep .env out of version control.", ""]
    for name, variable in VARIABLES.items():
        if helpdesk != "zendesk" and name.startswith("ZENDESK_"):
            continue
        lines += [f"# {variable.meaning}{' (secret)' if variable.secret else ''}", f"# {name}=", ""]
    return "\n".join(lines)


Found = tuple[bool | None, str]
"""Whether a check is good (``None``: not set up yet), and a sentence about it."""


def write_files(folder: Path, helpdesk: HelpdeskKind, *, force: bool = False) -> Iterator[Found]:
    """Write ``ticketbot.toml`` and ``.env.example``; existing ones stay unless ``force``."""
    for name, text in (("ticketbot.toml", config_text(helpdesk)), (ENV_EXAMPLE, env_text(helpdesk))):
        path = folder / name
        if path.exists() and not force:
            yield True, f"{name} is there already and stays as it is (--force overwrites)"
            continue
        # A copy of the example keeps its mode and will hold secrets. A container's user has to read the other file.
        with open(path, "w", encoding="utf-8", newline="\n", opener=opener if name == ENV_EXAMPLE else None) as file:
            file.write(text)
        yield True, f"{name} written"


def check_helpdesk(settings: Settings) -> Found:
    """Whether the helpdesk answers with these credentials. It reads a ticket: other calls succeed unsigned.

    A local helpdesk is made where there is none.
    """
    account = settings.desk
    if isinstance(account, LocalSettings):
        with local_store(settings, make=True) as store:
            return True, f"local helpdesk in {store.path}"
    clock = SystemClock()
    with closing(transport_for(account, clock, Deadline(clock, 20), read_only=True)) as transport:
        check = ask_helpdesk(account, transport, clock, share=settings.run.limit_share).check
    return check.status is Status.OK, check.text


def check_models(settings: Settings) -> Iterator[Found]:
    """Whether each model answers one invented ticket. This spends a few hundred tokens."""
    if not settings.models.names:
        held_back = " and ".join(settings.policy.rules_only_suggest)
        only = f"; {held_back} are only suggested then (policy.rules_may_set)" if held_back else ""
        yield None, f"no model configured (TICKETBOT_MODELS): keyword rules will answer{only}"
    deadline = Deadline(SystemClock(), 60)
    rules = RulesAnalyser(settings.taxonomy, settings.entities)
    text = redact("Question about my invoice\nHello, I was charged twice this month. Please check.")
    try:
        models = targets(settings.models)
    except ConfigError as error:
        yield from ((False, problem) for problem in error.problems)
        return
    for target in models:
        try:
            with closing(server_for(target, deadline.remaining)) as server:
                analysis = model_analyser(server, target, settings, rules).analyse(text)
        except AnalysisFailed as error:
            yield False, f"model {target.name}: {error.in_words}"
        else:
            price = f"list price of {LISTED}" if target.listed else "your price" if target.price else "no price"
            yield True, f"model {target.name}: answers, and calls a double charge {analysis.category} ({price})"
