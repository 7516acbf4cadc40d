"""A report by mail: to whom it goes, and that it goes there alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from ticket_processor.commands.report import mail_receivers, send
from ticket_processor.core.errors import ConfigError
from ticket_processor.settings.schema import AlertSettings

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # some of Apprise's plugins use it

SENDGRID = "sendgrid://CANARYcanary0123456789:bot@example.com/team@example.com"
Posted = list[tuple[str, dict[str, Any], dict[str, Any]]]


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> Posted:
    """Every request that a service's plugin makes: address, JSON body, options. Nothing leaves."""
    made: Posted = []

    def post(url: str, data: str = "", **options: Any) -> requests.Response:
        made.append((url, json.loads(data), options))
        answer = requests.Response()
        answer.status_code, answer._content = 202, b"{}"
        return answer

    monkeypatch.setattr(requests, "post", post)
    monkeypatch.setattr(requests, "request", lambda _method, url, **options: post(url, **options))
    return made


def mail(urls: str) -> list[tuple[str, str]]:
    everybody = mail_receivers(AlertSettings(urls=SecretStr(urls)))
    missed = send(everybody, "Triage report", "<p>12 tickets</p>", "<h1>Page</h1>", "report.html")
    return [(receiver.name, why) for receiver, why in missed]


def test_a_report_goes_to_the_address_of_the_settings_and_is_redirected_nowhere(posted: Posted) -> None:
    assert mail(SENDGRID) == []
    ((url, body, options),) = posted
    assert url == "https://api.sendgrid.com/v3/mail/send"
    assert options["allow_redirects"] is False
    assert options["verify"] is True
    assert body["subject"] == "Triage report"
    assert [item["filename"] for item in body["attachments"]] == ["report.html"]
    told = json.dumps(body)
    assert "12 tickets" in told
    assert "Apprise" not in told
    assert "://" not in told


def test_whoever_is_only_to_be_woken_gets_no_report() -> None:
    page_urls = SecretStr(SENDGRID)
    with pytest.raises(ConfigError, match="no mail receiver is set"):
        mail_receivers(AlertSettings(page_urls=page_urls))
    mailed = mail_receivers(AlertSettings(urls=SecretStr("mailtos://user:pass@example.com"), page_urls=page_urls))
    assert [receiver.kind for receiver in mailed] == ["mailtos"]
