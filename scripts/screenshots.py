"""Make the documentation's pictures of dashboard and portal, in a real browser, over tickets that were really triaged.

python scripts/screenshots.py [FOLDER] [--days N] [--only dashboard | portal]

For the dashboard a sandbox is filled as tickets would come in over some days, and runs triage them through the real
clients (their clock is set back, so that the last run is of now); the portal's are triaged by keyword rules. Each page
is photographed into FOLDER (docs/images). Needs the development packages, a Chromium or Chrome, and fonts with Japanese
letters (Debian: chromium, fonts-noto-core, fonts-noto-cjk); takes some minutes.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import development  # noqa: F401 - for its effect
from PIL import Image

from tests.dashboard.browser import DESKTOP, PHONE, Tab, browser, dashboard, executable, tab
from tests.imitation import FaultPlan, Rules, Sandbox
from ticket_processor.commands.seed import sandbox_environment
from ticket_processor.core.clock import SystemClock
from ticket_processor.helpdesk.local_model import NewTicket
from ticket_processor.sandbox.app import SandboxServer, fill
from ticket_processor.sandbox.openai_answers import KnownAnswers
from ticket_processor.seeding.corpus import load_corpus, payload, vary
from ticket_processor.seeding.synthetic import fair_answers
from ticket_processor.settings.load import load
from ticket_processor.web.portal.agent_accounts import Passwords
from ticket_processor.wiring.desks import local_store
from ticket_processor.wiring.runs import RunArguments, play

ROOT = Path(__file__).resolve().parent.parent
LARGEST, LARGEST_OF_PORTAL = 250_000, 80_000
"""Bytes of a picture."""
SETTINGS = """
[models]
prices = { sandbox-model = [0.4, 1.6, 0.1] }

[budget]
day_usd = 0.05
"""
FAULTS = "html=0.07:/v1/chat/completions,slow=0.05:/v1/chat/completions:seconds=0.5,not-json-4xx=0.0015:PUT:/tickets/"
BUSY = (1, 1, 0, 0, 1, 2, 4, 8, 14, 18, 20, 19, 14, 16, 18, 17, 14, 10, 7, 5, 4, 3, 2, 1)
"""How many tickets come in an hour of a working day, at the most."""
HOUR, DAY = 3600.0, 86_400.0
EXAMPLE = """Hello,
I was charged twice for my subscription this month, please refund one of the payments.
My card is 4111 1111 1111 1111, and you reach me at jane.doe@example.com.

--
Jane Doe
Example Ltd.
On Mon, 16 Nov 2026 at 10:00, Support <help@example.com> wrote:
> How can we help?"""

CUSTOMER, AGENT = (860, 900), (1280, 1000)
PERSON_S = 3.5
"""A form that is sent sooner is taken for a program's."""
AGENTS_MAIL, PASSWORD = "agent@example.com", "fifteen letters or more"
PORTAL_TICKETS, PORTAL_DAYS = 40, 2.0
ALARM = (
    "Someone is in my account RIGHT NOW",
    "I just got three mails: my delivery address was changed, and an order for 899 was placed. That was not me.\n\n"
    "I cannot log in any more, the password has been changed. Please stop the order!",
)
JAPANESE = (
    "二重に請求されています",
    "今月分の料金が二回引き落とされていました。\n\n注文番号は A-20417 です。一回分の返金をお願いいたします。",
)


class Earlier(SystemClock):
    """The machine's time, set back; the runs and the sandbox go by it."""

    def __init__(self) -> None:
        super().__init__()
        self._ago = 0.0

    def now(self) -> float:
        return time.time() - self._ago

    def go_to(self, moment: float) -> None:
        """Go on from there."""
        self._ago = time.time() - moment


@contextmanager
def triaged(folder: Path, days: float) -> Iterator[dict[str, str]]:
    """A sandbox whose tickets have been triaged; the variables that point at it, and at what the runs left."""
    dice = random.Random(7)
    clock = Earlier()
    now = time.time()
    clock.go_to(now - days * DAY)
    sandbox = Sandbox(clock, plan="unlimited", rules=Rules((0.05, 0.0)), faults=FaultPlan.parse(FAULTS, 7))
    rows = [payload(ticket) for ticket in vary(load_corpus(), 4_000, 7)]
    (folder / "ticketbot.toml").write_text(SETTINGS, encoding="utf-8")
    with SandboxServer(sandbox) as server:
        environ = {
            **sandbox_environment(server.url),
            "TICKETBOT_STATE_DIR": "state",
            "TICKETBOT_LOG_DIR": "logs",
        }
        settings = load(environ=environ, folder=folder)
        sandbox.openai.known = KnownAnswers(fair_answers(load_corpus(), settings.taxonomy))
        moments = [now - days * DAY + hours * HOUR for hours in range(0, round(days * 24) - 1)]
        moments += [now - minutes * 60 for minutes in range(60, -1, -10)]
        before = moments[0] - HOUR
        for moment in moments:
            clock.go_to(moment)
            at = time.gmtime(moment)
            share = (0.3 if at.tm_wday > 4 else 1.0) * dice.uniform(0.3, 0.6)
            count = round((moment - before) / HOUR * BUSY[at.tm_hour] * share)
            if count:
                some = [rows.pop(dice.randrange(len(rows))) for _ in range(count)]
                fill(sandbox, some, oldest=moment - before, seed=dice.randrange(10**6))
            play(settings, RunArguments(since=0.0 if moment == moments[0] else None), clock=clock)
            before = moment
        yield environ


def photograph(shown: Tab, file: Path, *, whole: bool = False) -> None:
    """A picture of the dashboard, ``whole``: of all that scrolling would show."""
    if whole:
        width = shown.page.viewport_size["width"]
        height = shown.page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
        shown.page.set_viewport_size({"width": width, "height": min(height, 3_000)})
        shown.settle(1_000)
    shown.page.mouse.move(0, 0)
    shown.page.screenshot(path=file)
    tell(file, LARGEST)


def tell(file: Path, largest: int) -> None:
    """Print the size of a picture; ends the process where it is too large."""
    size = file.stat().st_size
    print(f"{file}: {size / 1000:.0f} kB", flush=True)
    if size > largest:
        sys.exit(f"{file} is larger than {largest / 1000:.0f} kB")


def pictures(chromium: Any, url: str, folder: Path) -> None:
    """Of the dashboard's pages."""
    with tab(chromium, url, size=DESKTOP) as shown:
        for name in ("overview", "costs", "runs"):
            shown.open(name)
            photograph(shown, folder / f"{name}.png", whole=True)
            shown.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        shown.open("tickets", "language=ja&analyser=model")
        shown.page.locator("[data-testid=stDataFrame] .dvn-scroller").click(position={"x": 16, "y": 52})
        shown.page.get_by_text("Redacted summary").wait_for()
        shown.settle()
        photograph(shown, folder / "ticket.png", whole=True)
        shown.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        shown.open("try_it")
        shown.page.get_by_label("Subject").fill("Charged twice")
        shown.page.get_by_label("Text", exact=True).fill(EXAMPLE)
        shown.page.get_by_role("button", name="Show what would happen").click()
        shown.page.get_by_text("What people had set by then would stay").wait_for()
        shown.settle()
        photograph(shown, folder / "try_it.png", whole=True)
    with tab(chromium, url, size=DESKTOP, dark=True) as shown:
        shown.open("overview")
        photograph(shown, folder / "overview_dark.png")
    with tab(chromium, url, size=PHONE) as shown:
        shown.open("overview")
        photograph(shown, folder / "overview_phone.png")


@contextmanager
def portal(folder: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The command in a process of its own, over tickets of the last days and an agent; its address."""
    (folder / "ticketbot.toml").write_text('helpdesk = "local"\nstate_dir = "state"\n', encoding="utf-8")
    settings, now = load(environ={}, folder=folder), time.time()
    usual = [ticket for ticket in load_corpus() if ticket.kind == "normal" and ticket.subject and ticket.body]
    chosen = random.Random(17).sample(usual, PORTAL_TICKETS)
    with local_store(settings, make=True) as store:
        store.add_person(AGENTS_MAIL, "Alex Agent", "agent", Passwords().hash(PASSWORD))
        for place, seed in enumerate(chosen, 1):
            sent = NewTicket(seed.subject, str(seed.body), seed.requester.email, seed.requester.name)
            store.create(sent, now - PORTAL_DAYS * DAY * (1 - place / PORTAL_TICKETS))
    play(settings, RunArguments(since=0.0))
    command = [sys.executable, "-m", "ticket_processor", "portal", "--port", "0"]
    process = subprocess.Popen(command, cwd=folder, env=dict(environ), stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        url = re.search(r"http://[\d.:]+", process.stdout.readline())
        if url is None:
            sys.exit("the portal did not start")
        yield url[0]
    finally:
        process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
        process.communicate(timeout=30)


def photograph_portal(page: Any, file: Path, *, whole: bool = True) -> None:
    """A picture of the portal, ``whole``: of all that scrolling would show; in 256 colours."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    with Image.open(BytesIO(page.screenshot(full_page=whole))) as picture:
        picture.convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE).save(file, optimize=True)
    tell(file, LARGEST_OF_PORTAL)


def submit(page: Any, ticket: tuple[str, str], name: str, picture: Path | None = None) -> None:
    """Fill the form in, send it, and wait until the ticket is triaged."""
    page.goto("/")
    page.fill("#subject", ticket[0])
    page.fill("#description", ticket[1])
    page.fill("#email", "kim.lee@example.com")
    page.fill("#name", name)
    if picture:
        photograph_portal(page, picture)
    page.wait_for_timeout(PERSON_S * 1000)
    page.click("button:text-is('Send')")
    page.wait_for_selector("li.done:has-text('Understood')", timeout=60_000)
    page.goto(page.url)


def portal_pictures(chromium: Any, folder: Path, environ: Mapping[str, str], pictured: Path) -> None:
    """What customers and agents see of tickets that are submitted and triaged meanwhile."""
    (folder / "portal").mkdir()
    with chdir(folder / "portal"), portal(Path.cwd(), environ) as url:
        with tab(chromium, url, size=CUSTOMER) as customer:
            submit(customer.page, ALARM, "Kim Lee", pictured / "portal_form.png")
            photograph_portal(customer.page, pictured / "portal_tracking.png")
        with tab(chromium, url, size=CUSTOMER, dark=True) as customer:
            submit(customer.page, JAPANESE, "金田 里美")
            photograph_portal(customer.page, pictured / "portal_japanese.png")
        with tab(chromium, url, size=AGENT) as agent:
            page = agent.page
            page.goto("/admin")
            page.fill("#email", AGENTS_MAIL)
            page.fill("#password", PASSWORD)
            page.click("button:text-is('Log in')")
            page.wait_for_selector(".tickets")
            photograph_portal(page, pictured / "portal_list.png", whole=False)
            page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
            photograph_portal(page, pictured / "portal_phone.png", whole=False)
            page.set_viewport_size({"width": AGENT[0], "height": AGENT[1]})
            page.click(f"text={ALARM[0]}")
            page.wait_for_selector("#conversation")
            photograph_portal(page, pictured / "portal_agent.png", whole=False)


def has_japanese_letters() -> bool:
    """Whether a font of this machine has them: without one a browser draws boxes. Only fontconfig can say no."""
    lists = shutil.which("fc-list")
    if lists is None:
        return True
    return bool(subprocess.run((lists, ":lang=ja"), capture_output=True, check=False).stdout.strip())


def main() -> None:
    """Fill, triage, photograph."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--only", choices=("dashboard", "portal"), help="leave the others as they are")
    asked = parser.parse_args()
    if executable() is None:
        sys.exit("there is no Chromium or Chrome on this machine; on Debian: apt install chromium")
    if not has_japanese_letters():
        sys.exit("no font of this machine has Japanese letters; on Debian: apt install fonts-noto-cjk")
    pictured = asked.folder.absolute()
    pictured.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as name:
        folder, everything = Path(name), {**os.environ, "PYTHONPATH": str(ROOT)}
        with chdir(folder):  # so that no picture tells of this machine's folders
            if asked.only != "dashboard":
                with browser() as chromium:
                    portal_pictures(chromium, folder, everything, pictured)
            if asked.only != "portal":
                with (
                    triaged(folder, asked.days) as environ,
                    dashboard(folder, everything | environ) as url,
                    browser() as chromium,
                ):
                    pictures(chromium, url, pictured)


if __name__ == "__main__":
    main()
