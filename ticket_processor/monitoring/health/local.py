"""Health checks of the local helpdesk: its file is there, and its tickets can be read and written."""

from __future__ import annotations

import os
from contextlib import closing

from ...core.errors import CannotRun
from ...helpdesk.local_store import LocalStore
from ...settings.helpdesks import LocalSettings
from .checks import Check, CheckResult, fail, ok, skipped, warn

_ANEW = "'ticketbot local export' and 'import' into a new file (local.path) make it anew"
_NO_SERVER = "the local helpdesk is a file on this machine"


def look(account: LocalSettings) -> CheckResult:
    """Whether the helpdesk can be used; the checks of a server's clock and credentials do not apply."""
    return CheckResult((_file(account), skipped("clock", _NO_SERVER), skipped("credentials", _NO_SERVER)))


def _file(account: LocalSettings) -> Check:
    name, path = "helpdesk", account.file
    try:
        with closing(LocalStore(path, make=False)) as store:
            tickets = sum(store.counts()["status"].values())
            finds = os.access(path, os.W_OK) and store.is_index_whole()
    except CannotRun as error:
        return fail(name, str(error), problem="unusable")
    if not os.access(path, os.W_OK):
        return fail(name, f"the local helpdesk in {path} (local.path) cannot be written to", problem="read_only")
    if not finds:
        return warn(name, f"searches miss tickets: the index of words in {path} is damaged: {_ANEW}", problem="index")
    return ok(name, f"local helpdesk in {path}: {tickets} tickets, which can be read and written", tickets=tickets)
