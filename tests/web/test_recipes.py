"""The recipes for ``ticketbot serve`` name options that exist, and give it the time to end."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml

from ticket_processor.commands.command_group import STOP_WITHIN_S
from ticket_processor.commands.serving import END_S

from ..support.help_text import help_text

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNIT = (DEPLOY / "ticketbot-serve.service").read_text(encoding="utf-8")
SERVICE = yaml.safe_load((DEPLOY / "serve-compose.yaml").read_text(encoding="utf-8"))["services"]["ticketbot"]


def setting(name: str) -> str:
    (found,) = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return str(found)


def test_they_start_the_server_with_options_that_there_are() -> None:
    for words in (shlex.split(setting("ExecStart"))[1:], SERVICE["command"]):
        assert words[0] == "serve"
        shown = help_text("serve")
        assert [word for word in words if word.startswith("--") and word not in shown] == []


def test_it_has_the_time_to_end() -> None:
    assert END_S < STOP_WITHIN_S < int(setting("TimeoutStopSec"))
    assert END_S < STOP_WITHIN_S < int(SERVICE["stop_grace_period"].removesuffix("s"))


def test_nobody_but_this_machine_reaches_it_without_the_proxy() -> None:
    assert "--host" not in setting("ExecStart")
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])
