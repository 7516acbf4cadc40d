"""A model server that drafts replies from a script, and an account with articles, for the tests of drafts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ticket_processor.sandbox.messages import Request, Response, json_response

from ..imitation import Sandbox
from ..replies.articles import claim, said
from .conftest import Desk, OpenDesk, is_chat

URL = "https://help.example.com"
PAID_BACK = "The second payment is released within five days."
ARTICLES = {
    "charged.md": f"---\nurl: {URL}/charged\naudience: everyone\n---\n# Charged twice\n"
    f"A card is sometimes charged twice for one subscription.\n{PAID_BACK}\n",
    "goodwill.md": "# Charged twice: goodwill\nAn agent may give a voucher to who was charged twice.\n",
    "doppelt.md": f"---\nurl: {URL}/doppelt\naudience: everyone\nlang: de\n---\n# Doppelt belastet\n"
    "Die zweite Belastung der Karte wird innerhalb von fünf Tagen erstattet.\n",
}
TICKET = {"subject": "Charged twice", "body": "I was charged twice for my subscription. When is it paid back?"}
GERMAN = {
    "subject": "Doppelt belastet",
    "body": "Guten Tag, meine Karte wurde zweimal belastet. Wann wird die zweite Belastung erstattet?",
}
KNOWLEDGE = '[knowledge]\nfolders = ["help"]\n'
DRAFT = f'[replies]\nmode = "draft"\n{KNOWLEDGE}'
FENCE = re.compile(rb"[0-9a-f]{12}")
HEAD = "Draft reply (read it before you send it):"
GOOD = said(claim(PAID_BACK), verdict="partial")
Answer = Mapping[str, Any] | str | int
"""What the model answers to a request for claims: an object, any text, or an HTTP status."""


def wants_claims(request: Request) -> bool:
    return is_chat(request) and '"name":"reply"' in request.body.decode().replace('": "', '":"')


class Drafting(Sandbox):
    """A sandbox whose model answers requests for claims from a script, the last answer for ever."""

    script: list[Answer]
    seconds = 0.0

    def handle(self, request: Request) -> Response:
        if not wants_claims(request):
            return super().handle(request)
        for look in self.on_request:
            look(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, int):
            return json_response(answer, {"error": {"message": "no", "type": "server_error"}})
        content = answer if isinstance(answer, str) else json.dumps(answer)
        message = {"role": "assistant", "content": content}
        response = json_response(
            200,
            {
                "model": "sandbox-model",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1_000, "completion_tokens": 100},
            },
        )
        response.delay = self.seconds
        return response


def with_articles(
    open_desk: OpenDesk,
    *script: Answer,
    toml: str,
    tickets: Any = (TICKET,),
    kind: type[Sandbox] = Drafting,
) -> Desk:
    """An account with articles, a model, and settings."""
    desk = open_desk([{"age": 7200.0, **row} for row in tickets], kind=kind, model=True)
    desk.sandbox.script = list(script)  # type: ignore[attr-defined]
    (desk.folder / "help").mkdir()
    others = {f"{name}.md": f"# {name}\nAll about {name}.\n" for name in ("Printers", "Parcels", "Vouchers")}
    for name, text in (ARTICLES | others).items():
        (desk.folder / "help" / name).write_text(text, encoding="utf-8")
    desk.configure(toml)
    desk("kb", "sync")
    desk.seen.clear()
    return desk
