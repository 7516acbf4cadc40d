"""ticketbot against a real helpdesk that nobody here wrote: a Request Tracker 5 on this machine's loopback.

    python scripts/real_helpdesk.py                # all six proofs, some twenty minutes
    python scripts/real_helpdesk.py calm rights    # some of them
    python scripts/real_helpdesk.py --tickets 50 people

``calm``: 200 invented tickets are triaged, a second run writes nothing, an undo takes everything back. ``people``: an
agent edits tickets between a run's read and its write, and at the same moment. ``crash``: SIGKILL for runs and for RT.
``broken``: a proxy in between cuts answers off, delays and halves them. ``rights``: ticketbot's user lacks one right
after the other. ``odd``: mail of every kind through RT's own gateway, 5,000 transactions, merged and deleted tickets.

Each proof has an RT of its own in a temporary folder. It needs Debian's packages, named where they are missing, and
the development packages. Exit code 1 where anything was lost, doubled or left undone.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import development

from tests.servers.request_tracker import MISSING, Server, installed, notes_of, served, ticket_of

KILLS, KILLS_OF_RT, EDITS = 60, 10, 500
LATE_S = 310
"""A note without an answer is not sent again before this."""


class Site:
    """A folder with settings that lead to an RT, or to what stands before it."""

    def __init__(self, server: Server, folder: Path, url: str = "") -> None:
        self.server, self.folder = server, folder
        folder.mkdir(exist_ok=True)
        left_out = ("ZENDESK", "FRESHDESK", "RT_", "OPENAI", "TICKETBOT")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        kept |= {"PYTHONPATH": str(development.ROOT), "TICKETBOT_STATE_DIR": str(folder / "state")}
        kept |= {"TICKETBOT_LOG_DIR": str(folder / "logs"), **server.settings}
        self.environment = kept | ({"RT_URL": url} if url else {})

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "ticket_processor", *words],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def say(self, *words: str) -> tuple[int, str]:
        """A command's exit code and everything that it printed."""
        process = self.start(*words)
        out, err = process.communicate()
        return process.returncode, out + err

    def run(self, *words: str) -> dict[str, Any]:
        """The summary of a run."""
        process = self.start("run", *(words or ("--since", "1d")), "--json")
        out, err = process.communicate()
        return {"exit": process.returncode, "said": err, **(json.loads(out) if out.startswith("{") else {})}

    def seed(self, count: int) -> list[int]:
        """Invented tickets; their numbers."""
        code, said = self.say("seed", "--count", str(count), "--yes-this-is-a-sandbox")
        if code:
            sys.exit(said)
        return numbers_of(self.server)

    def log(self) -> Iterator[dict[str, Any]]:
        for path in sorted((self.folder / "logs").glob("*.jsonl")):
            yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def numbers_of(server: Server) -> list[int]:
    found: list[int] = []
    while True:
        query = {"query": f"id > {found[-1] if found else 0}", "orderby": "id", "order": "ASC", "per_page": 100}
        rows = server.call("GET", "/tickets", "root", params=query)["items"]
        if not rows:
            return found
        found += [int(row["id"]) for row in rows]


def last_transaction(server: Server) -> int:
    query = {"query": "id > 0", "orderby": "id", "order": "DESC", "per_page": 1}
    return int(server.call("GET", "/transactions", "root", params=query)["items"][0]["id"])


def took_off(server: Server, number: int, tag: str) -> bool:
    """Whether a person took a tag off a ticket."""
    params = {"fields": "Creator,OldValue", "per_page": 100}
    rows = server.call("GET", f"/ticket/{number}/history", "root", params=params)["items"]
    return any(row["Creator"]["id"] != "ticketbot" and row["OldValue"] == tag for row in rows)


def triage_notes(server: Server, number: int) -> int:
    """Notes of a triage on a ticket; those of an undo or a repair are others."""
    return sum(not public and "Undo of run" not in text for public, text in notes_of(server, number))


class Faults:
    """Figures of a proof, and what was wrong."""

    def __init__(self, name: str) -> None:
        self.name, self.wrong = name, 0

    def told(self, what: str, count: object) -> None:
        print(f"  {what}: {count}", flush=True)

    def must(self, what: str, count: int, wanted: int = 0) -> None:
        good = count == wanted
        self.wrong += not good
        self.told(what, f"{count}{'' if good else f'  <-- wanted {wanted}'}")

    def whole(self, site: Site, numbers: list[int]) -> None:
        """All triaged, one note each, none public, and a log that verifies."""
        last = {line["ticket_id"]: line["reason"] for line in site.log() if line.get("event") == "ticket"}
        by_machines = [number for number in numbers if last.get(number, "").startswith("machine_mail")]
        if by_machines:
            self.told("tickets left alone, since machines wrote them", len(by_machines))
        numbers = [number for number in numbers if number not in by_machines]
        rows = {number: ticket_of(site.server, number) for number in numbers}
        notes = Counter(triage_notes(site.server, number) for number in numbers)
        unmarked = [number for number, row in rows.items() if "ai_processed" not in row["tags"]]
        theirs = sum(took_off(site.server, number, "ai_processed") for number in unmarked)
        self.must("tickets without the marker", len(unmarked) - theirs)
        if theirs:
            self.told("tickets whose tags a person replaced at that moment, the marker among them", theirs)
        self.must("tickets with one note", notes[1], len(numbers))
        self.must("tickets with two notes or more", sum(count for times, count in notes.items() if times > 1))
        public = sum(public for number in numbers for public, _ in notes_of(site.server, number))
        self.must("notes that customers can read", public)
        self.must("exit code of 'audit verify'", site.say("audit", "verify")[0])


def calm(server: Server, folder: Path, faults: Faults, tickets: int) -> None:
    site = Site(server, folder / "site")
    numbers = site.seed(tickets)
    began = time.monotonic()
    summary = site.run()
    faults.told("outcomes", summary.get("outcomes"))
    faults.told("seconds a ticket", round((time.monotonic() - began) / len(numbers), 2))
    faults.whole(site, numbers)
    before = last_transaction(server)
    site.run()
    faults.must("transactions of a second run", last_transaction(server) - before)
    mail = server.mails()
    faults.must("mails with a note of ours", mail.count("Ref tb-"))
    code, _ = site.say("undo", "latest")
    faults.must("exit code of undo", code)
    left = sum(any(tag.startswith("ai_") for tag in ticket_of(server, number)["tags"]) for number in numbers)
    faults.must("tickets with a tag of ours after the undo", left)
    faults.must(
        "tickets with a priority of ours after the undo",
        sum(ticket_of(server, number)["Priority"] != "0" for number in numbers),
    )


# What stands between ticketbot and RT


class Proxy(ThreadingHTTPServer):
    """Passes requests on to RT. ``before`` is called with method and path; ``spoil`` says how an answer is broken."""

    daemon_threads = True

    def __init__(self, server: Server) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.rt = server
        self.before: Callable[[str, str], object] = lambda _method, _path: None
        self.spoil: Callable[[str, str], str] = lambda _method, _path: ""
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that are cut are part of the proof."""


class _Passing(BaseHTTPRequestHandler):
    server: Proxy

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.before(self.command, self.path)
        fault = self.server.spoil(self.command, self.path)
        if fault == "unsent":
            self.connection.close()
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.rt.port, timeout=120)) as rt:
            rt.request(self.command, self.path, body, headers)
            reply = rt.getresponse()
            answer = reply.read()
        if fault == "slow":
            time.sleep(random.uniform(0.5, 3.0))
        if fault == "cut":
            self.connection.close()
            return
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer[: len(answer) // 2] if fault == "half" else answer)
        self.close_connection = True

    do_GET = do_POST = do_PUT = _pass


@contextmanager
def proxy(server: Server) -> Iterator[Proxy]:
    between = Proxy(server)
    try:
        yield between
    finally:
        between.shutdown()
        between.server_close()


class Agent:
    """A person who edits tickets just before, or while, ticketbot writes on them; and what must not be lost of it."""

    def __init__(self, server: Server, most: int) -> None:
        self._server, self._most, self._dice = server, most, random.Random(7)
        self._lock = threading.Lock()
        self.added: set[tuple[int, str]] = set()
        self.removed: set[tuple[int, str]] = set()
        self.priorities: dict[int, str] = {}
        self.kinds: Counter[str] = Counter()
        self.working: list[threading.Thread] = []

    def before(self, method: str, path: str) -> None:
        if method != "PUT" or self.edits >= self._most:
            return
        number, beside = int(path.rpartition("/")[2]), self._dice.random() < 0.6
        if not beside:
            self._edit(number, "before")
            return
        thread = threading.Thread(target=self._edit, args=(number, "at the same moment"))
        thread.start()
        self.working.append(thread)

    @property
    def edits(self) -> int:
        return sum(self.kinds.values())

    def _edit(self, number: int, when: str) -> None:
        with self._lock:
            count = self.edits
            self.kinds[when] += 1
            what = self._dice.choice(("tag", "tag", "untag", "priority", "comment"))
        if what == "comment":
            said = {"Content": f"A colleague looks at it ({count}).", "ContentType": "text/plain"}
            self._server.call("POST", f"/ticket/{number}/comment", json=said)
            return
        row = ticket_of(self._server, number)
        if what == "priority":
            self._server.call("PUT", f"/ticket/{number}", json={"Priority": 33})
            self.priorities[number] = "33"
            return
        tag = f"person_{count}"
        tags = [*row["tags"], tag]
        gone = [one for one in row["tags"] if what == "untag" and one.startswith("person_")][:1]
        # As a person does at the screen: the field as it was seen, changed.
        self._server.call(
            "PUT", f"/ticket/{number}", json={"CustomFields": {"Tags": [t for t in tags if t not in gone]}}
        )
        with self._lock:
            self.added.add((number, tag))
            self.removed |= {(number, one) for one in gone}

    def lost(self) -> tuple[int, int, int]:
        """Tags that are gone, tags that are back, and priorities that are others."""
        rows = {number: ticket_of(self._server, number) for number, _ in self.added | self.removed}
        rows |= {number: ticket_of(self._server, number) for number in self.priorities}
        missing = [(number, tag) for number, tag in self.added - self.removed if tag not in rows[number]["tags"]]
        gone = sum(
            not took_off(self._server, number, tag) for number, tag in missing
        )  # or a person's list went over it
        back = sum(tag in rows[number]["tags"] for number, tag in self.removed)
        other = sum(rows[number]["Priority"] != value for number, value in self.priorities.items())
        return gone, back, other


def people(server: Server, folder: Path, faults: Faults, tickets: int) -> None:
    agent = Agent(server, EDITS * tickets // 200)
    with proxy(server) as between:
        site = Site(server, folder / "site", between.url)
        seeded = 0
        repaired: Counter[str] = Counter()
        while agent.edits < agent._most:
            seeded += tickets // 2
            numbers = site.seed(seeded)
            between.before = agent.before
            repaired.update(site.run().get("outcomes") or {})
            for thread in agent.working:
                thread.join()
        between.before = lambda _method, _path: None
        settle(site, faults)
    kinds = Counter(line.get("what") for line in site.log() if line.get("event") == "alert")
    faults.told("edits", dict(agent.kinds))
    faults.told("outcomes of runs with people at work", dict(repaired))
    faults.told("the guard's gap opened (put back by the next run)", kinds["overwrote"])
    faults.told("notes that stayed without tags", kinds["note_left"])
    gone, back, other = agent.lost()
    faults.must("tags of people that are lost", gone)
    faults.must("tags that people took off and that are back", back)
    faults.must("priorities of people that are lost", other)
    faults.whole(site, numbers)


def crash(server: Server, folder: Path, faults: Faults, tickets: int) -> None:
    site, dice = Site(server, folder / "site"), random.Random(11)
    numbers = site.seed(tickets)
    kills = KILLS * tickets // 200
    for _ in range(kills):
        process = site.start("run", "--since", "1d", "--json")
        time.sleep(dice.uniform(0.6, 3.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    for _ in range(max(1, KILLS_OF_RT * tickets // 200)):
        process = site.start("run", "--since", "1d", "--json")
        time.sleep(dice.uniform(0.8, 2.5))
        server.stop(kill=True)
        server.start()
        process.communicate()
    faults.told("runs killed, and RT", (kills, max(1, KILLS_OF_RT * tickets // 200)))
    settle(site, faults)
    faults.whole(site, numbers)


def settle(site: Site, faults: Faults) -> None:
    """Runs until nothing is left; what waits for a note that may still come takes five minutes."""
    began = time.monotonic()
    while time.monotonic() - began < LATE_S + 120:
        summary = site.run()
        if not (set(summary.get("outcomes") or {}) - {"skipped"} or waits(summary)) and summary["exit"] == 0:
            faults.told("seconds until the last run had nothing left", round(time.monotonic() - began))
            return
        time.sleep(5)
    faults.must("runs that end with nothing left", 0, 1)


def waits(summary: dict[str, Any]) -> bool:
    """Whether a run leaves tickets to the next one."""
    return bool(summary.get("retry_list") or summary.get("deferred") or "deferred" in json.dumps(summary))


def broken(server: Server, folder: Path, faults: Faults, tickets: int) -> None:
    dice, spoiled = random.Random(13), Counter[str]()

    def spoil(method: str, path: str) -> str:
        if "Login" in path or dice.random() > 0.12:
            return ""
        fault = dice.choice(("unsent", "cut", "half", "slow"))
        spoiled[f"{method} {fault}"] += 1
        return fault

    with proxy(server) as between:
        site = Site(server, folder / "site", between.url)
        numbers = site.seed(tickets)
        between.spoil = spoil
        for _ in range(8):
            site.run()
        between.spoil = lambda _method, _path: ""
        faults.told("answers spoiled", dict(spoiled))
        settle(site, faults)
    faults.whole(site, numbers)


_REVOKE = """
use strict; use warnings; use RT -init;
my $group = RT::Group->new(RT->SystemUser); $group->LoadUserDefinedGroup('Bots');
for my $name (qw(Support Finance)) {
    my $queue = RT::Queue->new(RT->SystemUser); $queue->Load($name);
    my ($done, $why) = $group->PrincipalObj->%sRight(Right => '%s', Object => $queue); die $why unless $done;
}
"""
RIGHTS = ("CommentOnTicket", "ModifyTicket", "SeeCustomField", "ModifyCustomField", "ShowTicketComments", "SeeQueue")


def rights(server: Server, folder: Path, faults: Faults, tickets: int) -> None:
    for right in RIGHTS:
        site = Site(server, folder / right)
        number = int(
            server.call(
                "POST",
                "/ticket",
                json={
                    "Queue": "Support",
                    "Subject": "Refund",
                    "Requestor": "ann@example.com",
                    "Content": f"Charged twice, without {right}.",
                },
            )["id"]
        )
        time.sleep(3)
        server.perl(_REVOKE % ("Revoke", right))
        server.stop()
        server.start()  # rights are kept in the memory of its processes for a while
        _, said = site.say("doctor")
        summary = site.run("--ticket", str(number))
        row = ticket_of(server, number)
        told = right in said or right in summary["said"] or right in json.dumps(summary)
        faults.told(f"without {right}", f"doctor names it: {right in said}; run ends with {summary['exit']}")
        faults.must(f"without {right}: named", int(told), 1)
        faults.must(f"without {right}: notes", max(0, triage_notes(server, number) - 1))
        server.perl(_REVOKE % ("Grant", right))
        server.stop()
        server.start()
        site.run("--ticket", str(number))
        time.sleep(3)
        row = ticket_of(server, number)
        faults.must(f"with {right} again: triaged", int("ai_processed" in row["tags"]), 1)
        faults.must(f"with {right} again: notes", triage_notes(server, number), 1)


PLAIN = "Content-Type: text/plain; charset="
PARTS = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n'
FILE = 'Content-Type: {0}; name="a"\nContent-Disposition: attachment; filename="a"\n'
MAILS = {
    "plain": f"{PLAIN}utf-8\n\nI was charged twice for my order. Please refund one payment.\n",
    "latin-1": f"{PLAIN}iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n"
    "Die Rechnung wurde zweimal abgebucht. Bitte prüfen Sie das, schöne Grüße.\n",
    "japanese": f"{PLAIN}iso-2022-jp\n\n請求書が二重に引き落とされました。返金してください。\n",
    "html": "Content-Type: text/html; charset=utf-8\n\n<html><body>The <b>app crashes</b> at login.</body></html>\n",
    "rtf": PARTS + FILE.format("application/rtf") + "\n{\\rtf1 My invoice is wrong.}\n--b--\n",
    "attachment": f"{PARTS}{PLAIN}utf-8\n\nWhere is my parcel? See the picture.\n--b\n"
    + FILE.format("image/png")
    + "Content-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--b--\n",
    "photo of 15 MB": f"{PARTS}{PLAIN}utf-8\n\nThe printer does not work any more, see the photo.\n--b\n"
    + FILE.format("image/png")
    + f"Content-Transfer-Encoding: base64\n\n{'iVBORw0KGgoAAAAN' * 1_250_000}\n--b--\n",
}
_CHARSETS = {"latin-1": "iso-8859-1", "japanese": "iso-2022-jp"}
_TRANSACTIONS = """
use strict; use warnings; use RT -init;
my $ticket = RT::Ticket->new(RT->SystemUser); $ticket->Load(%d);
$RT::Handle->BeginTransaction;
for my $minute (1 .. 5000) {
    $ticket->_NewTransaction(Type => 'Set', Field => 'TimeWorked', OldValue => $minute - 1, NewValue => $minute,
                             ActivateScrips => 0, CommitScrips => 0);
}
$RT::Handle->Commit;
my ($into, $from) = (%d, %d);
my $other = RT::Ticket->new(RT->SystemUser); $other->Load($from);
my ($done, $why) = $other->MergeInto($into); die $why unless $done;
"""


def odd(server: Server, folder: Path, faults: Faults, tickets: int) -> None:
    gateway = shutil.which("rt-mailgate-5") or "rt-mailgate"
    for name, text in MAILS.items():
        mail = f"From: Ann <ann@example.com>\nTo: support@example.test\nSubject: {name}\n{text}"
        subprocess.run(
            [gateway, "--queue", "Support", "--action", "correspond", "--url", server.url],
            input=mail.encode(_CHARSETS.get(name, "utf-8")),
            check=True,
            env={**os.environ, "no_proxy": "127.0.0.1"},
        )
    new = {"Queue": "Support", "Requestor": "ann@example.com", "Content": "Where is my refund?"}
    more = [
        int(server.call("POST", "/ticket", json={**new, "Subject": name})["id"])
        for name in ("long", "into", "from", "gone")
    ]
    long, into, merged, gone = more
    server.perl(_TRANSACTIONS % (long, into, merged))
    server.call("PUT", f"/ticket/{gone}", "root", json={"Status": "deleted"})
    time.sleep(3)
    site = Site(server, folder / "site")
    began = time.monotonic()
    summary = site.run()
    faults.told("seconds of the run", round(time.monotonic() - began, 1))
    faults.told("outcomes", summary.get("outcomes"))
    numbers = [number for number in numbers_of(server) if number not in (merged, gone)]
    for number in numbers:
        row = ticket_of(server, number)
        faults.told(row["Subject"], " ".join(tag for tag in row["tags"] if tag != "ai_processed"))
    faults.must(
        "tickets that came by mail",
        sum(ticket_of(server, number)["Subject"] in MAILS for number in numbers),
        len(MAILS),
    )
    faults.whole(site, numbers)
    code, _ = site.say("run", "--ticket", str(merged))
    faults.told("a merged ticket by its old number", f"exit code {code}")
    faults.must("notes on the one that survived", triage_notes(server, into), 1)
    faults.must("notes on the deleted one", triage_notes(server, gone))


PROOFS = (calm, people, crash, broken, rights, odd)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=" ".join(proof.__name__ for proof in PROOFS))
    parser.add_argument("--tickets", type=int, default=200, help="edits and kills go with it")
    given = parser.parse_args()
    if not installed():
        sys.exit(MISSING)
    wrong = 0
    for proof in PROOFS:
        if given.proofs and proof.__name__ not in given.proofs:
            continue
        print(proof.__name__, flush=True)
        began, faults = time.monotonic(), Faults(proof.__name__)
        with tempfile.TemporaryDirectory(prefix="rt-") as name, served(Path(name) / "rt") as server:
            proof(server, Path(name), faults, given.tickets)
            with suppress(OSError):
                shutil.copy(Path(name) / "rt" / "rt.log", Path(tempfile.gettempdir()) / f"rt-{proof.__name__}.log")
        wrong += faults.wrong
        faults.told("minutes", round((time.monotonic() - began) / 60, 1))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
