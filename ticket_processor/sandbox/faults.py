"""Scripted misbehaviour: which requests go wrong, how, and how often, repeatable by seed.

For each request the rules of a plan are asked in order; the first that strikes decides what goes wrong.

Compact text, for a command line: rules separated by commas, each ``kind[=probability][:METHOD][:/path][:option=value]``
with ``/path`` a regular expression searched in the request's path::

    lost-reply=0.05,error-before=0.02:PUT:/tickets/,slow:GET:seconds=3:times=2
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NamedTuple, Self

from .messages import Fate, Request, Response, json_response, text_response
from .store import SHAPES


class Kind(NamedTuple):
    """What comes of a request: whether it is ``done``, and the status answered instead of its own answer, if any."""

    done: bool
    status: int = 0
    fate: Fate = "reply"
    seconds: float = 0.0


KINDS: Mapping[str, Kind] = {
    "lost-request": Kind(done=False, fate="drop"),
    "lost-reply": Kind(done=True, fate="drop"),
    "error-before": Kind(done=False, status=503),
    "error-after": Kind(done=True, status=500),
    "rate-limit": Kind(done=False, status=429, seconds=5.0),
    "slow": Kind(done=True, seconds=5.0),
    "unauthorised": Kind(done=False, status=401),
    "status": Kind(done=False, status=500),
}
_NUMBERS = {"times": int, "after": int, "status": int, "seconds": float, "probability": float, "ticket": int}


@dataclass
class FaultRule:
    """One kind of misbehaviour and when it strikes.

    ``method`` and ``path`` (a regular expression) narrow the requests; ``after`` lets that many of them
    pass first, ``times`` ends the rule after so many strikes. ``seconds`` and ``status`` have defaults by kind.
    Raises ``ValueError`` for a rule that makes no sense. A subclass may know more ``kinds``.
    """

    kinds: ClassVar[Mapping[str, Kind]] = KINDS

    kind: str
    method: str | None = None
    path: str = ""
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    status: int | None = None
    seconds: float | None = None
    _seen: int = field(default=0, init=False, repr=False)
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in self.kinds:
            raise ValueError(f"unknown fault {self.kind!r}; the faults are {', '.join(self.kinds)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"{self.kind}: the probability must lie between 0 and 1")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"{self.kind}: the path is no regular expression: {error}") from None

    def strikes(self, request: Request, dice: random.Random) -> bool:
        """Whether this request is hit; counts it either way."""
        if self.method not in (None, request.method) or not re.search(self.path, request.path):
            return False
        self._seen += 1
        if self._seen <= self.after or (self.times is not None and self.struck >= self.times):
            return False
        if self.probability < 1 and dice.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def spoils(self, route: Callable[[], Response], sandbox: Any) -> Response:
        """What a client gets of a request that ``route`` handles, in the form of the sandbox's helpdesk."""
        kind = self.kinds[self.kind]
        seconds = kind.seconds if self.seconds is None else self.seconds
        response = route() if kind.done else Response(0)
        if status := self.status or kind.status:
            body = SHAPES["faults"][sandbox.helpdesk].get(self.kind)
            response = text_response(status, f"{status} error\n") if body is None else json_response(status, body)
        if self.kind == "rate-limit":
            response.headers["Retry-After"] = str(int(seconds))
        response.delay += seconds if self.kind == "slow" else 0.0
        response.fate = kind.fate
        return response


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
