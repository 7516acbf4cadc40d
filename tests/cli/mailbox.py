"""A mail server that takes everything and keeps it, on a port of its own."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What has arrived. With ``refusing``, nothing is taken."""

    port: int = 0
    refusing: bool = False
    mails: list[EmailMessage] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address as Apprise has it."""
        return f"mailto://127.0.0.1:{self.port}/?from=bot@example.com&to=team@example.com"


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server, as long as the context lasts."""
    box = Mailbox()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            for raw in self.rfile:
                word = raw.strip().upper()
                if word.startswith((b"EHLO", b"HELO")):
                    self.say("250 here")
                elif word.startswith(b"DATA"):
                    self.say("354 go on")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    text = b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)
                    box.mails.append(email.message_from_bytes(text, policy=email.policy.default))  # type: ignore[arg-type]
                    self.say("250 taken")
                elif word.startswith(b"QUIT"):
                    self.say("221 bye")
                    break
                else:
                    self.say("550 no" if box.refusing else "250 fine")

        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Talk) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield box
        finally:
            server.shutdown()
