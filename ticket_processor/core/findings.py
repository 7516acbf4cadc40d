"""What an examination of a set-up finds: one type, and one order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from .models import Frozen

SetupPart = Literal["settings", "categories", "account", "rules", "articles", "health"]
SetupSeverity = Literal["problem", "warning", "advice"]
SeenBy = Literal["customers", "agents", "operator"]

_SEEN: tuple[SeenBy, ...] = ("customers", "agents", "operator")


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
    seen_by: SeenBy = "agents"
    places: tuple[ArticlePlace, ...] = ()


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """What customers would see first, then agents, then the operator; problems first in each, and all advice last."""
    return sorted(
        dict.fromkeys(findings),
        key=lambda item: (item.severity == "advice", _SEEN.index(item.seen_by), item.severity != "problem"),
    )
