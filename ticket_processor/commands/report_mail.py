"""A report by mail, to the addresses that alerts go to. Needs the extra ``alerts`` (apprise)."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..alerts import EXTRA, Receiver, hush_libraries, receivers
from ..config import AlertSettings
from ..errors import ConfigError, unexpected

MAIL = (
    "mailto", "mailtos", "mailgun", "sendgrid", "ses", "smtp2go", "sparkpost", "brevo", "resend", "postmark", "o365",
    "azure",
)  # fmt: skip
"""Kinds of addresses that mean mail."""
NOBODY = (
    "there is nobody to mail to: put a mailtos:// address into TICKETBOT_ALERT_URLS; docs/report.md shows what it "
    "looks like"
)


def mail_receivers(settings: AlertSettings) -> list[Receiver]:
    """Whom a report goes to. Raises :class:`ConfigError` when there is nobody, or the extra is missing."""
    found = [one for one in receivers(settings) if one.kind in MAIL and not one.target.critical_only]
    if not found:
        raise ConfigError(NOBODY)
    if importlib.util.find_spec("apprise") is None:
        raise ConfigError(EXTRA)
    return found


def send(everybody: Sequence[Receiver], title: str, body: str, page: str, name: str) -> list[tuple[Receiver, str]]:
    """Mail ``body`` (HTML; its text goes along), and ``page`` as the attached file ``name``.

    What could not be sent comes back, with why, in words that hold no address.
    """
    hush_libraries()
    with tempfile.TemporaryDirectory(prefix="ticketbot-", ignore_cleanup_errors=True) as folder:
        attachment = Path(folder) / name
        attachment.write_text(page, encoding="utf-8")
        tried = [(receiver, _sent(receiver, title, body, attachment)) for receiver in everybody]
    return [(receiver, why) for receiver, why in tried if why is not None]


def _sent(receiver: Receiver, title: str, body: str, attachment: Path) -> str | None:
    try:
        from apprise import Apprise, AppriseAsset, NotifyFormat

        # No pictures from elsewhere: what is sent goes to the one address that the settings name.
        name = "ticketbot"
        post = Apprise(asset=AppriseAsset(app_id=name, app_desc=name, app_url="", image_url_mask=""))
        if not post.add(receiver.url):
            return "its address is none that Apprise understands"
        arrived = post.notify(body=body, title=title, body_format=NotifyFormat.HTML, attach=str(attachment))
    except Exception as error:  # noqa: BLE001 - a plugin's own message may hold the address, which is a secret
        return unexpected(error)
    return None if arrived else "it could not be reached, or did not take the message"
