"""A report by mail, to the addresses that alerts go to. Needs the extra ``alerts`` (apprise)."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import ConfigError
from ..monitoring.receivers import Receiver, package_missing, receivers, tame_libraries, through
from ..settings.schema import AlertSettings

if TYPE_CHECKING:
    from apprise import NotifyBase

MAIL = (
    "mailto", "mailtos", "mailgun", "sendgrid", "ses", "smtp2go", "sparkpost", "brevo", "resend", "postmark", "o365",
    "azure",
)  # fmt: skip
"""Kinds of addresses that mean mail."""
NOBODY = (
    "no mail receiver is set: put a mailtos:// address into TICKETBOT_ALERT_URLS; docs/report.md shows what it "
    "looks like"
)


def mail_receivers(settings: AlertSettings) -> list[Receiver]:
    """The receivers of a report. Raises :class:`ConfigError` when there is none, or the extra is missing."""
    found = [one for one in receivers(settings) if one.kind in MAIL and not one.target.critical_only]
    if not found:
        raise ConfigError(NOBODY)
    if importlib.util.find_spec("apprise") is None:
        raise ConfigError(package_missing())
    return found


def send(everybody: Sequence[Receiver], title: str, body: str, page: str, name: str) -> list[tuple[Receiver, str]]:
    """Mail ``body`` (HTML; its text goes along), and ``page`` as the attached file ``name``.

    Returns the receivers that it could not reach, each with the reason, which holds no address.
    """
    tame_libraries()
    with tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True) as folder:
        attachment = Path(folder) / name
        attachment.write_text(page, encoding="utf-8")
        tried = [(receiver, _sent(receiver, title, body, attachment)) for receiver in everybody]
    return [(receiver, why) for receiver, why in tried if why is not None]


def _sent(receiver: Receiver, title: str, body: str, attachment: Path) -> str | None:
    def mail(service: NotifyBase) -> bool:
        from apprise import Apprise, NotifyFormat

        post = Apprise(service, asset=service.asset)  # which turns the body into what the service takes
        return bool(post.notify(body=body, title=title, body_format=NotifyFormat.HTML, attach=str(attachment)))

    return through(receiver.url, mail)
