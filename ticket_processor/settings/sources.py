"""Where settings come from: ``ticketbot.toml``, ``.env`` and environment variables; an error is one sentence.

A line is named and never quoted, since it may hold a secret.
"""

from __future__ import annotations

import difflib
import io
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream

from ..core.errors import ConfigError

Place = tuple[int | str, ...]
OURS = ("ZENDESK_", "TICKETBOT_", "OPENAI_")
"""How variables begin that nobody else means."""

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_NAME = rf"({_PART}(?:\s*\.\s*{_PART})*)"
_TABLE = re.compile(rf"\s*(\[\[?)\s*{_NAME}\s*\]")
_SETTING = re.compile(rf"\s*{_NAME}\s*=")
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_SAVE = "save it again as UTF-8 (Notepad: Save as, Encoding)"

_BACKSLASH = (
    "in double quotes \\ begins a sign of its own: put the text in single quotes, as 'C:\\logs', or write / instead"
)
_ENDS = "a quotation mark is missing: text has one, \" or ', at its beginning and the same at its end"
_UNSEEN = "it holds a character that cannot be seen: type the line anew"
_TWICE = "this is there already, written in another way; keep one of the two"
_WORDS = {
    "true": "write true and false in small letters",
    "false": "write true and false in small letters",
    "yes": "a switch is true or false",
    "no": "a switch is true or false",
    "on": "a switch is true or false",
    "off": "a switch is true or false",
}
_BEHIND = (
    "what stands behind the value is not understood: numbers are plain digits, a comment begins with #, and text "
    "between two \" may hold ' only"
)
_BY_MESSAGE: Mapping[str, str] = {
    "Unescaped": _BACKSLASH,
    "Invalid hex value": _BACKSLASH,
    "Unterminated": _ENDS,
    'Expected "\'"': _ENDS,
    r"Illegal character '\n'": _ENDS,
    r"Found invalid character '\n'": _ENDS,
    "Illegal character": _UNSEEN,
    "Found invalid character": _UNSEEN,
    "Expected ']'": "a table's name needs its closing ], with nothing but a comment behind it",
    "Expected newline": _BEHIND,
    "Unclosed": 'a list is not closed, or a comma is missing in it; it has to look like ["a", "b"]',
    "Cannot": _TWICE,
    "Duplicate": _TWICE,
}
"""By how a message of ``tomllib`` begins."""
_NOT_UNDERSTOOD = "it is not understood; a line is name = value, a [table], or a comment that begins with #"


@dataclass(frozen=True)
class TomlFile:
    """A file's settings, and where each of them stands."""

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[Place, int] = field(default_factory=dict)

    def where(self, place: Place) -> str:
        """``ticketbot.toml, line 3``: the line of a setting or, where that is not known, of what it is part of."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.lines:
                return f"{self.name}, line {self.lines[place[:length]]}"
        return self.name


def read_toml(path: Path) -> TomlFile:
    """The settings of a file. Raises :class:`ConfigError` with the one sentence that says why it cannot be read."""
    if not path.exists():
        raise ConfigError(f"the configuration file {path} does not exist; 'ticketbot init' writes one")
    text = _text(path)
    lines: dict[Place, int] = {}
    twice: list[tuple[int, str]] = []
    for number, place, shown in _places(text):
        if place in lines:
            twice.append((number, shown.format(f"already, in line {lines[place]}")))
        lines.setdefault(place, number)
    try:
        return TomlFile(path.name, tomllib.loads(text), lines)
    except tomllib.TOMLDecodeError as error:
        number, why = _explained(str(error), text, twice)
        raise ConfigError(f"{path}, line {number}: {why}") from None


def read_env(path: Path) -> tuple[dict[str, str], list[str]]:
    """The variables of a file, none where there is no such file; and what is wrong with its lines, a sentence each.

    Raises :class:`ConfigError` when it cannot be read at all.
    """
    if not path.exists() or path.is_dir():  # a virtual environment may have that name
        return {}, []
    text = _text(path)
    found: dict[str, str] = {}
    problems = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            line = binding.original.string.strip().removeprefix("export ").lstrip()
            if line.startswith(OURS):
                number = binding.original.line + _blank_lines(binding.original.string)
                problems.append(f"{path}, line {number}: write NAME=value, with both quotation marks or none")
        elif binding.key is not None:
            found[binding.key] = binding.value or ""  # as it stands: a secret may hold "${"
    return found, problems


def _blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        raise ConfigError(f"{path} is saved as UTF-16, which Notepad calls Unicode: {_SAVE}")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        number = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {number}: it holds a letter that is not UTF-8: {_SAVE}") from None


def _places(text: str) -> Iterator[tuple[int, Place, str]]:
    """Line, place, and what to say if it is not the first, for every table and setting that begins a line."""
    table: Place = ()
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if head := _TABLE.match(line):
            names = _names(head[2])
            if head[1] == "[[":
                counts[names] = counts.get(names, -1) + 1
            table = _numbered(names, counts)
            yield number, table, _as_shown(names, one_of_many=head[1] == "[" and names in counts)
        elif setting := _SETTING.match(line):
            names = _names(setting[1])
            yield number, (*table, *names), f"{'.'.join(names)} is set {{}}; keep one of the two"


def _as_shown(names: tuple[str, ...], *, one_of_many: bool) -> str:
    name = ".".join(names)
    if one_of_many:
        return f"there is one {{}}; each of these begins with [[{name}]], with two brackets on each side"
    return f"[{name}] is there {{}}; keep one of the two, with the settings of both below it"


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, text))


def _numbered(names: tuple[str, ...], counts: Mapping[tuple[str, ...], int]) -> Place:
    """With the number of each that there are many of behind its name."""
    place: Place = ()
    for length, name in enumerate(names, start=1):
        place += (name, counts[names[:length]]) if names[:length] in counts else (name,)
    return place


def _explained(message: str, text: str, twice: list[tuple[int, str]]) -> tuple[int, str]:
    """The line, and what is wrong with it."""
    if message.startswith(("Cannot", "Duplicate")) and twice:
        number, what = twice[0]
        return number, what
    lines = text.rstrip().split("\n")
    position = _POSITION.search(message)
    if position is None or position[1] is None:
        return len(lines), _why(message, lines[-1], "")
    number = int(position[1])
    line = text.split("\n")[number - 1]
    return number, _why(message, line, line[int(position[2]) - 1 :])


def _why(message: str, line: str, rest: str) -> str:
    """``rest`` is what of the line stands where the reader stumbled."""
    if rest[:1] in tuple("“”„‟‘’‚«»"):
        return "these quotation marks are a word processor's: write a typewriter's, \" or '"
    if message.startswith("Invalid value"):
        return _wrong_value(line, rest)
    if message.startswith("Expected '='") and re.match(rf"\s*{_NAME}\s*:", line):
        return "a name and its value are joined by =, not by :"
    if message.startswith("Expected newline") and rest.startswith(("//", "--")):
        return "a comment begins with #"
    if message.startswith("Expected newline") and re.match(r",\s*\d", rest):
        return "a number takes a decimal point, not a comma"
    if message.startswith("Invalid initial character") and line.rstrip().endswith((",", "{")):
        return "what stands between { and } has to be on one line"
    for beginning, words in _BY_MESSAGE.items():
        if message.startswith(beginning):
            return words
    return _NOT_UNDERSTOOD


def _wrong_value(line: str, rest: str) -> str:
    word = re.match(r"\w*", rest)
    if not rest.strip() or rest.lstrip().startswith("#"):
        return "nothing stands behind the =; to leave the setting at its default, put a # before its name"
    if word and word[0].lower() in _WORDS:
        return _WORDS[word[0].lower()]
    return (
        "text needs quotation marks, and a path with \\ in it single ones, as 'C:\\logs'; numbers, true and false none"
    )


CONFIG_VARIABLE = "TICKETBOT_CONFIG"


def _says_stop(text: str) -> bool:
    """In the environment anything but a clear no stops: whoever reaches for this switch may be in a hurry."""
    return text.lower() not in ("0", "false", "no", "off")


@dataclass(frozen=True)
class Variable:
    """An environment variable: where its value goes, and whether it is a secret, a list, or the kill switch."""

    path: tuple[str, ...]
    meaning: str
    secret: bool = False
    many: bool = False
    switch: bool = False

    def value(self, text: str) -> object:
        """What ``text`` stands for."""
        if self.many:
            return [item.strip() for item in text.split(",") if item.strip()]
        return _says_stop(text) if self.switch else text


VARIABLES: Mapping[str, Variable] = {
    "ZENDESK_SUBDOMAIN": Variable(("zendesk", "subdomain"), "the name before .zendesk.com"),
    "ZENDESK_URL": Variable(("zendesk", "url"), "whole base URL, instead of the subdomain"),
    "ZENDESK_OAUTH_CLIENT_ID": Variable(("zendesk", "oauth_client_id"), "OAuth client's unique identifier"),
    "ZENDESK_OAUTH_CLIENT_SECRET": Variable(
        ("zendesk", "oauth_client_secret"), "its secret; tokens are fetched and renewed with it", secret=True
    ),
    "ZENDESK_OAUTH_TOKEN": Variable(("zendesk", "oauth_token"), "an OAuth access token made elsewhere", secret=True),
    "ZENDESK_EMAIL": Variable(("zendesk", "email"), "agent's e-mail, with an API token"),
    "ZENDESK_API_TOKEN": Variable(("zendesk", "api_token"), "API token; Zendesk ends these on 2027-04-30", secret=True),
    "OPENAI_API_KEY": Variable(("models", "api_key"), "key of the model server", secret=True),
    "OPENAI_BASE_URL": Variable(("models", "base_url"), "address of any OpenAI-compatible server, with /v1"),
    "TICKETBOT_MODELS": Variable(
        ("models", "names"), "models to try in order, comma-separated; empty: keyword rules only", many=True
    ),
    "TICKETBOT_STATE_DIR": Variable(("state_dir",), "folder for cursor, open intents and retry list"),
    "TICKETBOT_LOG_DIR": Variable(("log_dir",), "folder for receipts"),
    "TICKETBOT_AUDIT_KEY": Variable(
        ("audit", "keys"),
        "what seals the log, of 16 characters or more; older ones after a comma",
        secret=True,
        many=True,
    ),
    "TICKETBOT_AUDIT_ENCRYPTION_KEYS": Variable(
        ("audit", "encryption_keys"),
        "encrypts the log: 32 bytes in base64; older ones after a comma; 'off' ends it",
        secret=True,
        many=True,
    ),
    "TICKETBOT_ALERT_URLS": Variable(
        ("alerts", "urls"),
        "where alerts go: Apprise URLs (Slack, Teams, mail, PagerDuty, …), comma-separated",
        secret=True,
    ),
    "TICKETBOT_PAGE_URLS": Variable(
        ("alerts", "page_urls"), "the same for who is woken up: critical alerts only", secret=True
    ),
    "TICKETBOT_HEARTBEAT_URL": Variable(
        ("alerts", "heartbeat_url"),
        "pinged by each run, so that one that never began is noticed elsewhere",
        secret=True,
    ),
    "TICKETBOT_LOG_LEVEL": Variable(
        ("log_level",), "what is shown on standard error: off, info (decisions) or debug (requests as well)"
    ),
    "TICKETBOT_STOP": Variable(
        ("run", "stop"), "the kill switch: anything but 0, false, no and off stops every run", switch=True
    ),
}
"""The environment variables that hold settings. ``TICKETBOT_CONFIG`` names the file and is read before these."""


def unknown_names(source: Iterable[str], beginning: str, *, sure: bool = False) -> list[str]:
    """Variables that begin like ours and are none; ``sure``: only those that are nearly one."""
    known = [*VARIABLES, CONFIG_VARIABLE]
    problems = []
    for name in source:
        if name.startswith(beginning) and name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.9 if sure else 0.6)
            if close or not sure:
                problems.append(f"{name} is no setting" + (f"; did you mean {close[0]}?" if close else ""))
    return problems
