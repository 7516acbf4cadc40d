"""Which helpdesk the settings choose, and what they refuse of Freshdesk."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from ticket_processor.commands.init import config_text
from ticket_processor.core.clock import Deadline
from ticket_processor.freshdesk import Freshdesk
from ticket_processor.helpdesk.protocol import HelpdeskKind
from ticket_processor.settings.schema import Settings
from ticket_processor.settings.sources import OF_HELPDESKS, OURS
from ticket_processor.wiring.desks import desk_for
from ticket_processor.wiring.parts import delivery, transport_for
from ticket_processor.wiring.vendors import VENDORS
from ticket_processor.zendesk import Zendesk

from ..support.fakes import ManualClock, ScriptedAdapter, answer
from .test_load import CANARY, GOOD, problems, settings

FRESH = {"FRESHDESK_DOMAIN": "acme", "FRESHDESK_API_KEY": "k3y"}


@pytest.mark.parametrize(
    ("environ", "toml", "base_url"),
    [
        (GOOD, "", "https://acme.zendesk.com"),
        (FRESH, "", "https://acme.freshdesk.com"),
        (FRESH | {"FRESHDESK_DOMAIN": "ACME.freshdesk.com"}, "", "https://acme.freshdesk.com"),
        ({"FRESHDESK_API_KEY": "k3y"}, '[freshdesk]\nurl = "acme"\n', "https://acme.freshdesk.com"),
        (FRESH, '[freshdesk]\nurl = "https://other.freshdesk.com"\n', "https://acme.freshdesk.com"),
        (GOOD | FRESH, 'helpdesk = "freshdesk"\n', "https://acme.freshdesk.com"),
        (GOOD | FRESH | {"TICKETBOT_HELPDESK": "zendesk"}, 'helpdesk = "freshdesk"\n', "https://acme.zendesk.com"),
        (GOOD | {"FRESHDESK_API_KEY": "k3y"}, "", "https://acme.zendesk.com"),
    ],
)
def test_the_helpdesk_is_the_configured_one_or_of_both_the_chosen_one(
    tmp_path: Path, environ: dict[str, str], toml: str, base_url: str
) -> None:
    found = settings(tmp_path, toml, environ=environ)
    host = base_url.removeprefix("https://")
    assert (found.desk.base_url, found.account, found.state_folder.name) == (base_url, host, host)
    assert found.desk.vendor.lower() in base_url
    way = "/a/tickets/7" if found.helpdesk == "freshdesk" else "/agent/tickets/7"
    assert found.ticket_url(7) == base_url + way


TRACKER = {
    "TICKETBOT_HELPDESK": "request-tracker",
    "RT_URL": "https://rt.example.com/REST/2.0/",
    "RT_USER": "ticketbot",
    "RT_PASSWORD": "s3cret",
}


def test_request_trackers_address_and_user_are_known(tmp_path: Path) -> None:
    found = settings(tmp_path, environ=TRACKER)
    assert found.desk.base_url == "https://rt.example.com"
    assert found.ticket_url(7) == "https://rt.example.com/Ticket/Display.html?id=7"
    by_token = {**TRACKER, "RT_USER": "", "RT_PASSWORD": "", "RT_TOKEN": "1-39-0123456789abcdef"}
    assert settings(tmp_path, environ=by_token).request_tracker.signs_in_as == "39"


def test_what_request_tracker_does_not_do_is_refused_in_the_settings(tmp_path: Path) -> None:
    toml = (
        '[run]\nwrite_mode = "batch"\n[replies.categories]\nbilling = "public"\n'
        "[replies.public.thresholds]\nbilling = 0.9\n[policy.escalation]\nsla_minutes = 60\n"
    )
    found = problems(tmp_path, toml, environ=TRACKER)
    assert "policy.escalation.sla_minutes: Request Tracker tells no service times" in found
    assert "run.write_mode: Request Tracker takes one update at a time" in found
    assert "replies.categories: on Request Tracker nothing guards an update" in found


def test_two_helpdesks_need_a_choice(tmp_path: Path) -> None:
    assert problems(tmp_path, environ=GOOD | FRESH).startswith("Zendesk and Freshdesk are both configured: say which")


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"FRESHDESK_DOMAIN": "acme"}, "FRESHDESK_API_KEY"),
        ({"FRESHDESK_API_KEY": "k3y"}, "FRESHDESK_DOMAIN or FRESHDESK_URL"),
        ({**GOOD, "TICKETBOT_HELPDESK": "freshdesk"}, "FRESHDESK_API_KEY"),
        ({**FRESH, "TICKETBOT_HELPDESK": "zendesk"}, "ZENDESK_OAUTH_CLIENT_ID"),
        ({**TRACKER, "RT_URL": ""}, "RT_URL is missing"),
        ({**TRACKER, "RT_PASSWORD": ""}, "set RT_USER and RT_PASSWORD, or RT_TOKEN"),
        ({**TRACKER, "RT_TOKEN": "s3cret"}, "RT_TOKEN: is no token of RT 5"),
        ({**TRACKER, "RT_URL": "http://rt.example.com"}, "RT_URL: must begin with https://"),
    ],
)
def test_a_choice_needs_its_account_and_credentials(tmp_path: Path, environ: dict[str, str], missing: str) -> None:
    assert missing in problems(tmp_path, environ=environ)


@pytest.mark.parametrize(
    ("environ", "told"),
    [({}, True), ({"TICKETBOT_HELPDESK": "zendesk"}, False), ({"ZENDESK_OAUTH_TOKEN": "t0ken"}, False)],
)
def test_whoever_has_chosen_no_helpdesk_is_told_what_either_needs(
    tmp_path: Path, environ: dict[str, str], told: bool
) -> None:
    found = problems(tmp_path, environ=environ)
    assert "ZENDESK_SUBDOMAIN or ZENDESK_URL is missing" in found
    assert ("FRESHDESK_DOMAIN" in found) is told


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FRESHDESK_DOMAIN", "support.acme.com", "NAME.freshdesk.com only, not at a domain of your own"),
        ("FRESHDESK_DOMAIN", "ac me", "must be letters, digits and hyphens: what stands before .freshdesk.com"),
        ("FRESHDESK_URL", "https://support.acme.com", "NAME.freshdesk.com only, not at a domain of your own"),
        ("FRESHDESK_URL", "https://freshdesk.com.example.com", "NAME.freshdesk.com only"),
        ("FRESHDESK_URL", "https://example.com\\.freshdesk.com", "must be a whole base URL"),
        ("FRESHDESK_URL", "https://acme.freshdesk.com/a/tickets/7", "must end with .freshdesk.com"),
        ("FRESHDESK_URL", "http://acme.freshdesk.com", "must begin with https://"),
        ("FRESHDESK_URL", "//acme.freshdesk.com", "must be a whole base URL such as https://example.freshdesk.com"),
        ("FRESHDESK_API_KEY", f"bot@{CANARY}.example", "looks like an e-mail address"),
        ("FRESHDESK_API_KEY", f"{CANARY}\N{LATIN SMALL LETTER SHARP S}", "holds characters that belong into no"),
        ("FRESHDESK_APIKEY", CANARY, "did you mean FRESHDESK_API_KEY?"),
    ],
)
def test_what_cannot_be_freshdesks_is_refused_by_name_and_never_quoted(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    others = FRESH if name.startswith("FRESHDESK_API") else {"FRESHDESK_API_KEY": "k3y"}
    if name == "FRESHDESK_APIKEY":
        others = {"FRESHDESK_DOMAIN": "acme"}
    found = problems(tmp_path, environ={**others, name: value})
    assert name in found
    assert said in found
    assert CANARY not in found
    assert "helpdesk: " not in found  # nobody has set it


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://acme.freshdesk.com"])
def test_freshdesks_address_may_be_given_whole_or_be_this_machine(tmp_path: Path, url: str) -> None:
    found = settings(tmp_path, environ={"FRESHDESK_URL": url + "/api/v2/", "FRESHDESK_API_KEY": "k3y"})
    assert found.desk.base_url == url


def test_everything_wrong_with_freshdesk_is_told_at_once(tmp_path: Path) -> None:
    toml = '[run]\nwrite_mode = "batch"\n'
    found = problems(tmp_path, toml, environ={"FRESHDESK_DOMAIN": "acme"})
    assert "FRESHDESK_API_KEY" in found
    assert "run.write_mode: Freshdesk takes one update at a time" in found


def test_the_key_stands_in_no_file(tmp_path: Path) -> None:
    found = problems(tmp_path, f'[freshdesk]\napi_key = "{CANARY}"\n', environ={"FRESHDESK_DOMAIN": "acme"})
    assert "freshdesk.api_key in ticketbot.toml is a secret: put it into FRESHDESK_API_KEY or .env" in found
    assert CANARY not in found


def test_a_tag_that_freshdesk_would_refuse_is_told_before_anything_runs(tmp_path: Path) -> None:
    name, tag = "a_category_whose_name_is_rather_long", "a_tag_of_a_categorys_own_that_is_long"
    toml = f'[[categories]]\nname = "{name}"\ntag = "{tag}"\n[[categories]]\nname = "general"\n'
    toml = toml.replace("\n[[", '\ndescription = "x"\n[[') + 'description = "y"\n'
    found = problems(tmp_path, toml, environ=FRESH)
    assert f"the tag ai_{name}: Freshdesk's tags have 32 characters at most" in found
    assert f"the tag {tag}: " in found
    assert settings(tmp_path, toml).taxonomy.top == (name, "general")


@pytest.mark.parametrize(
    ("environ", "client", "signed", "mode"),
    [(GOOD, Zendesk, "Bearer ", "auto"), (FRESH, Freshdesk, "Basic ", "single")],
)
def test_each_helpdesk_gets_its_own_client_signed_in_its_own_way_and_updates_as_it_takes_them(
    tmp_path: Path, environ: dict[str, str], client: type, signed: str, mode: str
) -> None:
    found, clock, adapter = settings(tmp_path, environ=environ), ManualClock(), ScriptedAdapter(answer(200, {}))
    transport = transport_for(found.desk, clock, Deadline(clock, 60), adapter=lambda: adapter)
    assert type(desk_for(found, transport)) is client
    assert (transport.name, transport.base_url) == (client.__name__, found.desk.base_url)
    transport.request("GET", "/api/v2/tickets")
    assert adapter.sent[0].headers["Authorization"].startswith(signed)
    assert delivery(found).mode == mode


@pytest.mark.parametrize(
    ("url", "address"), [("", ""), ("https://help.example.com/", "https://help.example.com/admin/tickets/3")]
)
def test_tickets_of_the_local_helpdesk_have_an_address_where_the_portal_has_one(
    tmp_path: Path, url: str, address: str
) -> None:
    toml = f'helpdesk = "local"\n[portal]\nurl = "{url}"\n' if url else 'helpdesk = "local"\n'
    assert settings(tmp_path, toml, environ={}).ticket_url(3) == address


@pytest.mark.parametrize("helpdesk", get_args(HelpdeskKind))
def test_each_helpdesk_has_its_account_its_row_and_its_part_of_the_settings_file(helpdesk: HelpdeskKind) -> None:
    account = Settings(helpdesk=helpdesk).desk
    assert account.vendor in VENDORS
    assert f"[{helpdesk.replace('-', '_')}]" in config_text(helpdesk)
    assert all(name.startswith(OURS) for name in account.variables)
    assert helpdesk == "local" or all(name.startswith(OF_HELPDESKS) for name in account.variables)
