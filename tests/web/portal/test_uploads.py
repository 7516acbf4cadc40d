"""Much is read only of a form that is the portal's own: the rest is answered while its body still comes."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from ticket_processor.web.portal.security import FIRST_BYTES, MOST_BODY_BYTES
from ticket_processor.web.server import Server, listening

from .admin.conftest import AgentsDesk
from .conftest import TYPED, Browser, PortalRig
from .test_public_tracking import opened

LARGE = b"x" * FIRST_BYTES
ANSWERS_S = 30.0
KIND = "multipart/form-data; boundary=b"
PATHS = ("/", "/articles", "/t/T-0000-00000/reply", "/admin/login", "/admin/tickets/1/reply", "/nowhere")


def field(name: str, value: str, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'.encode()


def upload(token: str) -> list[bytes]:
    """The beginning of a form with a file."""
    typed = b"".join(field(name, value) for name, value in TYPED.items())
    return [field("form_token", token) + typed + field("files", "", '; filename="a.txt"')[:-2]]


def answered(
    rig: PortalRig, parts: list[bytes], *, path: str = "/", cookie: str = "", length: int | None = 2**24, **headers: str
) -> tuple[int, int]:
    """The status of the answer to a client that sends these parts and no end, and how many of them were read."""
    given = {"content-type": KIND, **headers}
    given |= {"content-length": str(length)} if length else {"transfer-encoding": "chunked"}
    given |= {"cookie": f"portal_form={cookie}"} if cookie else {}
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        "client": ("203.0.113.5", 5000),
        "server": ("help.test", 80),
        "scheme": "http",
        "http_version": "1.1",
    }
    waiting, statuses = list(parts), list[int]()

    async def receive() -> dict[str, Any]:
        assert waiting, "more was read"
        return {"type": "http.request", "body": waiting.pop(0), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    rig.loop.call(rig.app, scope, receive, send)
    return statuses[0], len(parts) - len(waiting)


@pytest.mark.parametrize("path", PATHS)
def test_without_the_cookie_of_a_page_of_ours_nothing_large_is_read(rig: PortalRig, path: str) -> None:
    status, read = answered(rig, [LARGE], path=path)
    assert (status, read) == (404 if path == "/nowhere" else 403, 0)


@pytest.mark.parametrize("length", [2**24, None])
@pytest.mark.parametrize("cookie", ["", "a" * 24, "own"])
@pytest.mark.parametrize("given", ["no token", "forged", "another's", "late"])
def test_without_a_token_at_its_beginning_no_more_than_that_is_read(
    rig: PortalRig, given: str, cookie: str, length: int | None
) -> None:
    browser = rig.browser()
    own = browser.token()
    token = {"forged": "a:b.c.d", "another's": rig.browser().token(), "late": own}.get(given, "")
    parts = [*([LARGE] if given == "late" else []), *upload(token), LARGE, LARGE, LARGE]
    parts = [field("files", "", '; filename="a.txt"')[:-2], *parts] if given in ("late", "no token") else parts
    sent = browser.cookies["portal_form"] if cookie == "own" else cookie
    status, read = answered(rig, parts, cookie=sent, length=length)
    assert status == 403
    assert sum(map(len, parts[:read])) < 2.1 * FIRST_BYTES


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_nothing_large_is_read_that_comes_from_another_site(rig: PortalRig, site: str) -> None:
    browser = rig.browser()
    parts = [*upload(browser.token()), LARGE, LARGE, LARGE]
    status, read = answered(rig, parts, cookie=browser.cookies["portal_form"], sec_fetch_site=site)
    assert (status, read) == (403, 2)


def test_nothing_is_read_of_what_says_that_it_is_too_large(rig: PortalRig) -> None:
    browser = rig.browser()
    parts = upload(browser.token())
    length = MOST_BODY_BYTES + 1
    assert answered(rig, parts, cookie=browser.cookies["portal_form"], length=length) == (413, 0)


@pytest.mark.parametrize("hours", [0, 13])
def test_the_files_of_a_form_of_ours_are_read_and_of_an_old_one_nothing_typed_is_lost(
    rig: PortalRig, hours: int
) -> None:
    browser = rig.browser()
    token = browser.token()
    rig.at += hours * 3600 + 30
    file = ("a.txt", LARGE * 4)
    answer = browser.post("/", data={"form_token": token, **TYPED}, files={"files": file})
    assert answer.status_code == (403 if hours else 200)
    assert TYPED["description"] in answer.text


def test_long_texts_need_no_files_to_be_read(rig: PortalRig) -> None:
    browser = rig.browser()
    token = browser.token()
    rig.at += 30
    typed = {**TYPED, "description": "字" * 20_000}
    assert browser.post("/", data=typed).status_code == 403
    assert browser.post("/", data={"form_token": token, **typed}).status_code == 200


Page = Callable[[PortalRig], tuple[Browser, str]]


def _of_agent(path: str) -> Page:
    def page(rig: PortalRig) -> tuple[Browser, str]:
        desk = AgentsDesk(rig)
        ticket = desk.ticket()
        return desk.signed_in(desk.person("root@example.com", "admin")), path.format(ticket.id)

    return page


@pytest.mark.parametrize(
    "page",
    [
        lambda rig: (rig.browser(), "/"),
        lambda rig: (rig.browser(), "/admin/login"),
        lambda rig: (opened(rig)[0], f"/t/{rig.only_ticket().number}"),
        *map(_of_agent, ("/admin", "/admin/tickets/{}", "/admin/people", "/admin/password")),
    ],
)
def test_the_token_is_the_first_field_of_each_form(rig: PortalRig, page: Page) -> None:
    browser, path = page(rig)
    forms = re.findall(r"<form\b([^>]*)>(.*?)</form>", browser.get(path).text, re.DOTALL)
    first = [re.search(r'name="(\w+)"', inner) for attributes, inner in forms if 'method="post"' in attributes]
    assert first
    assert all(found and found[1] == "form_token" for found in first)


@pytest.fixture
def address(rig: PortalRig) -> Iterator[tuple[str, int]]:
    """The portal behind a real socket."""
    at = listening("127.0.0.1", 0)
    server = Server(rig.app, at)
    server.start()
    yield at.getsockname()
    server.stop()


def test_a_client_that_never_ends_its_body_gets_its_answer(address: tuple[str, int]) -> None:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {KIND}\r\nContent-Length: 25000000\r\n\r\n"
    with closing(socket.create_connection(address, ANSWERS_S)) as client:
        client.sendall(head.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 403 ")
        client.sendall(LARGE)
