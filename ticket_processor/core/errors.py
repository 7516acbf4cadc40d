"""All errors, ordered by what the reader should do about them.

Some end the run (:class:`CannotRun` and its bases), others one ticket (:class:`TicketError`); ``exit_code`` is the
process's exit code then. After :class:`AnalysisFailed` the next analyser is asked.

Messages hold no secrets and no words of customers: they end up in logs, mails and terminals.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Literal

from .reasons import why_no_model

MissingPart = Literal["tags", "priority", "group", "fields", "note"]
"""The parts of a change that a helpdesk may refuse while it takes the rest."""


class ExitCode(IntEnum):
    """The process's answer to cron. ``docs/scheduling.md`` lists them for operators."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    CANNOT_RUN = 3
    LOCKED = 75
    INTERRUPTED = 130
    TERMINATED = 143


_WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
    ExitCode.USAGE,
    ExitCode.CANNOT_RUN,
    ExitCode.SOME_FAILED,
    ExitCode.LOCKED,
)


def worst(codes: Iterable[int]) -> int:
    """The worst exit code: faults that a person has to mend come before those that may go away."""
    found = set(codes)
    return int(next((code for code in _WORST_FIRST if code in found), max(found, default=ExitCode.OK)))


class TicketbotError(Exception):
    """Base of the errors that this program expects. ``str()`` is a sentence for a person."""

    exit_code: ExitCode = ExitCode.CANNOT_RUN


class ConfigError(TicketbotError):
    """The settings do not allow a run; ``problems`` holds a sentence for each problem."""

    exit_code = ExitCode.USAGE

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class RunLocked(TicketbotError):
    """Another run holds the state folder."""

    exit_code = ExitCode.LOCKED


class CannotRun(TicketbotError):
    """The run cannot begin or go on; the next run handles the tickets that are not settled."""


class NotAuthorised(CannotRun):
    """The helpdesk or the model server refused the credentials (401, 403)."""


class HelpdeskDown(CannotRun):
    """No usable answer after the allowed attempts, or the circuit breaker is open.

    ``too_long``: an answer had more bytes than we read; a request for less at once may get a shorter one.
    """

    def __init__(self, message: str, *, too_long: bool = False) -> None:
        self.too_long = too_long
        super().__init__(message)


class RateLimited(CannotRun):
    """The server asks us to wait for longer than this run lasts: until ``not_before`` (Unix seconds)."""

    def __init__(self, message: str, *, not_before: float) -> None:
        self.not_before = not_before
        super().__init__(message)


class Halted(CannotRun):
    """The kill switch is set; the message says which, and how to release it."""


class NotePublished(CannotRun):
    """The helpdesk showed an internal note to a customer. No run writes anything more until a person allows it."""


class AuditUnwritable(CannotRun):
    """The log cannot be written, so the helpdesk is not written to either."""


class StateUnusable(CannotRun):
    """The state folder cannot be used as it is."""


class Stopping(TicketbotError):
    """A signal asked the run to end. ``exit_code`` tells which."""

    def __init__(self, exit_code: ExitCode = ExitCode.TERMINATED) -> None:
        self.exit_code = exit_code
        super().__init__(f"stopped by {'Ctrl-C' if exit_code == ExitCode.INTERRUPTED else 'a signal'}")


class DeadlineReached(TicketbotError):
    """The run's time is used up."""

    exit_code = ExitCode.OK


class TicketError(TicketbotError):
    """One ticket could not be handled; the others go on.

    ``if_shared`` is the error that ends the run if the same request fails for many tickets in a row.
    """

    exit_code = ExitCode.SOME_FAILED

    def __init__(self, message: str = "", *, if_shared: type[CannotRun] = CannotRun) -> None:
        self.if_shared = if_shared
        super().__init__(message)


class RequestSkipped(TicketError):
    """The request fails for every ticket, so it was not made for this one; the message is an outcome's reason."""


class TicketUnreadable(TicketError):
    """The helpdesk gives no usable answer about this ticket (5xx, timeout, an unreadable or endless answer).

    ``too_long`` is as in :class:`HelpdeskDown`.
    """

    def __init__(self, message: str = "", *, too_long: bool = False) -> None:
        self.too_long = too_long
        super().__init__(message, if_shared=HelpdeskDown)


class TicketGone(TicketError):
    """The ticket can no longer be written to: deleted, closed or merged."""


class WaitForEarlier(TicketError):
    """Nothing was sent: an earlier write that got no answer may still take effect, and this one would be unguarded."""


class UpdateConflict(TicketError):
    """The ticket has changed since it was read (HTTP 409)."""


class UpdateRefused(TicketError):
    """The helpdesk understood and refused the change (HTTP 4xx)."""


class PartRefused(UpdateRefused):
    """The helpdesk refused the whole change because of one ``part`` of it."""

    def __init__(self, message: str, part: MissingPart) -> None:
        self.part = part
        super().__init__(message)


class TooManyJobs(TicketError):
    """The account has as many jobs under way as it may, so this one is not done; ``wait`` is in seconds."""

    def __init__(self, message: str, wait: float) -> None:
        self.wait = wait
        super().__init__(message)


class JobRefused(TicketError):
    """The helpdesk understood and refused the job as a whole (HTTP 4xx): nothing of it is or will be done."""


class OutcomeUnknown(TicketError):
    """A write was sent and got no clear answer: it may have taken effect, or still take effect."""


class AnalysisFailed(TicketbotError):
    """An analyser gave no usable answer. ``reason`` is a short fixed word, fit for the log.

    ``detail`` is for people: what broke, or the server's own sentence, redacted and short. It stays out of the log.
    """

    exit_code = ExitCode.OK
    about: tuple[str, ...] = ()
    """Arguments of the request that the server seems to refuse."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)

    def __reduce__(self) -> tuple[object, ...]:
        return AnalysisFailed.__new__, (type(self), *self.args), self.__dict__

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason

    @property
    def in_words(self) -> str:
        """The reason and detail for people: ``the model server is unreachable: connection refused``."""
        return why_no_model(self.reason, self.detail)


class ReadOnlyViolation(TicketbotError):
    """A write was attempted where none is allowed; always a bug in this program."""


def why_unusable(path: Path, error: OSError, file: Path | None = None) -> str:
    """Why a folder, or a ``file`` in it, cannot be used: the cause if we find it, else the system's message."""
    if isinstance(error, PermissionError):
        return _whose(file or path, error)[0]
    for above in (path, *path.parents):
        with suppress(OSError):
            if above.is_file():
                return f"{above} is a file, not a folder"
    return error.strerror or str(error)


def state_unusable(folder: Path, error: OSError, file: Path | None = None) -> StateUnusable:
    """The error for an unusable state folder, or ``file`` in it; every caller uses the same words."""
    why = why_unusable(folder, error, file)
    owner = _whose(file or folder, error)[1] if isinstance(error, PermissionError) else None
    way = f"start ticketbot as {owner}, make it writable for this user" if owner else "make it writable"
    return StateUnusable(
        f"the state folder {folder} cannot be used ({why}): {way}, or name another as state_dir (TICKETBOT_STATE_DIR)"
    )


def _whose(path: Path, error: OSError) -> tuple[str, str | None]:
    """A sentence with the path's owner and this process's user, if known; and the owner, if it is another user."""
    plain = error.strerror or str(error)
    if sys.platform == "win32":
        return plain, None
    import pwd

    for place in (path, *path.parents):
        with suppress(OSError):
            about = place.stat()
            with suppress(KeyError):
                owner, user = (pwd.getpwuid(uid).pw_name for uid in (about.st_uid, os.geteuid()))
                if owner != user:
                    return f"{place} belongs to {owner}, and this is {user}", owner
                return f"{place} belongs to {owner}, as it should, but its mode is {about.st_mode & 0o777:03o}", None
            break
    return plain, None


def how_to_install(extra: str) -> str:
    """The command that installs an extra of ticketbot for the Python that runs this.

    The reader's terminal may have another Python: cron may have started the program, or a tool that keeps each program
    in its own environment.
    """
    import importlib.metadata  # not above: it would slow down every start of the command line
    import importlib.util
    import shlex

    if importlib.util.find_spec("pip") is None:
        return f"install ticketbot again with its extra '{extra}', as it was installed (a container: when it is built)"
    what = "ticketbot"
    try:
        importlib.metadata.distribution(what)  # pip then takes the one that is there, and asks no index for it
    except importlib.metadata.PackageNotFoundError:
        what = str(Path(__file__).resolve().parents[1])
    python = sys.executable or "python"
    if os.name != "nt":
        python = shlex.quote(python)
    elif set(python) & set(" &()^;,=%!'"):
        python = f'"{python}"'
    return f'{python} -m pip install "{what}[{extra}]"'


def unexpected(error: Exception) -> str:
    """An unexpected error as type and place. Its own message may quote a ticket or a secret, so it stays out."""
    if isinstance(error, TicketbotError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}"
