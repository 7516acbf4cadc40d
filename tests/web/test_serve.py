from __future__ import annotations

import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from ticket_processor.web.worker import DeliveryQueue

from ..cli.conftest import Desk, OpenDesk, is_update, wait_for
from ..imitation.latency import LatencyProfile
from .conftest import OLD_SECRET, SECRET, TOKEN, Serve, until


def settled(desk: Desk) -> Desk:
    """The desk, where the first run was a while ago: it begins now, so that it has touched nothing."""
    desk("run", "--since", "2020-01-01", "--limit", "1")
    desk.seen.clear()
    return desk


def queued(desk: Desk) -> list[int]:
    with closing(DeliveryQueue(desk.state, "zendesk")) as queue:
        return [item.ticket_id for item in queue.due(time.time() + 60)]


def test_a_delivery_is_answered_at_once_and_its_ticket_is_triaged(open_desk: OpenDesk, serve: Serve) -> None:
    desk = settled(open_desk(4))
    serving = serve(desk)
    answer = serving.deliver(3)
    assert (answer.status_code, answer.json()) == (202, {"status": "queued", "ticket_id": 3})
    until(lambda: 3 in desk.marked())
    until(lambda: serving.get("/health")["queue"]["tickets"] == 0)
    assert desk.marked() == [1, 3]
    assert serving.stop() == 0
    assert any("webhook 01HINVOCATION: ticket 3 queued" in line for line in serving.lines)
    (line,) = (line for line in serving.lines if "ticket 3: " in line)
    assert "ticket 3: updated (by keyword rules (no model configured), confidence" in line
    assert desk.ticket(3)["subject"] in line
    assert [line["kind"] for line in desk.events("run_started")] == ["run", "webhook"]


def test_deliveries_for_one_ticket_are_one_job_and_one_note(open_desk: OpenDesk, serve: Serve) -> None:
    desk = settled(open_desk(4))
    (desk.folder / "ticketbot.toml").write_text('[policy]\nnote = "always"\n', encoding="utf-8")
    serving = serve(desk)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: serving.deliver(n, at=time.time() - n), [2, 3, 4] * 5))
    # The same second and body is the same signature.
    assert {answer.status_code for answer in answers} <= {200, 202}
    until(lambda: desk.marked() == [1, 2, 3, 4])
    until(lambda: serving.get("/health")["queue"]["tickets"] == 0)
    assert [len(desk.notes(number)) for number in (2, 3, 4)] == [1, 1, 1]
    assert serving.stop() == 0


def test_forged_late_and_endless_requests_reach_nothing(open_desk: OpenDesk, serve: Serve) -> None:
    desk = settled(open_desk(2))
    serving = serve(desk)
    assert serving.deliver(2, secret="another").status_code == 401
    assert serving.deliver(2, secret=OLD_SECRET).status_code == 202
    late = serving.deliver(2, at=time.time() - 600)
    assert (late.status_code, "s old, and 300" in late.json()["error"]) == (401, True)
    assert requests.post(f"{serving.url}/webhooks/zendesk", timeout=10).status_code == 401
    endless = requests.post(f"{serving.url}/webhooks/zendesk", data=iter([b"x" * 65_536] * 5), timeout=10)
    assert (endless.status_code, serving.post(b"x" * 300_000).status_code) == (413, 413)
    assert serving.stop() == 0
    assert SECRET not in "".join(serving.lines)
    assert any("refused 127.0.0.1: the signature is wrong" in line for line in serving.lines)


@pytest.mark.parametrize(("proxies", "named"), [("[]", "127.0.0.1"), ('["127.0.0.1"]', "203.0.113.9")])
def test_a_proxy_is_believed_only_when_it_is_named(open_desk: OpenDesk, serve: Serve, proxies: str, named: str) -> None:
    desk = open_desk(1)
    (desk.folder / "ticketbot.toml").write_text(f"[serve]\nproxies = {proxies}\n", encoding="utf-8")
    serving = serve(desk)
    requests.post(f"{serving.url}/webhooks/zendesk", headers={"X-Forwarded-For": "203.0.113.9"}, timeout=10)
    assert serving.stop() == 0
    until(lambda: any(f"refused {named}:" in line for line in serving.lines), within=5)


def test_an_endpoint_without_its_secret_is_not_there(open_desk: OpenDesk, serve: Serve) -> None:
    serving = serve(settled(open_desk(1)))
    for path in ("/webhooks/freshdesk", "/process-ticket", "/docs"):
        assert requests.post(f"{serving.url}{path}", timeout=10).status_code == 404
    assert requests.get(f"{serving.url}/metrics", timeout=10).status_code == 404
    assert set(serving.get("/openapi.json")["paths"]) == {"/webhooks/zendesk", "/health"}
    told = serving.get("/health")
    assert set(told) == {"status", "version", "checks", "queue"}
    assert {"worker", "queue", "last_run", "state"} <= set(told["checks"])
    assert serving.stop(signal.SIGINT) == 0


def test_without_any_secret_or_with_a_public_one_it_does_not_start(open_desk: OpenDesk) -> None:
    pytest.importorskip("fastapi")
    desk = open_desk(1)
    assert "set a secret first" in desk("serve", code=2).err
    public = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    assert "all know" in desk("serve", code=2, ZENDESK_WEBHOOK_SECRET=public).err
    assert "16 characters" in desk("serve", code=2, TICKETBOT_API_TOKEN="short").err


def test_load_balancers_and_prometheus_are_told_how_it_is(open_desk: OpenDesk, serve: Serve) -> None:
    desk = settled(open_desk(1))
    for stopped, status, up in ((False, 200, 1.0), (True, 503, 0.0)):
        environ = {"TICKETBOT_STOP": "1"} if stopped else {}
        serving = serve(desk, "--metrics", TICKETBOT_API_TOKEN=TOKEN, **environ)
        health = requests.get(f"{serving.url}/health", timeout=30)
        assert (health.status_code, health.headers["Cache-Control"]) == (status, "no-store")
        metrics = requests.get(f"{serving.url}/metrics", timeout=30)
        assert (metrics.status_code, metrics.headers["Cache-Control"]) == (200, "no-store")
        families = {family.name: family for family in text_string_to_metric_families(metrics.text)}
        assert families["ticketbot_up"].samples[0].value == up
        assert families["ticketbot_outcomes"].samples[0].labels == {"outcome": "updated"}
        accept = {"Accept": "application/openmetrics-text"}
        kind = requests.get(f"{serving.url}/metrics", headers=accept, timeout=30).headers["Content-Type"]
        assert kind.startswith("application/openmetrics")
        assert serving.stop() == 0


@pytest.mark.slow
def test_a_run_that_holds_the_lock_takes_queued_tickets_first(open_desk: OpenDesk, serve: Serve) -> None:
    desk = open_desk(30, model=True, llm_latency=LatencyProfile(0.5, 0.6))
    (desk.folder / "ticketbot.toml").write_text("[run]\nworkers = 2\nwrite_mode = 'single'\n", encoding="utf-8")
    desk("run", "--since", "2020-01-01", "--limit", "1")
    serving = serve(desk)
    written: list[int] = []
    desk.sandbox.on_request.append(lambda r: written.append(int(r.path.split("/")[-1])) if is_update(r) else None)
    begun = desk.when(is_update, nth=2)
    run = desk.start("run")
    wait_for(begun, run)
    new = desk.sandbox.store.create(subject="Help", body="The app crashes.", created_at=time.time() - 60).id
    serving.deliver(new)
    desk.end(run)
    assert written.index(new) < 20
    assert len(written) == len(set(written)) == 30
    until(lambda: queued(desk) == [])
    assert serving.stop() == 0
    assert all(len(desk.notes(number)) <= 1 for number in desk.tickets)


@pytest.mark.slow
def test_a_stop_lets_the_run_end_and_leaves_the_rest_on_the_queue(open_desk: OpenDesk, serve: Serve) -> None:
    desk = open_desk(6, model=True, llm_latency=LatencyProfile(1.5, 1.6))
    desk("run", "--since", "2020-01-01", "--limit", "1")
    asked = threading.Event()
    serving = serve(desk)
    desk.sandbox.on_request.append(lambda r: asked.set() if r.path.startswith("/v1/") else None)
    serving.deliver(5)
    assert asked.wait(30)
    serving.deliver(6)
    began = time.monotonic()
    assert serving.stop() == 0
    assert time.monotonic() - began < 20
    assert (5 in desk.marked(), 6 in desk.marked(), queued(desk)) == (True, False, [6])


def test_a_scrip_of_request_tracker_is_printed_with_its_secret(open_desk: OpenDesk) -> None:
    desk = open_desk(1)
    site = {"TICKETBOT_HELPDESK": "request-tracker", "RT_URL": "https://rt.example.com", "RT_TOKEN": f"1-3-{'a' * 16}"}
    said = desk("serve", "install-webhook", "--url", "https://bot.example.com", **site).out
    secret = re.search(r"TICKETBOT_API_TOKEN=(\S{20,})", said)
    assert secret is not None
    assert f"'X-Ticketbot-Secret' => '{secret[1]}'" in said
    assert "https://bot.example.com/webhooks/request-tracker" in said
    assert "set a secret first: TICKETBOT_API_TOKEN" in desk("serve", code=2, **site).err


def test_who_may_not_set_it_up_is_told_the_steps(open_desk: OpenDesk) -> None:
    desk = open_desk(1, bot_role="agent")
    ended = desk("serve", "install-webhook", "--url", "https://bot.example.com", code=3)
    assert "https://bot.example.com/webhooks/zendesk" in ended.out
    assert "may not" in ended.err
    assert desk.sandbox.store.webhooks == {}
    assert "Create webhook" in desk("serve", "install-webhook").out
    assert "https" in desk("serve", "install-webhook", "--url", "http://bot.example.com", code=2).err
