"""What an examination of a set-up finds: one type, and one order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from .models import Frozen

SetupPart = Literal["settings", "categories", "account", "rules", "articles", "health"]
SetupSeverity = Literal["problem", "warning", "advice"]
_SEVERITIES: tuple[SetupSeverity, ...] = ("problem", "warning", "advice")


class ArticlePlace(Frozen):
    """An article that a finding is about."""

    article: str
    title: str = ""
    url: str = ""


class Finding(Frozen):
    """One finding: what it is about, what happens and why, and what to do where ``text`` does not say it.

    A ``problem`` does not work, mails customers or undoes our work; a ``warning`` may do so. ``id`` is of a rule.
    """

    part: SetupPart
    severity: SetupSeverity
    kind: str
    what: str = ""
    id: str = ""
    text: str
    advice: str = ""
    places: tuple[ArticlePlace, ...] = ()


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Problems first, then warnings, and all advice last."""
    return sorted(dict.fromkeys(findings), key=lambda item: _SEVERITIES.index(item.severity))
