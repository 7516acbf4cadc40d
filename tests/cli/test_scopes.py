"""Runs whose OAuth tokens have narrower scopes: the least that works, and what is said where it is less."""

from __future__ import annotations

import pytest

from ticket_processor.sandbox.access import Credentials

from .conftest import Desk, OpenDesk

LEAST = "read tickets:write"


def scoped(open_desk: OpenDesk, allowed: str, asked: str, tickets: int = 6) -> Desk:
    """An account whose OAuth client may have the scopes ``allowed``, and settings that ask for ``asked``."""
    desk = open_desk(tickets, credentials=Credentials(allowed_scopes=frozenset(allowed.split())))
    desk.configure(f'[zendesk]\noauth_scope = "{asked}"\n')
    return desk


@pytest.mark.parametrize("tickets", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_the_least_scopes_do_all_that_a_run_and_an_undo_need(open_desk: OpenDesk, tickets: int) -> None:
    desk = scoped(open_desk, LEAST, LEAST, tickets)
    ended = desk("run", "--since", "1d", "--json").object
    assert ended["outcomes"] == {"updated": tickets}
    assert ended["statement"]["checked"] == min(tickets, 20)
    desk.assert_done()
    desk("undo", ended["run_id"])
    assert desk.marked() == []


def test_a_scope_that_the_client_may_not_have_is_named_and_nothing_is_written(open_desk: OpenDesk) -> None:
    desk = scoped(open_desk, LEAST, "read write")
    told = " ".join(desk("run", "--since", "1d", code=3).err.split())
    assert "does not grant this OAuth client the scope 'read write' (invalid_scope)" in told
    assert "set zendesk.oauth_scope" in told
    assert desk.marked() == []
