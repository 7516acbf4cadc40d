"""A line of a crontab, in a block that is added and removed without touching the rest. Pure.

There is no ``flock``: runs hold a lock of their own, also those by hand. There is no ``CRON_TZ``: not every cron knows
it, and it would affect the lines below. A period of up to an hour is the same in every zone; when a change of clocks
moves a longer one, the next run continues from the cursor.
"""

from __future__ import annotations

import re
import shlex

from .job import STOP_GRACE_S, Installed, LocalJob, cron_times, every_of, mark

LONGEST_COMMAND = 990
"""Bytes; some crons cut a command off at a thousand, without a word."""
_BEGIN, _END = "# BEGIN ticketbot schedule ", "# END ticketbot schedule "
_HOW = "put here by 'ticketbot schedule install', taken out by 'ticketbot schedule remove'"
_ADDRESS = r"""[^\s"'%=#,]+(,[^\s"'%=#,]+)*"""


class BrokenBlock(ValueError):
    """A block begins and does not end, or ends without a beginning."""


def quote(word: str) -> str:
    r"""``word`` as one argument, for the shell and for every cron.

    Cron takes a bare ``%`` for a line's end. Some crons remove the backslash of ``\%`` and some leave it; the same
    holds for ``\\``. So a ``%`` stands outside the quotes, where the shell removes a backslash that cron has left,
    and a backslash is followed by a quotation mark, which no cron changes.
    """
    return r"\%".join(shlex.quote(part).replace("\\", "\\''") if part else "" for part in word.split("%")) or "''"


def command(job: LocalJob, timeout: str | None = None) -> str:
    """The shell command of the line. ``timeout`` is the path of that program, if there is one: cron has no limit."""
    words = list(map(quote, job.command))
    if timeout:
        words = [quote(timeout), "-k", str(STOP_GRACE_S), str(job.limit_s), *words]
    return f"cd {quote(job.folder)} && {' '.join(words)}"


def render(job: LocalJob, *, timeout: str | None = None, mail_to: str | None = None) -> str:
    """The block; it ends with a line's end. ``mail_to``, if any, gets what a run prints, not the crontab's owner."""
    lines = [f"{begin_of(job.name)} {_HOW}", f"# {mark(job.settings)}"]
    if mail_to:
        lines.append(f"MAILTO={mail_to}")
    return "\n".join([*lines, f"{cron_times(job)} {command(job, timeout)}", end_of(job.name), ""])


def problems(job: LocalJob, *, timeout: str | None = None, mail_to: str | None = None) -> list[str]:
    """The reasons why cron cannot take this job."""
    found = []
    if len(command(job, timeout).encode()) > LONGEST_COMMAND:
        found.append(
            "the paths of this installation are too long for a line of a crontab; move it, or use another scheduler"
        )
    if mail_to and not re.fullmatch(_ADDRESS, mail_to):
        found.append(
            f"--mail-to {mail_to}: must be an address such as team@example.com, or some with commas between; '' is the "
            "crontab's owner"
        )
    return found


def installed(block: str) -> Installed:
    """The options that a block was made with, as far as its lines still hold them."""
    mail_to = re.search(r"^MAILTO=(.+)$", block, re.MULTILINE)
    line = re.search(r"^[\d*@].*$", block, re.MULTILINE)
    return Installed(
        every_min=every_of(" ".join(line[0].split()[:5])) if line else None,
        mail_to=mail_to[1].strip() if mail_to else None,
    )


def block_in(crontab: str, name: str) -> str | None:
    """The job's block, if there is one. Raises :class:`BrokenBlock`."""
    return _split(crontab, name)[1]


def put(crontab: str, name: str, block: str) -> str:
    """The crontab with ``block`` at its end instead of an earlier one, so that its ``MAILTO`` affects no other line."""
    rest = take(crontab, name)
    return rest + ("\n" if rest and not rest.endswith("\n") else "") + block


def take(crontab: str, name: str) -> str:
    """The crontab without the job's block; the rest unchanged, byte for byte. Raises :class:`BrokenBlock`."""
    before, _block, after = _split(crontab, name)
    return before + after


def by_hand(crontab: str) -> list[int]:
    """Numbers of the lines outside ticketbot's blocks that seem to start runs too."""
    inside, found = False, []
    for number, line in enumerate(crontab.split("\n"), 1):
        if line.startswith((_BEGIN, _END)):
            inside = line.startswith(_BEGIN)
        elif not inside and not line.lstrip().startswith("#") and re.search(r"\bticketbot\b.*\brun\b", line):
            found.append(number)
    return found


def begin_of(name: str) -> str:
    """How the first line of the job's block begins."""
    return f"{_BEGIN}{name}:"


def end_of(name: str) -> str:
    """The last line of the job's block."""
    return f"{_END}{name}"


def _split(crontab: str, name: str) -> tuple[str, str | None, str]:
    """The text before the block, the block, and the text after it."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", crontab)  # splitlines() knows more line ends than cron does
    begins = [place for place, line in enumerate(lines) if line.startswith(begin_of(name))]
    ends = [place for place, line in enumerate(lines) if line.rstrip() == end_of(name)]
    if not begins and not ends:
        return crontab, None, ""
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise BrokenBlock(name)
    first, last = begins[0], ends[0] + 1
    return "".join(lines[:first]), "".join(lines[first:last]), "".join(lines[last:])
