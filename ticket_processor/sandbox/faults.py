"""Scripted misbehaviour: which requests go wrong, how, and how often, repeatable by seed.

A plan is a list of rules. For each request the rules are asked in order; the first that fires decides what goes wrong.

Compact text, for a command line: rules separated by commas, each ``kind[=probability][:METHOD][:/path][:option=value]``
with ``/path`` a regular expression searched in the request's path::

    lost-reply=0.05,error-before=0.02:PUT:/tickets/,slow:GET:seconds=3:times=2
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from .basics import http_date
from .messages import Request, Response, json_response, text_response
from .store import SHAPES

KINDS: dict[str, str] = {
    "lost-request": "nothing is done, the connection closes",
    "lost-reply": "the request is done, the connection closes",
    "late-commit": "the connection closes now, the request is done `seconds` later",
    "error-before": "nothing is done, a 5xx (`status`) is answered",
    "error-after": "the request is done, a 5xx (`status`) is answered",
    "conflict": "nothing is done, 409 DatabaseConflict is answered",
    "rate-limit": "nothing is done, 429 is answered with Retry-After as `retry_after` says",
    "slow": "the answer takes `seconds`",
    "half-body": "the request is done, half of the answer arrives",
    "html": "nothing is done, 200 with an HTML login page",
    "not-json-4xx": "nothing is done, a 4xx (`status`) in plain text",
    "unauthorised": "nothing is done, 401 is answered",
    "status": "nothing is done, `status` is answered",
}
RETRY_AFTER = ("seconds", "http-date", "decimal", "junk", "huge", "none")

_SECONDS = {"late-commit": 20.0, "slow": 5.0, "rate-limit": 5.0}
_STATUS = {"error-before": 503, "error-after": 500, "not-json-4xx": 400, "status": 500}
_NUMBERS = {"times": int, "after": int, "status": int, "seconds": float, "probability": float, "ticket": int}


@dataclass
class FaultRule:
    """One kind of misbehaviour and when it strikes.

    ``method`` and ``path`` (a regular expression) narrow the requests; ``after`` lets that many of them
    pass first, ``times`` ends the rule after so many strikes. ``seconds`` and ``status`` have defaults by kind.
    Raises ``ValueError`` for a rule that makes no sense. A subclass may know more ``kinds``.
    """

    kinds: ClassVar[Mapping[str, str]] = KINDS

    kind: str
    method: str | None = None
    path: str | None = None
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    status: int | None = None
    seconds: float | None = None
    retry_after: str = "seconds"
    _seen: int = field(default=0, init=False, repr=False)
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in self.kinds:
            raise ValueError(f"unknown fault {self.kind!r}; the faults are {', '.join(self.kinds)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"{self.kind}: the probability must lie between 0 and 1")
        if self.retry_after not in RETRY_AFTER:
            raise ValueError(f"{self.kind}: retry_after is one of {', '.join(RETRY_AFTER)}")
        if self.seconds is None:
            self.seconds = _SECONDS.get(self.kind, 0.0)
        if self.status is None:
            self.status = _STATUS.get(self.kind, 0)
        try:
            re.compile(self.path or "")
        except re.error as error:
            raise ValueError(f"{self.kind}: the path is no regular expression: {error}") from None

    def strikes(self, request: Request, dice: random.Random) -> bool:
        """Whether this request is hit; counts it either way."""
        if self.method is not None and request.method != self.method.upper():
            return False
        if not re.search(self.path or "", request.path):
            return False
        self._seen += 1
        if self._seen <= self.after or (self.times is not None and self.struck >= self.times):
            return False
        if self.probability < 1 and dice.random() >= self.probability:
            return False
        self.struck += 1
        return True


class FaultPlan:
    """Rules and the dice. Deterministic: the same requests in the same order meet the same faults.

    Not thread-safe by itself; the sandbox's lock covers it.
    """

    rule: ClassVar[type[FaultRule]] = FaultRule

    def __init__(self, rules: Iterable[FaultRule] = (), seed: int = 0) -> None:
        self.rules = list(rules)
        self.dice = random.Random(seed)

    @classmethod
    def parse(cls, text: str, seed: int = 0) -> Self:
        """From the compact text. Raises ``ValueError`` saying what is wrong."""
        return cls([_parse_rule(cls.rule, part) for part in text.split(",") if part.strip()], seed)

    def choose(self, request: Request) -> FaultRule | None:
        """The first rule that strikes this request."""
        return next((rule for rule in self.rules if rule.strikes(request, self.dice)), None)


def instead(rule: FaultRule, now: float, dice: random.Random, helpdesk: str = "zendesk") -> Response:
    """The answer of a rule that answers by itself, in the helpdesk's form."""
    status, told = SHAPES["faults"][helpdesk].get(rule.kind, (rule.status or 500, None))
    if rule.kind == "html":
        return text_response(200, "<!DOCTYPE html><title>Sign in</title><h1>Sign in</h1>", "text/html; charset=utf-8")
    if rule.kind == "not-json-4xx":
        return text_response(status, "The request could not be processed.\n")
    if rule.kind == "status":
        told = {"error": f"Fault{status}", "description": "A scripted fault"}
    response = text_response(status, f"{status} error\n") if told is None else json_response(status, told)
    if rule.kind == "rate-limit" and (value := _retry_after(rule, now, dice)) is not None:
        response.headers["Retry-After"] = value
    return response


def _retry_after(rule: FaultRule, now: float, dice: random.Random) -> str | None:
    seconds = rule.seconds or 0.0
    return {
        "seconds": str(int(seconds)),
        "http-date": http_date(now + seconds),
        "decimal": f"{seconds:.1f}",
        "junk": dice.choice(["soon", "", "-5", "NaN", "1e999", "12 minutes"]),
        "huge": "31536000",
        "none": None,
    }[rule.retry_after]


def _parse_rule(kind_of_rule: type[FaultRule], text: str) -> FaultRule:
    head, *parts = [part.strip() for part in text.split(":")]
    kind, equals, probability = head.partition("=")
    options: dict[str, Any] = {"kind": kind.strip(), **({"probability": probability} if equals else {})}
    for part in parts:
        name, equals, value = part.partition("=")
        if part.startswith("/"):
            options["path"] = part
        elif equals:
            options[name.replace("-", "_")] = value
        elif part.isalpha():
            options["method"] = part.upper()
        else:
            raise ValueError(f"{text.strip()!r}: {part!r} is no method, no /path and no option=value")
    known = sorted(item.name for item in fields(kind_of_rule) if item.init)
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"a fault has no option {name!r}; its options are {', '.join(known)}")
        try:
            options[name] = _NUMBERS.get(name, str)(value)
        except ValueError:
            raise ValueError(f"{kind}: {name} must be a number") from None
    return kind_of_rule(**options)
