from __future__ import annotations

import re
import shlex
from inspect import signature
from pathlib import Path

import yaml

from ticket_processor.commands.command_group import STOP_WITHIN_S
from ticket_processor.commands.portal import END_S, portal
from ticket_processor.web.portal.parts import MOST_BODY_BYTES

from ..support.help_text import help_text

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNITS = {name: (DEPLOY / f"ticketbot-{name}.service").read_text(encoding="utf-8") for name in ("serve", "portal")}
SERVICE = yaml.safe_load((DEPLOY / "serve-compose.yaml").read_text(encoding="utf-8"))["services"]["ticketbot"]


def setting(unit: str, name: str) -> str:
    (found,) = re.findall(rf"^{name}=(.*)$", UNITS[unit], re.MULTILINE)
    return str(found)


def test_they_start_the_server_with_options_that_there_are() -> None:
    started = [(name, shlex.split(setting(name, "ExecStart"))[1:]) for name in UNITS]
    for name, words in (*started, ("serve", SERVICE["command"])):
        assert words[0] == name
        shown = help_text(name)
        assert [word for word in words if word.startswith("--") and word not in shown] == []


def test_it_has_the_time_to_end() -> None:
    for name in UNITS:
        assert END_S < STOP_WITHIN_S < int(setting(name, "TimeoutStopSec"))
    assert END_S < STOP_WITHIN_S < int(SERVICE["stop_grace_period"].removesuffix("s"))


def test_nobody_but_this_machine_reaches_it_without_the_proxy() -> None:
    for name in UNITS:
        assert "--host" not in setting(name, "ExecStart")
    assert all(port.startswith("127.0.0.1:") for port in SERVICE["ports"])


def test_the_portals_proxy_leads_to_its_port_and_lets_as_much_through_as_the_form_takes() -> None:
    unit = UNITS["portal"]
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", unit)) == {str(signature(portal).parameters["port"].default)}
    sizes = [int(found) * 10**6 for found in re.findall(r"(?:max_size|client_max_body_size) (\d+)", unit)]
    assert len(sizes) == 2
    assert min(sizes) >= MOST_BODY_BYTES


def test_the_portals_service_keeps_its_tickets_where_it_may_write() -> None:
    kept = re.findall(r"^Environment=.*$", UNITS["portal"], re.MULTILINE)
    places = re.findall(r"TICKETBOT_\w+=(/\S+)", " ".join(kept))
    assert len(places) == 3
    assert all(place.startswith(f"/var/lib/{setting('portal', 'StateDirectory')}/") for place in places)
