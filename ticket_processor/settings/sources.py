"""Reads ``ticketbot.toml``, ``.env`` and environment variables. Each error is one sentence.

An error names the line and never quotes it, since it may hold a secret.
"""

from __future__ import annotations

import difflib
import functools
import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from dotenv.parser import parse_stream
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..core.errors import ConfigError
from .helpdesks import VendorSettings
from .schema import Settings

Place = tuple[int | str, ...]
Text = TypeVar("Text")
OF_HELPDESKS = tuple(
    {f"{name.partition('_')[0]}_": None for account in get_args(VendorSettings) for name in account.variables}
)
"""Prefixes of the variables of helpdesks' accounts."""
OURS = (*OF_HELPDESKS, "TICKETBOT_")
"""Prefixes of our own variables; those of OpenAI are other programs' as well."""

_parsed = functools.cache(tomllib.loads)  # without it, hundreds of wrong settings of one name take minutes
_SAVE = "save it again as UTF-8 (Notepad: Save as, Encoding)"


@dataclass(frozen=True)
class TomlFile:
    """A file's settings, and its text."""

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    def where(self, place: Place) -> str:
        """``ticketbot.toml, line 3``: the line of a setting or, where that is not known, of what it is part of."""
        for length in range(len(place), 0, -1):
            if line := self._line(place[:length]):
                return f"{self.name}, line {line}"
        return self.name

    def _line(self, place: Place) -> int:
        """The line that begins this setting: the last one that names it, and before which it is not there yet."""
        lines, name = self.text.split("\n"), next((str(part) for part in reversed(place) if isinstance(part, str)), "")
        for number in range(len(lines), 0, -1) if _holds(self.data, place) else ():
            if name in lines[number - 1]:
                with suppress(tomllib.TOMLDecodeError):  # within a value of several lines
                    if not _holds(_parsed("\n".join(lines[: number - 1])), place):
                        return number
        return 0


def _holds(data: Any, place: Place) -> bool:
    try:
        for part in place:
            data = data[part]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def read_toml(path: Path) -> TomlFile:
    """The settings of a file. Raises :class:`ConfigError` with the one sentence that says why it cannot be read."""
    if not path.exists():
        raise ConfigError(f"the configuration file {path} does not exist; 'ticketbot init' writes one")
    if path.is_dir():
        raise ConfigError(f"{path} is a folder of configuration files, and this needs one of them: name that")
    text = _text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # its message names the line, and no value
        raise ConfigError(f"{path} is no valid TOML: {error}") from None
    return TomlFile(path.name, data, text)


def read_env(path: Path, problems: list[str]) -> dict[str, str]:
    """The variables of a file, none where there is no such file; ``problems`` gets what is wrong, a sentence each."""
    found: dict[str, str] = {}
    if not path.exists() or path.is_dir():  # a virtual environment may have that name
        return found
    try:
        text = _text(path)
    except ConfigError as error:
        problems.extend(error.problems)
        return found
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            line = binding.original.string.strip().removeprefix("export ").lstrip()
            if line.startswith((*OURS, "OPENAI_")):
                number = binding.original.line + binding.original.string.partition(line)[0].count("\n")
                problems.append(f"{path}, line {number}: write NAME=value, with both quotation marks or none")
        elif binding.key is not None:
            found[binding.key] = binding.value or ""  # as it stands: a secret may hold "${"
    return found


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


CONFIG_VARIABLE = "TICKETBOT_CONFIG"


def _says_stop(text: str) -> bool:
    """Anything but a clear no sets the kill switch: a person who needs it may be in a hurry."""
    return text.lower() not in ("0", "false", "no", "off")


@dataclass(frozen=True)
class Variable:
    """An environment variable: where its value goes. Whether that is a secret, a list, or the kill switch, it says."""

    path: tuple[str, ...]

    @functools.cached_property
    def _field(self) -> FieldInfo:
        model: type[BaseModel] = Settings
        for part in self.path[:-1]:
            model = type(model.model_fields[part].get_default())
        return model.model_fields[self.path[-1]]

    @property
    def meaning(self) -> str:
        """What the setting is."""
        return str(self._field.description).replace("`", "")

    @property
    def secret(self) -> bool:
        """Whether the configuration file refuses it."""
        return "SecretStr" in str(self._field.annotation)

    @property
    def many(self) -> bool:
        """Whether it takes a list, with commas."""
        return get_origin(self._field.annotation) is tuple

    def value(self, text: str) -> object:
        """The value that ``text`` stands for."""
        if self.many:
            return [item.strip() for item in text.split(",") if item.strip()]
        return _says_stop(text) if self._field.annotation is bool else text


VARIABLES: Mapping[str, Variable] = {
    name: Variable(tuple(path.split(".")))
    for name, path in {
        **{
            name: f"{setting}.{part}"
            for setting, account in Settings.model_fields.items()
            for name, part in getattr(account.annotation, "variables", {}).items()
        },
        "TICKETBOT_HELPDESK": "helpdesk",
        "OPENAI_API_KEY": "models.api_key",
        "OPENAI_BASE_URL": "models.base_url",
        "TICKETBOT_MODELS": "models.names",
        "TICKETBOT_STATE_DIR": "state_dir",
        "TICKETBOT_LOG_DIR": "log_dir",
        "TICKETBOT_AUDIT_KEY": "audit.keys",
        "TICKETBOT_AUDIT_ENCRYPTION_KEYS": "audit.encryption_keys",
        "TICKETBOT_ALERT_URLS": "alerts.urls",
        "TICKETBOT_PAGE_URLS": "alerts.page_urls",
        "TICKETBOT_HEARTBEAT_URL": "alerts.heartbeat_url",
        "ZENDESK_WEBHOOK_SECRET": "serve.zendesk_secrets",
        "FRESHDESK_WEBHOOK_SECRET": "serve.freshdesk_secrets",
        "TICKETBOT_API_TOKEN": "serve.api_tokens",
        "TICKETBOT_MCP_TOKEN": "serve.mcp_tokens",
        "TICKETBOT_DASHBOARD_CLIENT_SECRET": "dashboard.auth.client_secret",
        "TICKETBOT_SMTP_PASSWORD": "portal.smtp_password",
        "TICKETBOT_LOG_LEVEL": "log_level",
        "TICKETBOT_STOP": "run.stop",
    }.items()
}
"""The environment variables that hold settings. ``TICKETBOT_CONFIG`` names the file and is read before these."""


class Source(NamedTuple):
    """Variables from one place, and what a message says of that place behind their names."""

    variables: Mapping[str, str]
    where: str = ""

    def values(self) -> Iterator[tuple[tuple[str, ...], object, str]]:
        """Each setting that has a variable here, with its value, and what a message calls the variable."""
        for name, variable in VARIABLES.items():
            text = self.variables.get(name, "").strip()
            if text or (variable.many and name in self.variables):  # an empty list is a wish too
                yield variable.path, variable.value(text), name + self.where


_OF_ONE_ACCOUNT = (
    *OF_HELPDESKS,
    "TICKETBOT_HELPDESK",
    "TICKETBOT_LOCAL_PATH",
    "TICKETBOT_STATE_DIR",
    "TICKETBOT_LOG_DIR",
    "TICKETBOT_HEARTBEAT_URL",
)


def shared(source: Mapping[str, str]) -> dict[str, str]:
    """The variables that several accounts may have in common: no address, credential or folder of one of them."""
    return {name: text for name, text in source.items() if not name.startswith(_OF_ONE_ACCOUNT)}


OF_MODELS = ("models", "log_level", "lowest_tls")
"""The settings that asking a model needs."""


def of_models(source: Mapping[str, Text]) -> dict[str, Text]:
    """The variables but those that a process which only asks models has no use for, helpdesks' first of all."""
    return {
        name: text
        for name, text in source.items()
        if not name.startswith(OF_HELPDESKS) and (name not in VARIABLES or VARIABLES[name].path[0] in OF_MODELS)
    }


def own_env_file(config: Path) -> Path:
    """Where the variables of this configuration file's account may stand: ``acme.env`` beside ``acme.toml``."""
    return config.parent / f"{config.stem}.env"  # of "." as well, which is a folder and refused in words


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
