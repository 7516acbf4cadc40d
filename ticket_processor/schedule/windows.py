"""A task for Windows' Task Scheduler, as the XML that it imports. Pure.

The order of elements is the documented schema's, which wants a trigger's in sequence. Times are UTC.
"""

from __future__ import annotations

import re
import subprocess
from xml.etree import ElementTree as Xml

from .job import PERIODS_MIN, File, Installed, LocalJob, mark

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
FIRST_DAY = "2026-01-01"
"""Any past day: Task Scheduler counts the periods from it."""
LONGEST_PATH = 260


def render(job: LocalJob) -> str:
    """The task in ASCII and without an XML declaration, so that it is right in whatever encoding it is saved.

    ``job.user`` runs it, logged on or not, with no more rights than that takes and without a stored password (S4U).
    """
    task = Xml.Element("Task", {"version": "1.3", "xmlns": NAMESPACE})
    info = Xml.SubElement(task, "RegistrationInfo")
    _text(info, "Description", f"ticketbot: triage of new helpdesk tickets. {mark(job.settings)}")

    trigger = Xml.SubElement(Xml.SubElement(task, "Triggers"), "TimeTrigger")
    _text(trigger, "Enabled", "true")
    _text(trigger, "StartBoundary", f"{FIRST_DAY}T00:{job.minute:02}:00Z")
    _text(Xml.SubElement(trigger, "Repetition"), "Interval", duration(job.every_min * 60))

    principal = Xml.SubElement(Xml.SubElement(task, "Principals"), "Principal", {"id": "Author"})
    _text(principal, "UserId", job.user or "")
    _text(principal, "LogonType", "S4U")
    _text(principal, "RunLevel", "LeastPrivilege")

    settings = Xml.SubElement(task, "Settings")
    for name, value in (
        ("MultipleInstancesPolicy", "IgnoreNew"),
        ("DisallowStartIfOnBatteries", "false"),
        ("StopIfGoingOnBatteries", "false"),
        ("AllowHardTerminate", "true"),
        ("StartWhenAvailable", "true"),
        ("RunOnlyIfNetworkAvailable", "false"),
        ("AllowStartOnDemand", "true"),
        ("Enabled", "true"),
        ("Hidden", "false"),
        ("RunOnlyIfIdle", "false"),
        ("WakeToRun", "false"),
        ("ExecutionTimeLimit", duration(job.limit_s)),
    ):
        _text(settings, name, value)

    run = Xml.SubElement(Xml.SubElement(task, "Actions", {"Context": "Author"}), "Exec")
    _text(run, "Command", job.command[0])
    # The C library's rules, by which the program takes them apart again.
    _text(run, "Arguments", subprocess.list2cmdline(job.command[1:]))
    _text(run, "WorkingDirectory", job.folder)
    Xml.indent(task)
    written: bytes = Xml.tostring(task, encoding="us-ascii")
    return written.decode("ascii") + "\n"


def file(job: LocalJob) -> File:
    """The task as the file that Task Scheduler imports."""
    text = render(job)
    return File(f"{job.name}.xml", text, encoded(text))


def encoded(task: str) -> bytes:
    """The file that Task Scheduler imports: UTF-16 with a byte order mark, and a declaration that says so."""
    text = f'<?xml version="1.0" encoding="UTF-16"?>\n{task}'
    return ("\ufeff" + text.replace("\n", "\r\n")).encode("utf-16-le")


def duration(seconds: int) -> str:
    """A time span as XML has it: ``PT9M40S``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if number)
    return f"PT{parts or '0S'}"


def installed(task: str) -> Installed:
    """The options that a task was made with, as far as its XML still holds them."""
    found = re.search(r"<Interval>P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?</Interval>", task)
    days, hours, minutes = map(int, found.groups(default="0")) if found else (0, 0, 0)
    every_min = (days * 24 + hours) * 60 + minutes
    return Installed(every_min=every_min if every_min in PERIODS_MIN else None)


def problems(job: LocalJob) -> list[str]:
    """The reasons why Task Scheduler cannot take this job."""
    found = []
    if not job.user:
        found.append("Windows did not say who you are: USERNAME is not set")
    for text in (*job.command, job.folder):
        if re.search(r"%[^%]+%|\$\(", text):
            found.append(f"the path {text} holds %...% or $(, which Task Scheduler would replace; rename it")
    for text in (job.command[0], job.folder):
        if len(text) > LONGEST_PATH:
            found.append(f"the path {text} is longer than the {LONGEST_PATH} characters that Task Scheduler takes")
    return list(dict.fromkeys(found))


def _text(parent: Xml.Element, name: str, text: str) -> None:
    Xml.SubElement(parent, name).text = text
