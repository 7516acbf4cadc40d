"""How much memory a hostile or broken server can make ticketbot take: peak of a process for each client and reply.

    python scripts/measure_replies.py
    python scripts/measure_replies.py --clients export chat --replies gzip endless

A server on loopback sends bodies that unpack to gigabytes, never end, or become many times as long when they are
parsed; the clients are those of a run, each in a process of its own. Prints the largest resident set in MB and what the
client made of the reply. Exit code 1 when a client takes more than 200 MB. Not for Windows.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

LIMIT_MB = 200
MOST_SENT = 600_000_000
"""After so many bytes an endless body ends: no client reads as far."""
SPACES = b" " * 1_000_000

# What the server sends


def gzipped() -> Iterator[bytes]:
    """Seven gigabytes in seven megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield packer.compress(b'{"tickets": [], "more": "')
    for _ in range(7000):
        yield packer.compress(SPACES)
    yield packer.compress(b'"}') + packer.flush()


def deflated() -> Iterator[bytes]:
    """The same without gzip's head."""
    packer = zlib.compressobj(9)
    for _ in range(7000):
        yield packer.compress(SPACES)
    yield packer.flush()


def layered() -> Iterator[bytes]:
    """Packed three times."""
    once = gzip.compress(SPACES * 100)
    yield gzip.compress(gzip.compress(once * 50))


def endless() -> Iterator[bytes]:
    """Spaces for ever."""
    return itertools.repeat(SPACES)


def chunked(body: Iterator[bytes]) -> Iterator[bytes]:
    """A body in HTTP's chunks."""
    for piece in body:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def filled(begin: bytes, unit: bytes, size: int, end: bytes) -> Iterator[bytes]:
    """A JSON text of nearly ``size`` bytes."""
    yield begin + unit * ((size - len(begin) - len(end) - 1000) // len(unit)) + end


JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


def reply(name: str, size: int) -> Iterator[bytes]:
    """A whole answer, head and body; ``size`` is the limit of the endpoint, which some stay just below."""
    emoji = "\N{GRINNING FACE}".encode()
    shapes: dict[str, tuple[bytes, bytes, bytes]] = {
        "nested": (b"", b"[", b""),
        "giant string": (b'{"tickets": ["' + emoji, b"a", b'"]}'),
        "tiny objects": (b'{"tickets": [', b'{"":{}},', b"{}]}"),
        "tiny lists": (b'{"tickets": [', b"[],", b"[]]}"),
        "numbers": (b'{"tickets": [', b"1e5,", b"0]}"),
        "names": (b'{"tickets": [', b'"ab",', b'"ab"]}'),
    }
    if name == "page":  # of tickets as they are, with one emoji each: every character takes four bytes
        dates = b'"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"'
        row = b'{"id": 1, %s, "description": "%s%s"},' % (dates, emoji, b"a" * 12_000)
        shapes[name] = b'{"after_cursor": "again", "tickets": [', row, row[:-1] + b"]}"
    if name in shapes:
        begin, unit, end = shapes[name]
        return itertools.chain([JSON_HEAD + b"\r\n"], filled(begin, unit, size, end))
    packed = JSON_HEAD + b"Content-Encoding: gzip\r\n\r\n"
    heads: dict[str, tuple[bytes, Callable[[], Iterator[bytes]]]] = {
        "gzip": (packed, gzipped),
        "gzip of nothing": (packed, lambda: itertools.repeat(gzip.compress(b"") * 50_000)),
        "deflate": (JSON_HEAD + b"Content-Encoding: deflate\r\n\r\n", deflated),
        "layered gzip": (JSON_HEAD + b"Content-Encoding: gzip, gzip, gzip\r\n\r\n", layered),
        "br": (JSON_HEAD + b"Content-Encoding: br\r\n\r\n", endless),
        "zstd": (JSON_HEAD + b"Content-Encoding: zstd\r\n\r\n", endless),
        "endless": (JSON_HEAD + b"\r\n", endless),
        "endless chunks": (JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", lambda: chunked(endless())),
        "chunk of any length": (JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", endless),
        "error with gzip": (packed.replace(b"200 OK", b"503 Busy"), gzipped),
        "redirect with gzip": (packed.replace(b"200 OK", b"302 Found\r\nLocation: /elsewhere"), gzipped),
        "long header": (JSON_HEAD + b"X-Long: ", endless),
        "many headers": (JSON_HEAD, lambda: itertools.repeat(b"X-Many: " + b"a" * 60_000 + b"\r\n")),
        "cookies": (JSON_HEAD + b"".join(b"Set-Cookie: c%d=%s\r\n" % (n, b"a" * 60_000) for n in range(90)), endless),
    }
    head, body = heads[name]
    return itertools.chain([head], body())


REPLIES = (
    "gzip,gzip of nothing,deflate,layered gzip,br,zstd,endless,endless chunks,chunk of any length,error with gzip,"
    "redirect with gzip,long header,many headers,cookies,nested,giant string,tiny objects,tiny lists,numbers,names,page"
).split(",")


@contextmanager
def serving(name: str, size: int) -> Iterator[str]:
    """A server that gives this one answer to everything, and its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            try:
                seen = b""
                while b"\r\n\r\n" not in seen:
                    seen += connection.recv(65_536) or b"\r\n\r\n"
                sent = 0
                for piece in reply(name, size):
                    connection.sendall(piece)
                    sent += len(piece)
                    if sent > MOST_SENT:
                        break
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass  # closed over what was not read, the connection would be reset
            except OSError:  # the client has had enough
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=[connection], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


# Who reads it, in a process of its own


def of_helpdesk(client: str, url: str) -> str:
    """A call of the helpdesk's client."""
    from ticket_processor.core.clock import Deadline, SystemClock
    from ticket_processor.core.errors import TicketbotError
    from ticket_processor.core.models import Change
    from ticket_processor.settings.helpdesks import ZendeskSettings
    from ticket_processor.wiring.parts import transport_for
    from ticket_processor.zendesk import Zendesk

    class Impatient(Deadline):
        def wait(self, seconds: float) -> None:
            """Not at all: what is measured does not depend on it."""

    clock = SystemClock()
    signed: dict[str, object] = {"oauth_token": "t"}
    if client == "token":
        signed = {"oauth_client_id": "c", "oauth_client_secret": "s"}
    settings = ZendeskSettings.model_validate({"url": url, **signed})
    transport = transport_for(settings, clock, Impatient(clock, 60))
    desk = Zendesk(transport)
    change = Change(
        ticket_id=1, stamp="2026-11-21T02:30:00Z", tags=("a",), tags_before=(), tags_added=("a",), key="k", intent="i"
    )
    calls: dict[str, Callable[[], object]] = {
        "export": lambda: [len(page.tickets) for page in desk.pages(None, 0.0)],
        "token": lambda: desk.fetch([1]),
        "tickets": lambda: desk.fetch([1]),
        "audits": lambda: desk.history(1),
        "update": lambda: desk.update(change),
    }
    try:
        return str(calls[client]())[:80]
    except TicketbotError as error:
        return f"{type(error).__name__}: {error}"


def of_model(client: str, url: str) -> str:
    """A call of the models' clients."""
    from ticket_processor.analysis.model_server.chat import OpenAIServer
    from ticket_processor.analysis.model_server.embeddings import Embedder
    from ticket_processor.analysis.model_server.settings import EmbeddingSettings, ModelTarget
    from ticket_processor.core.errors import AnalysisFailed
    from ticket_processor.monitoring.health_servers import ask_model_server

    target = ModelTarget(name="m", model="m", preset="compatible", base_url=f"{url}/v1", api_key=None)
    try:
        if client == "models":
            return ask_model_server([target])[0].text
        if client == "embeddings":
            settings = EmbeddingSettings(model="m", base_url=f"{url}/v1")
            return str(Embedder(settings, wait=lambda _: None).embed(["text"]))[:80]
        return str(OpenAIServer(target, lambda: 60.0).complete("m", [{"role": "user", "content": "x"}], None))[:80]
    except AnalysisFailed as failed:
        return f"{type(failed).__name__}: {failed}"


def of_notices(client: str, url: str) -> str:
    """A ping or an alert."""
    if client == "heartbeat":
        from ticket_processor.monitoring.receivers import Heartbeat

        heartbeat = Heartbeat(f"{url}/ping")
        thread = heartbeat.finish(0, "well")
        if thread is not None:
            thread.join()
        return heartbeat.trouble or "arrived"
    from ticket_processor.monitoring.receivers import tame_libraries, through

    tame_libraries()
    return through(f"json://{url.removeprefix('http://')}/", lambda service: service.notify(body="x")) or "arrived"


CLIENTS: dict[str, tuple[Callable[[str, str], str], int]] = {
    "export": (of_helpdesk, 12_000_000),
    "tickets": (of_helpdesk, 2_100_000),
    "audits": (of_helpdesk, 2_000_000),
    "update": (of_helpdesk, 2_000_000),
    "token": (of_helpdesk, 2_000_000),
    "chat": (of_model, 1_000_000),
    "embeddings": (of_model, 12_000_000),
    "models": (of_model, 1_000_000),
    "heartbeat": (of_notices, 1_000_000),
    "alert": (of_notices, 1_000_000),
}
"""Each with the most that its reply may have."""


def peak_mb() -> float:
    """The largest resident set of this process."""
    status = Path("/proc/self/status")
    if status.exists():  # the other figure begins with that of the process which started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", nargs="+", choices=CLIENTS, default=list(CLIENTS))
    parser.add_argument("--replies", nargs="+", choices=REPLIES, default=REPLIES)
    parser.add_argument("--ask", nargs=2, metavar=("CLIENT", "URL"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ask:
        client, url = asked.ask
        said = CLIENTS[client][0](client, url)
        print(json.dumps({"mb": round(peak_mb()), "said": said}))
        return
    worst = 0
    for client in asked.clients:
        for name in asked.replies:
            with serving(name, CLIENTS[client][1]) as url:
                # Nothing of the environment: a proxy would be in the way, and a key is none of this server's business.
                done = subprocess.run(
                    [sys.executable, __file__, "--ask", client, url], capture_output=True, text=True, timeout=300
                )
            if done.returncode:
                sys.exit(f"{client}, {name}: {done.stderr}")
            found = json.loads(done.stdout.splitlines()[-1])
            worst = max(worst, found["mb"])
            print(f"{client:>10}  {name:<20} {found['mb']:>4} MB  {found['said'][:110]}", flush=True)
    print(f"largest: {worst} MB (limit: {LIMIT_MB} MB)")
    sys.exit(int(worst > LIMIT_MB))


if __name__ == "__main__":
    main()
