from __future__ import annotations

import pytest

from ticket_processor.helpdesk.http_messages import parsed_json
from ticket_processor.helpdesk.protocol import Helpdesk
from ticket_processor.sandbox.messages import Request, Response

from ..imitation import Sandbox
from ..imitation.faults import BROKEN
from ..support.fakes import START
from ..support.freshdesk_account import FreshAccount
from .test_zendesk import Account

KINDS = ("export", "search", "freshdesk")


def _account(kind: str) -> tuple[Helpdesk, Sandbox, list[int]]:
    """The client of an account with three tickets, the second of which has the subject POISON."""
    subjects = ("Broken", "POISON", "Broken")
    if kind == "freshdesk":
        fresh = FreshAccount()
        return fresh.client, fresh.sandbox, [fresh.add(subject).id for subject in subjects]
    account = Account(bot_role="agent" if kind == "search" else "admin")
    return account.desk, account.sandbox, [account.add(subject=subject) for subject in subjects]


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_breaks_the_rules_of_json_a_little_is_read_all_the_same(kind: str, how: str) -> None:
    desk, sandbox, numbers = _account(kind)

    def spoil(_: Request, response: Response) -> None:
        response.body = response.body.replace(b'"POISON"', BROKEN[how])

    sandbox.after_request.append(spoil)
    pages = list(desk.pages(None, START - 86_400))
    assert {ticket.id for page in pages for ticket in page.tickets} == set(numbers)
    assert not any(page.unread for page in pages)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (rb'["\ud83d\ude00 \ud83d \\x"]', ["😀 \N{REPLACEMENT CHARACTER} \\x"]),
        (rb'["\udc00 \\ud83d"]', ["\N{REPLACEMENT CHARACTER} \\ud83d"]),
        (rb'["\x41 \u12G4"]', ["\N{REPLACEMENT CHARACTER}x41 \N{REPLACEMENT CHARACTER}u12G4"]),
        (b'["\xff\x00\n"]', ["\N{REPLACEMENT CHARACTER}\x00\n"]),
        (b"[Infinity,-Infinity,NaN]", ["Infinity", "-Infinity", "NaN"]),
        (b'["a', None),
        (b"[" * 100_000, None),
    ],
)
def test_json_is_read_leniently_where_that_changes_nothing_else(content: bytes, value: object) -> None:
    assert parsed_json(content, 10**9) == value
