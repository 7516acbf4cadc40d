"""A Request Tracker 5 on this machine's loopback, with a database of its own, and an office around it.

Debian's packages ``request-tracker5 rt5-db-sqlite rt5-standalone`` are needed; any user may start it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import requests

from ticket_processor.core.clock import Deadline, SystemClock
from ticket_processor.helpdesk.request_tracker import RequestTracker
from ticket_processor.helpdesk.request_tracker_format import Shape
from ticket_processor.helpdesk.request_tracker_reads import own_user, read_labels, requesters
from ticket_processor.settings.helpdesks import RequestTrackerSettings
from ticket_processor.state.store import State
from ticket_processor.wiring.parts import transport_for

SHARE = Path("/usr/share/request-tracker5")
PROGRAM = SHARE / "libexec" / "rt-server"
PACKAGES = "request-tracker5 rt5-db-sqlite rt5-standalone dbconfig-no-thanks msmtp-mta"
MISSING = f"Request Tracker is not installed (Debian: apt-get install --no-install-recommends {PACKAGES})"
PASSWORD = "a-password-of-the-tests"
ANN = "ann@example.com"
SUPPORT, ORDER = 3, 2

_CONFIG = """
$RT::VarPath = '{folder}/var';
$RT::MasonDataDir = '{folder}/mason';
$RT::MasonSessionDir = '{folder}/session';
Set($rtname, 'rt.example.test');
Set($Organization, 'example.test');
Set($CorrespondAddress, 'support@example.test');
Set($CommentAddress, 'comment@example.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($Timezone, 'UTC');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/var/rt5.sqlite');
Set($DatabaseUser, '');
Set($DatabasePassword, '');
Set($MailCommand, 'mbox');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
1;
"""
_PEOPLE = """
use strict; use warnings; use RT -init;
my $system = RT->SystemUser;
sub made { my ($class, $create, %given) = @_; my $one = $class->new($system);
           my ($id, $why) = $one->$create(%given); die "$class: $why" unless $id; return $one }
my @queues = map { made('RT::Queue', 'Create', Name => $_) } qw(Support Finance);
my %rights = (Staff => [qw(SeeQueue ShowTicket ShowTicketComments CommentOnTicket ReplyToTicket ModifyTicket OwnTicket
                           CreateTicket SeeCustomField ModifyCustomField WatchAsAdminCc DeleteTicket)],
              Bots => [qw(SeeQueue ShowTicket ShowTicketComments CommentOnTicket ModifyTicket ShowOutgoingEmail
                          SeeCustomField ModifyCustomField)]);
my %fields = ('1 Order' => ['FreeformSingle', 'RT::Queue-RT::Ticket'], '2 Tags' => ['FreeformMultiple',
              'RT::Queue-RT::Ticket'], '3 Triage' => ['FreeformSingle', 'RT::Queue-RT::Ticket'],
              '4 Triage run' => ['FreeformSingle', 'RT::Queue-RT::Ticket-RT::Transaction']);
for my $name (sort keys %fields) {
    my $field = made('RT::CustomField', 'Create', Name => substr($name, 2), Type => $fields{$name}[0],
                     LookupType => $fields{$name}[1]);
    $field->AddToObject($_) for @queues;
}
my $all = RT::Group->new($system); $all->LoadSystemInternalGroup('Everyone');
sub grant { my ($group, @rights) = @_;
            for my $queue (@queues) { $group->PrincipalObj->GrantRight(Right => $_, Object => $queue) for @rights } }
grant($all, qw(CreateTicket ReplyToTicket));
for my $pair (['Staff', 'agent'], ['Bots', 'ticketbot']) {
    my $group = made('RT::Group', 'CreateUserDefinedGroup', Name => $pair->[0]);
    grant($group, @{$rights{$pair->[0]}});
    my $user = made('RT::User', 'Create', Name => $pair->[1], EmailAddress => "$pair->[1]\\@example.test",
                    Privileged => 1, Password => $ENV{PASSWORD});
    $group->AddMember($user->PrincipalId);
}
made('RT::User', 'Create', Name => 'ann@example.com', EmailAddress => 'ann@example.com', RealName => 'Ann');
my $root = RT::User->new($system); $root->Load('root'); $root->SetPassword($ENV{PASSWORD});
"""


class Server:
    """A running RT in ``folder``. ``call`` speaks for a person."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "var" / "rt5.sqlite"
        self._config = folder / "RT_SiteConfig.pm"
        self._environment = {
            **os.environ,
            "RT_SITE_CONFIG": str(self._config),
            "RT_SITE_CONFIG_DIR": os.devnull,
            "PASSWORD": PASSWORD,
        }
        self._sessions: dict[str, requests.Session] = {}
        self._signing_in = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the database, its people, queues and fields."""
        for name in ("var", "mason", "session"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._config.write_text(_CONFIG.format(folder=self.folder, port=self.port), encoding="utf-8")
        (self.folder / "password").write_text(PASSWORD, encoding="utf-8")
        setup = ("rt-setup-database-5", "--action", "init", "--root-password-file", str(self.folder / "password"))
        self._do(*setup)
        self.perl(_PEOPLE)

    def perl(self, program: str) -> str:
        """What a program prints that uses RT's own modules."""
        return self._do("perl", f"-I{SHARE / 'lib'}", "-", given=program)

    def _do(self, *command: str, given: str = "") -> str:
        done = subprocess.run(
            command, env=self._environment, input=given, capture_output=True, text=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def start(self, workers: int = 4) -> None:
        """Serve, and wait until it answers."""
        with (self.folder / "rt.log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "--host", "127.0.0.1", "--port", str(self.port), "--max-workers", str(workers)],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for _ in range(300):
            with suppress(requests.RequestException):
                if requests.get(f"{self.url}/REST/2.0/rt", auth=("root", PASSWORD), timeout=10).ok:
                    return
            time.sleep(0.1)
        raise RuntimeError((self.folder / "rt.log").read_text(encoding="utf-8", errors="replace")[-2000:])

    def stop(self, *, kill: bool = False) -> None:
        """End it, at once where it is killed."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9 if kill else 15)
            self._process.wait()
            self._process = None

    def call(self, method: str, path: str, who: str = "agent", **given: Any) -> Any:
        """The answer to a request of a person."""
        with self._signing_in:
            if who not in self._sessions:
                session = self._sessions[who] = requests.Session()
                session.trust_env = False
                session.headers["Connection"] = "close"
                session.post(f"{self.url}/NoAuth/Login.html", data={"user": who, "pass": PASSWORD}, timeout=60)
        reply = self._sessions[who].request(method, f"{self.url}/REST/2.0{path}", timeout=60, **given)
        reply.raise_for_status()
        return reply.json()

    def sql(self, *statements: str) -> None:
        """Change the database beneath RT: time passes, and tickets of earlier tests go."""
        with sqlite3.connect(self.database, timeout=30) as database:
            for statement in statements:
                database.execute(statement)
        database.close()

    def age(self, seconds: float, ticket: int | None = None) -> None:
        """Make everything, or a ticket, older."""
        one, its = ("", "") if ticket is None else (f" WHERE id = {ticket}", f" WHERE ObjectId = {ticket}")
        made, changed = (f"{name} = datetime({name}, '-{int(seconds)} seconds')" for name in ("Created", "LastUpdated"))
        self.sql(f"UPDATE Tickets SET {made}, {changed}{one}", f"UPDATE Transactions SET {made}{its}")

    def mails(self) -> str:
        """All mail that would have gone out."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in self.folder.glob("var/*.mbox"))

    @property
    def settings(self) -> dict[str, str]:
        """The environment that leads ticketbot here."""
        return {
            "TICKETBOT_HELPDESK": "request-tracker",
            "RT_URL": self.url,
            "RT_USER": "ticketbot",
            "RT_PASSWORD": PASSWORD,
        }


def installed() -> bool:
    """Whether RT can be started here."""
    return PROGRAM.exists() and shutil.which("rt-setup-database-5") is not None


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """A fresh RT; it takes some six seconds."""
    server = Server(folder)
    server.make()
    server.start()
    try:
        yield server
    finally:
        server.stop()


class RequestTrackerOffice:
    """See :class:`tests.helpdesk.test_contract.ZendeskOffice`."""

    guards, shut_is, group, relists, ticks = False, "deleted", SUPPORT, False, 30.0

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        server.sql("UPDATE Tickets SET Status = 'deleted'")
        clock = SystemClock()
        account = RequestTrackerSettings(url=server.url, user="ticketbot", password=PASSWORD)
        self.transport = transport_for(account, clock, Deadline(clock, 300), share=1.0)
        self.state = State(folder / "state.sqlite3")
        self.desk = RequestTracker(self.transport, self.state, Shape(), own_user(self.transport, "ticketbot"))
        self.people = requesters(self.transport)
        self.labels = partial(read_labels, self.transport)
        self.now, self.later = time.time, server.age

    def add(self, subject: str = "Refund", *, age: float = 7200.0, tags: Sequence[str] = ()) -> int:
        made = {"Queue": "Support", "Subject": subject, "Requestor": ANN, "Content": "Charged twice."}
        number = int(self.server.call("POST", "/ticket", json={**made, "CustomFields": {"Tags": list(tags)}})["id"])
        if age:
            self.server.age(age, number)
        return number

    def agent(self, number: int, *, add_tags: Sequence[str] = (), remove_tags: Sequence[str] = ()) -> None:
        fields = self.server.call("GET", f"/ticket/{number}")["CustomFields"]
        there = next(each["values"] for each in fields if each["name"] == "Tags")
        tags = [*(tag for tag in there if tag not in remove_tags), *add_tags]
        self.server.call("PUT", f"/ticket/{number}", json={"CustomFields": {"Tags": tags}})

    def answer(self, number: int) -> None:
        said = {"Content": "Which order?", "ContentType": "text/plain"}
        self.server.call("POST", f"/ticket/{number}/correspond", json=said)

    def solve(self, number: int) -> None:
        self.server.call("PUT", f"/ticket/{number}", json={"Status": "resolved"})

    def shut(self, number: int) -> None:
        self.server.call("PUT", f"/ticket/{number}", "root", json={"Status": "deleted"})

    def notes(self, number: int) -> list[tuple[bool, str]]:
        return notes_of(self.server, number)


def notes_of(server: Server, number: int) -> list[tuple[bool, str]]:
    """What ticketbot said on a ticket: whether customers could read it, and the words."""
    query = f"TicketId = {number} AND (Type = 'Comment' OR Type = 'Correspond')"
    params: dict[str, str | int] = {"query": query, "fields": "Type,Creator", "per_page": 100}
    told = server.call("GET", "/transactions", "root", params=params)["items"]
    kinds = {row["id"]: row["Type"] for row in told if row["Creator"]["id"] == "ticketbot"}
    params = {"fields": "TransactionId,Content", "per_page": 100}
    said = server.call("GET", f"/ticket/{number}/attachments", "root", params=params)["items"]
    known = [(kinds[row["TransactionId"]], row["Content"]) for row in said if row["TransactionId"] in kinds]
    return [(kind == "Correspond", text) for kind, text in known]


def ticket_of(server: Server, number: int) -> dict[str, Any]:
    """A ticket as RT shows it to an administrator, with ``tags``."""
    row: dict[str, Any] = server.call("GET", f"/ticket/{number}", "root")
    fields = {each["name"]: each["values"] for each in row["CustomFields"]}
    return {**row, "tags": fields["Tags"], "key": json.dumps(fields["Triage"])}
