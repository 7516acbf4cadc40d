"""Photographs the portal: what customers and agents see of tickets that are submitted and triaged meanwhile."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from tests.dashboard.browser import PHONE, tab

CUSTOMER, AGENT = (860, 900), (1280, 1000)
LARGEST = 80_000
"""Bytes of a picture."""
PERSON_S = 3.5
"""A form that is sent sooner is taken for a program's."""
AGENTS_MAIL = "agent@example.com"
ALARM = (
    "Someone is in my account RIGHT NOW",
    "I just got three mails: my delivery address was changed, and an order for 899 was placed. That was not me.\n\n"
    "I cannot log in any more, the password has been changed. Please stop the order!",
)
JAPANESE = (
    "二重に請求されています",
    "今月分の料金が二回引き落とされていました。\n\n注文番号は A-20417 です。一回分の返金をお願いいたします。",
)


@dataclass
class Demonstration:
    """A portal that listens, and the password of its agent."""

    url: str
    password: str


@contextmanager
def demonstration(folder: Path, environ: Mapping[str, str]) -> Iterator[Demonstration]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "ticket_processor", "portal", "--demo", "--port", "0"]
    process = subprocess.Popen(command, cwd=folder, env=dict(environ), stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        url = password = None
        while not (url and password):
            line = process.stdout.readline()
            if not line:
                sys.exit("the portal did not start")
            url = url or re.search(r"http://[\d.:]+", line)
            password = re.search(rf"{AGENTS_MAIL}\s+password (\S+)", line)
        yield Demonstration(url[0], password[1])
    finally:
        process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
        process.communicate(timeout=30)


def photograph(page: Any, file: Path, *, whole: bool = True) -> None:
    """A picture of the page, ``whole``: of all that scrolling would show; in 256 colours. Refuses one too large."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    with Image.open(BytesIO(page.screenshot(full_page=whole))) as picture:
        picture.convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE).save(file, optimize=True)
    size = file.stat().st_size
    print(f"{file}: {size / 1000:.0f} kB", flush=True)
    if size > LARGEST:
        sys.exit(f"{file} is larger than {LARGEST / 1000:.0f} kB")


def submit(page: Any, ticket: tuple[str, str], name: str, picture: Path | None = None) -> None:
    """Fill the form in, send it, and wait until the ticket is triaged."""
    page.goto("/")
    page.fill("#subject", ticket[0])
    page.fill("#description", ticket[1])
    page.fill("#email", "kim.lee@example.com")
    page.fill("#name", name)
    if picture:
        photograph(page, picture)
    page.wait_for_timeout(PERSON_S * 1000)
    page.click("button:text-is('Send')")
    page.wait_for_selector("li.done:has-text('Understood')", timeout=60_000)
    page.goto(page.url)


def portal_pictures(chromium: Any, folder: Path, environ: Mapping[str, str], pictured: Path) -> None:
    """All of them."""
    with demonstration(folder, environ) as shown:
        url = shown.url
        with tab(chromium, url, size=CUSTOMER) as customer:
            submit(customer.page, ALARM, "Kim Lee", pictured / "portal_form.png")
            photograph(customer.page, pictured / "portal_tracking.png")
        with tab(chromium, url, size=CUSTOMER, dark=True) as customer:
            submit(customer.page, JAPANESE, "金田 里美")
            photograph(customer.page, pictured / "portal_japanese.png")
        with tab(chromium, url, size=AGENT) as agent:
            page = agent.page
            page.goto("/admin")
            page.fill("#email", AGENTS_MAIL)
            page.fill("#password", shown.password)
            page.click("button:text-is('Log in')")
            page.wait_for_selector(".tickets")
            photograph(page, pictured / "portal_list.png", whole=False)
            page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
            photograph(page, pictured / "portal_phone.png", whole=False)
            page.set_viewport_size({"width": AGENT[0], "height": AGENT[1]})
            page.click(f"text={ALARM[0]}")
            page.wait_for_selector("#conversation")
            photograph(page, pictured / "portal_agent.png", whole=False)
