"""A service that is one run, and the timer that starts it. Pure.

A service of the system's manager sees only what a run needs, and writes only into its own folders. A user's manager
cannot set up most of that, and refuses to start the service for some of it, so its units ask for the rest only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .job import PERIODS_MIN, STOP_GRACE_S, File, Installed, LocalJob, ScheduledJob, mark

SUCCESS = "75 143"
"""Another run is active; stopped by a signal. Not 1: a Python that cannot even be started ends with that too."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:@,")
_NOT_IN_A_PROGRAM = frozenset("\"'\\$")
_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - recognised, not written to
_ANYWHERE = """\
NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""
_SYSTEM_ONLY = """\
AmbientCapabilities=
CapabilityBoundingSet=
KeyringMode=private
PrivateDevices=yes
PrivateMounts=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
"""


def files(job: LocalJob, folder: str, *, system: bool) -> tuple[File, File]:
    """Service and timer for the units' ``folder``; ``system`` says whose manager is to have them."""
    return (
        File(f"{folder}/{job.name}.service", service(job, system=system)),
        File(f"{folder}/{job.name}.timer", timer(job)),
    )


def service(job: LocalJob, *, system: bool) -> str:
    """The service unit: one run, oneshot, with a limit above our own watchdog's."""
    unit = [f"# {mark(job.settings)}", "[Unit]", "Description=ticketbot: triage of new helpdesk tickets, one run"]
    if system:
        unit += ["Wants=network-online.target", "After=network-online.target time-sync.target"]
    lines = [
        "[Service]",
        "Type=oneshot",
        *([f"User={job.user}"] if system and job.user else []),
        f"WorkingDirectory={job.folder.replace('%', '%%')}",
        f"ExecStart={_exec(job.command)}",
        f"TimeoutStartSec={job.limit_s}",
        f"TimeoutStopSec={STOP_GRACE_S}",
        "KillMode=mixed",  # a run of several accounts passes the signal on, and a second one ends a run at once
        f"SuccessExitStatus={SUCCESS}",
    ]
    hardening = _ANYWHERE + (_SYSTEM_ONLY + "\n".join([*_places(job), ""]) if system else "")
    return "\n".join([*unit, "", *lines, "", hardening])


def timer(job: LocalJob) -> str:
    """The timer unit. The delay within half a minute is the same each time, so that runs keep their distance."""
    return f"""\
# {mark(job.settings)}
[Unit]
Description=ticketbot: a run every {job.every_min} minutes

[Timer]
OnCalendar={calendar(job)}
Persistent=true
AccuracySec=1s
RandomizedDelaySec=30
FixedRandomDelay=true

[Install]
WantedBy=timers.target
"""


def installed(timer: str) -> Installed:
    """The options that a timer was made with, as far as it still holds them."""
    found = re.search(r"^OnCalendar=(.*)$", timer, re.MULTILINE)
    jobs = (ScheduledJob("", every, 0, 0) for every in PERIODS_MIN)
    return Installed(every_min=next((job.every_min for job in jobs if found and calendar(job) == found[1]), None))


def calendar(job: ScheduledJob) -> str:
    """When the timer elapses. In UTC, so that no hour is left out or comes twice when clocks change."""
    hours, minutes = divmod(job.every_min, 60)
    if minutes:
        return f"*:0/{minutes} UTC"
    return "*:00 UTC" if hours == 1 else "00:00 UTC" if hours == 24 else f"0/{hours}:00 UTC"


def quote(word: str) -> str:
    """``word`` as one argument of a command line, or as one path of a list of paths."""
    escaped = word.replace("%", "%%")
    if word and _PLAIN.issuperset(word):
        return escaped
    escaped = escaped.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def problems(job: LocalJob) -> list[str]:
    """The reasons why systemd cannot take this job."""
    # systemd takes this path without unquoting it, and a backslash at its end joins two lines.
    if job.folder.endswith("\\") or job.folder != job.folder.strip():
        return [f"the folder {job.folder!r} begins or ends with what systemd would take off; rename it"]
    return []


def _exec(command: tuple[str, ...]) -> str:
    program, *arguments = command
    quoted = [quote(word).replace("$", "$$") for word in arguments]
    if _NOT_IN_A_PROGRAM.isdisjoint(program):
        return " ".join([quote(program), *quoted])
    # systemd refuses a program with such characters in its path, which the shell does not.
    return " ".join(["/bin/sh", "-c", '"exec \\"$$0\\" \\"$$@\\""', quote(program).replace("$", "$$"), *quoted])


def _places(job: LocalJob) -> Iterator[str]:
    """The lines that say which parts of the file system the service sees, and where it may write."""
    needed = (*job.reads, *job.writes, job.folder)
    yield "ProtectSystem=strict"
    yield f"ProtectHome={'read-only' if _any_in(needed, _HOMES) else 'yes'}"
    if _any_in(needed, _TEMPORARY):
        yield "ReadWritePaths=/tmp"  # a private one would hide what the run needs there
    else:
        yield "PrivateTmp=yes"
    for path in job.writes:
        yield f"ReadWritePaths={quote('-' + path)}"


def _any_in(paths: tuple[str, ...], folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for path in paths for folder in folders)
