from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from apprise.decorators import notify
from apprise.manager_plugins import NotificationManager
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from ticket_processor.core.clock import SystemClock
from ticket_processor.core.errors import how_to_install
from ticket_processor.core.text import linkless
from ticket_processor.monitoring.memory import Owed, Receiver
from ticket_processor.monitoring.messages import AlertMessage, message_of
from ticket_processor.monitoring.receivers import NO_TIME, receivers, send
from ticket_processor.monitoring.rules import Severity
from ticket_processor.settings.schema import AlertSettings

from ..support.recorded_runs import NOW

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # some of Apprise's plugins use it

CANARY = "CANARYcanary0123456789AB"
W, C = Severity.WARNING, Severity.CRITICAL
ALARM = Owed("chat", "errors_fast", "begun", "12 of 20 tickets failed", NOW)
OVER = Owed("chat", "errors_fast", "over", "12 of 20 tickets failed", NOW, NOW + 600)


def listed(urls: str = "", page_urls: str = "") -> list[Receiver]:
    return receivers(
        AlertSettings(urls=SecretStr(urls) if urls else None, page_urls=SecretStr(page_urls) if page_urls else None)
    )


def message(title: str = "hello") -> AlertMessage:
    return AlertMessage(title, "body", W, "key")


class Service:
    """A kind of service of the test's own, in Apprise: ``testing://NAME``."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.does: dict[str, Callable[[], bool]] = {}

    def take(self, host: str, title: str) -> bool:
        self.got.append((host, title))
        return self.does.get(host, lambda: True)()

    def titles(self, host: str) -> list[str]:
        return [title for name, title in self.got if name == host]


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()

    @notify(on="testing", name="testing")
    def _take(_body: str, title: str, _kind: str, *_: Any, meta: dict[str, Any], **__: Any) -> bool:
        return made.take(meta["host"], title)

    yield made
    NotificationManager().remove("testing")


Post = Callable[..., requests.Response]


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every request that a service's plugin makes: address, JSON body, options. Nothing leaves."""
    requests_made = []

    def post(url: str, data: str = "", **options: Any) -> requests.Response:
        requests_made.append((url, json.loads(data), options))
        answer = requests.Response()
        answer.status_code, answer._content = 200, b"ok"
        return answer

    monkeypatch.setattr(requests, "post", post)
    monkeypatch.setattr(requests, "request", lambda _method, url, **options: post(url, **options))
    return requests_made


# What is said


HOSTILE = (
    "<!channel> <@U123|x> <https://evil.example|here> &lt;b&gt; @here @everyone [x](http://evil.example) "
    "www.evil.example ![i](//evil.example/p.png)\r\n\u202eevil\u2028\x00"
)


@given(st.text())
@example(HOSTILE)
@example("<script>alert(1)</script>")
@example("a\nb")
def test_no_text_makes_a_link_a_mention_or_a_second_line(text: str) -> None:
    said = linkless(text)
    assert not set("<>&@\x00\u202e\u2028") & set(said)
    assert not [mark for mark in ("://", "](", "evil.example") if mark in said]
    assert len(said.splitlines()) <= 1


def test_slack_gets_no_mention_and_no_link_out_of_anything(posted: list[Any]) -> None:
    hostile = message_of(Owed("chat", "errors_fast", "begun", HOSTILE, NOW), "desk", "bot-3")
    slack = listed("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    assert [sent.why for sent in send([(slack[0], [hostile])], 5, SystemClock())] == [None]
    ((url, body, options),) = posted
    assert url.startswith("https://hooks.slack.com/services/")
    text = json.dumps(body, ensure_ascii=False)
    assert not set("<>@") & set(text)
    assert "://" not in text
    assert options["allow_redirects"] is False
    assert options["verify"] is True


# PagerDuty


def test_pagerduty_gets_one_key_for_a_condition_and_a_resolve_at_its_end(posted: list[Any]) -> None:
    pager = listed(page_urls="pagerduty://0123456789abcdef0123456789abcdef@ticketbot?region=eu")[0]
    messages = [message_of(news, "desk", "bot-3") for news in (ALARM, OVER)]
    assert [sent.why for sent in send([(pager, messages)], 5, SystemClock())] == [None, None]
    (url, begun, _), (_, over, _) = posted
    assert url == "https://events.eu.pagerduty.com/v2/enqueue"
    assert (begun["event_action"], begun["dedup_key"]) == ("trigger", "ticketbot/desk/errors_fast")
    assert begun["payload"]["severity"] == "critical"
    assert begun["payload"]["summary"] == "[critical] Many tickets fail (ticketbot, desk): 12 of 20 tickets failed."
    assert "links" not in begun, "a path is nothing to click on"
    assert (over["event_action"], over["dedup_key"]) == ("resolve", begun["dedup_key"])
    assert over["routing_key"] == begun["routing_key"] == "0123456789abcdef0123456789abcdef"


def test_teams_keeps_lines_apart(posted: list[Any]) -> None:
    teams = listed("workflows://prod-01.westeurope.logic.azure.com:443/643e69f83c8944/abcdefg-h")[0]
    assert [sent.why for sent in send([(teams, [message_of(ALARM, "desk", "bot-3")])], 5, SystemClock())] == [None]
    ((_, body, _),) = posted
    title, text = (block["text"] for block in body["attachments"][0]["content"]["body"])
    assert "Many tickets fail" in title
    assert text.count("\n\n") == text.count("\n") / 2 == 4


# Who is told


def test_the_urls_are_taken_apart_at_commas_between_them_only() -> None:
    urls = "slack://a/b/c/#x,#y , mailtos://u:p@example.com?to=a@x.io,b@x.io,jsons://h/p"
    assert [receiver.url for receiver in listed(urls)] == [
        "slack://a/b/c/#x,#y",
        "mailtos://u:p@example.com?to=a@x.io,b@x.io",
        "jsons://h/p",
    ]


def test_a_receiver_is_called_by_its_kind_and_place_and_shows_no_address() -> None:
    (receiver,) = listed(f"slack://{CANARY}/b/c")
    assert receiver.name == "slack (no. 1 of TICKETBOT_ALERT_URLS)"
    assert CANARY not in repr(receiver)
    assert CANARY not in repr(AlertSettings(urls=SecretStr(f"slack://{CANARY}")))


@pytest.mark.parametrize("urls", [f"{CANARY}", f"slack://a/b/c,\n{CANARY}"])
def test_what_is_no_url_is_a_problem_of_the_settings_and_is_not_quoted(urls: str) -> None:
    with pytest.raises(ValueError, match="is none that Apprise knows") as problem:
        listed(urls)
    assert CANARY not in str(problem.value)


# Sending


def test_the_first_that_fails_ends_a_receiver_s_turn_and_nobody_else_s(service: Service) -> None:
    service.does["one"] = lambda: False
    one, two = listed("testing://one,testing://two")
    sent = send([(one, [message("a"), message("b")]), (two, [message("c")])], 10, SystemClock())
    assert [each.why is None for each in sent] == [False, False, True]
    assert service.titles("one") == ["a"]


def test_a_plugin_that_breaks_is_a_failure_that_does_not_quote_it(service: Service) -> None:
    def broken() -> bool:
        raise RuntimeError(CANARY)

    service.does["one"] = broken
    (sent,) = send([(listed("testing://one")[0], [message()])], 10, SystemClock())
    assert sent.why
    assert CANARY not in sent.why


def test_a_receiver_that_hangs_keeps_nobody_waiting(service: Service) -> None:
    let_go = threading.Event()
    service.does["one"] = lambda: let_go.wait(20)
    one, two = listed("testing://one,testing://two")
    clock, before = SystemClock(), set(threading.enumerate())
    began = clock.monotonic()
    sent = send([(one, [message("a"), message("b")]), (two, [message("c")])], 1.5, clock)
    took = clock.monotonic() - began
    hanging = set(threading.enumerate()) - before
    let_go.set()
    for thread in hanging:
        thread.join(20)
    assert [each.why for each in sent] == [NO_TIME, NO_TIME, None]
    assert took < 10
    assert service.titles("one") == ["a"], "what was told as not sent is not sent later, beside the next attempt"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (500, "it answered HTTP 500"),
        (429, "it answered HTTP 429"),
        (404, "it answered HTTP 404: is its address still right?"),
        (None, "it could not be reached"),
    ],
)
@pytest.mark.parametrize("url", ["jsons://example.com/hook", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"])
def test_why_something_did_not_arrive_is_told_as_far_as_it_is_known(
    url: str, status: int | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> requests.Response:
        if status is None:
            raise requests.ConnectionError(url)
        answer = requests.Response()
        answer.status_code, answer._content = status, b"no"
        return answer

    monkeypatch.setattr(requests, "post", refused)
    monkeypatch.setattr(requests, "request", refused)
    (sent,) = send([(listed(url)[0], [message()])], 15, SystemClock())
    assert sent.why == why


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (sent,) = send([(listed("json://localhost")[0], [message()])], 10, SystemClock())
    assert sent.why is not None
    assert how_to_install("alerts") in sent.why


@pytest.mark.parametrize(
    "url",
    [
        f"slack://T1JJ3T3L2/A1BRTD4JD/{CANARY}",
        f"slack://{CANARY}",
        f"jsons://127.0.0.1:9/{CANARY}?:x={CANARY}",
        f"jsons://user:{CANARY}@127.0.0.1:9/",
        f"pagerduty://{CANARY}@{CANARY}?severity={CANARY}",
        f"mailtos://user:{CANARY}@127.0.0.1:9?to=x@example.com&smtp=127.0.0.1",
        f"https://hooks.slack.com/services/{CANARY}/{CANARY}/{CANARY}",
        f"nosuch://{CANARY}",
    ],
)
def test_no_log_and_no_stream_ever_holds_an_address(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> requests.Response:
        logging.getLogger("urllib3.connectionpool").warning("Retrying %s", url)
        raise requests.ConnectionError(url)

    monkeypatch.setattr(requests, "post", refused)
    monkeypatch.setattr(requests, "request", refused)
    caplog.set_level(logging.DEBUG)
    for name in ("apprise", "urllib3", "urllib3.connectionpool", "requests"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    (sent,) = send([(listed(url)[0], [message()])], 15, SystemClock())
    out, err = capfd.readouterr()
    assert sent.why
    assert CANARY not in sent.why + caplog.text + out + err
