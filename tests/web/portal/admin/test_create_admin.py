from __future__ import annotations

from contextlib import closing

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.helpdesk.local_model import NewTicket, Person
from ticket_processor.web.portal.agent_accounts import Passwords

from ..site import Site, site

__all__ = ["site"]
PASSWORD, OTHER = "correct horse battery staple", "a wholly different phrase"


def create(site: Site, email: str, password: str) -> tuple[int, str]:
    """The exit code, and everything that is printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(site.command.folder)
        done = CliRunner().invoke(
            app, ["portal", "create-admin", email], input=f"{password}\n", env=site.command.environ
        )
    return done.exit_code, done.output


def found(site: Site, email: str) -> Person | None:
    with closing(site.store) as store:
        return store.by_email(email)


def test_an_admin_is_added_with_the_password_of_standard_input_which_is_printed_nowhere(site: Site) -> None:
    code, said = create(site, "Ada@example.com", PASSWORD)
    assert (code, PASSWORD in said) == (0, False)
    person = found(site, "ada@example.com")
    assert person
    assert person.role == "admin"
    assert Passwords().fits(person.password_hash, PASSWORD)


def test_somebody_who_is_known_becomes_admin_with_the_new_password(site: Site) -> None:
    with closing(site.store) as store:
        store.create(NewTicket("Hi", "Help.", "ada@example.com"), 1_800_000_000.0)
    for password in (PASSWORD, OTHER):
        assert create(site, "ada@example.com", password)[0] == 0
        person = found(site, "ada@example.com")
        assert person
        assert person.role == "admin"
        assert Passwords().fits(person.password_hash, password)


def test_weak_passwords_and_what_is_no_address_are_refused(site: Site) -> None:
    for email, password in (("ada@example.com", "short"), ("ada", PASSWORD), ("ada@example.com", "")):
        code, said = create(site, email, password)
        assert (code, bool(said)) == (2, True)
    assert found(site, "ada@example.com") is None
