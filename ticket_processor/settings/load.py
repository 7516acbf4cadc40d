"""Settings from flags, environment, ``.env`` and ``ticketbot.toml``, in this order of precedence.

Where ``NAME.env`` lies beside ``NAME.toml``, it comes before the environment, and what belongs to one account, such as
credentials, comes from it alone.

Every problem is reported at once, each naming its setting; values never appear in a message, since a mistyped name can
hold a secret. Secrets come from the environment or such a file only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..core import verbose
from ..core.errors import ConfigError
from ..core.urls import require_tls
from .checks import helpdesk_gaps, misfits, strange_credentials, unprotected
from .messages import Place, meant, place_name, removed, sentence
from .schema import DEFAULT_LOG_DIR, Settings
from .sources import (
    CONFIG_VARIABLE,
    OF_MODELS,
    VARIABLES,
    TomlFile,
    of_models,
    own_env_file,
    read_env,
    read_toml,
    shared,
    unknown_names,
)

DEFAULT_FILE = "ticketbot.toml"
_MODELS_KEY = "OPENAI_API_KEY"
_NOT_SET_BY_ANYBODY = frozenset({"notices", "stop_set_by", "lost", "use_classifier"})
"""Parts of the settings that only the program itself fills in."""
_OF_THE_HELPDESK = frozenset({"zendesk", "freshdesk", "local", "helpdesk"})
_WITH_OTHERS = frozenset({"categories", "fallback_category", "policy", "replies", "models", "budget"})
"""Settings that are compared with each other. Where one of them is wrong by itself, a comparison says nothing."""
_WAYS_TO_SIGN_IN = (("oauth_client_id", "oauth_client_secret"), ("oauth_token",), ("email", "api_token"))


def load(
    *,
    config: Path | None = None,
    instead: TomlFile | None = None,
    flags: Mapping[tuple[str, ...], object] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    need_helpdesk: bool = True,
    need_any: bool = False,
    models_only: bool = False,
) -> Settings:
    """The settings for a run. ``flags`` maps setting paths to values from the command line.

    ``need_any``: a folder without settings is a problem, though the helpdesk is not needed.
    ``instead`` is what to take for the configuration file's content, as if it were in its place.

    Their lowest version of TLS holds for this process from then on. With ``models_only`` everything else is left out,
    credentials above all.

    Raises :class:`ConfigError` with every problem found.
    """
    environ = os.environ if environ is None else environ
    folder = Path.cwd() if folder is None else folder
    problems: list[str] = []
    notices: list[str] = []
    origin: dict[tuple[str, ...], str] = {}

    here = _read_env(folder / ".env", problems)
    path = config or _configured({**here, **environ}, folder)
    file = instead or (_read_toml(path, problems) if path else TomlFile(DEFAULT_FILE))
    data = dict(file.data)
    _no_secrets_in(data, file.name, problems)
    for name in _NOT_SET_BY_ANYBODY.intersection(data):
        del data[name]
        problems.append(_no_setting((name,), file))
    env_file = (path.parent if path else folder) / ".env"
    from_file = here if env_file == folder / ".env" else _read_env(env_file, problems)
    own: dict[str, str] = {}
    own_file = own_env_file(path) if path else env_file
    has_own = own_file != env_file and own_file.is_file()
    if has_own:
        own, from_file, environ = _read_env(own_file, problems), shared(from_file), shared(environ)
    if models_only:
        data = {name: data[name] for name in OF_MODELS if name in data}
        from_file, environ, own = of_models(from_file), of_models(environ), of_models(own)
    lost = () if path or problems else _lost(folder, from_file, environ)
    if need_helpdesk or need_any:
        problems.extend(lost)
    _put_beside(data, path.parent if path else folder, folder)
    for source, where in ((from_file, " (in .env)"), (environ, ""), (own, f" (in {own_file.name})")):
        problems.extend(unknown_names(source, "TICKETBOT_"))
        _drop_weaker_ways(data, source)
        for name, variable in VARIABLES.items():
            text = source.get(name, "").strip()
            if text or (variable.many and name in source):  # an empty list is a wish too
                _put(data, variable.path, variable.value(text))
                origin[variable.path] = name + where
    problems.extend(_put_named_keys(data, {**from_file, **environ, **own}))
    for flag, value in (flags or {}).items():
        if value is not None:
            _put(data, flag, value)
            origin[flag] = "--" + flag[-1].replace("_", "-")

    settings: Settings | None = None
    known: Settings | None
    wrong: set[int | str] = set()
    try:
        settings = known = Settings.model_validate(data)
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False)
        problems.extend(
            sentence(one, origin, file.where, lambda place: _no_setting(place, file))
            for one in told
            if one["type"] != "default_factory_not_called"  # that follows from another one
        )
        wrong = {one["loc"][0] for one in told if one["loc"]}
        known = _right_part(data, [one["loc"] for one in told])
    problems.extend(strange_credentials(data, origin))
    if known is not None and wrong.isdisjoint(_WITH_OTHERS) and (contradictions := misfits(known)):
        problems.extend(contradictions)
        known = known.model_copy(update={"categories": None})
    if need_helpdesk and known is not None and wrong.isdisjoint(_OF_THE_HELPDESK):
        missing, notes = helpdesk_gaps(known)
        problems.extend(missing)
        notices.extend(notes)
        if missing:  # only then: these may be another program's
            for beginning in ("ZENDESK_", "FRESHDESK_"):
                problems.extend(unknown_names((*from_file, *environ, *own), beginning, sure=True))
    if settings is not None:
        unnamed = not settings.models.names and ("models", "names") not in (flags or {})
        if settings.models.api_key and unnamed:
            notices.append("OPENAI_API_KEY is set, but TICKETBOT_MODELS names no model: keyword rules only")
        exposed, notes = unprotected(settings, origin)
        problems.extend(exposed)
        notices.extend(notes)
    if problems or settings is None:
        raise ConfigError(*dict.fromkeys(problems))
    require_tls(settings.lowest_tls)
    verbose.show(settings.log_level)
    stop_set_by = None
    if settings.run.stop:
        stop_set_by = origin.get(("run", "stop"), f"run.stop in {path.name if path else DEFAULT_FILE}")
    settings = _divided(settings)
    return settings.model_copy(update={"notices": tuple(notices), "stop_set_by": stop_set_by, "lost": lost})


def load_candidate(
    file: Path, *, config: Path | None = None, flags: Mapping[tuple[str, ...], object] | None = None
) -> Settings:
    """The settings of ``file`` as if it lay in place of the configuration file, beside its credentials and folders.

    Raises :class:`ConfigError` with every problem found.
    """
    place = config_file(config=config) or Path(DEFAULT_FILE)
    return load(config=place, instead=read_toml(file), flags=flags, need_helpdesk=False)


def _divided(settings: Settings) -> Settings:
    """The settings of one shard: of what the account may use in a minute or a day, it has its part."""
    if settings.shard is None:
        return settings
    of, day = settings.shard.of, settings.budget
    parts = {"day_usd": day.day_usd and day.day_usd / of}
    run = settings.run.model_copy(update={"limit_share": settings.run.limit_share / of})
    return settings.model_copy(update={"run": run, "budget": day.model_copy(update=parts)})


def _lost(folder: Path, from_file: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The sentence for a folder without settings. Variables of models do not count: other programs use them as well."""
    named = (*from_file, *(name for name, text in environ.items() if text.strip()))
    if any(name.startswith(("ZENDESK_", "FRESHDESK_", "TICKETBOT_")) for name in named):
        return ()
    return (
        f"there is no {DEFAULT_FILE} in {folder.absolute()}, and no .env with settings of ticketbot: perhaps this is "
        "the wrong folder (change to the right one, or say --config FILE); 'ticketbot init' writes new files",
    )


def _put_beside(data: dict[str, Any], base: Path, folder: Path) -> None:
    """Paths of a file are meant from its own folder: cron and Task Scheduler start anywhere."""
    if base.resolve() == folder.resolve():
        return
    data.setdefault("log_dir", DEFAULT_LOG_DIR)
    for table, name in ((data, "state_dir"), (data, "log_dir"), (data.get("local"), "path")):
        if isinstance(table, dict) and isinstance(table.get(name), str):
            table[name] = base / table[name]
    knowledge = data.get("knowledge")
    if isinstance(knowledge, dict) and isinstance(knowledge.get("folders"), list):
        knowledge["folders"] = [base / one if isinstance(one, str) else one for one in knowledge["folders"]]


def _put_named_keys(data: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Fill in the keys whose variables the file names. No server gets the key of another one."""
    problems = []
    tables = {"embeddings": data.get("embeddings")}
    models = data.get("models")
    uses = models.get("use") if isinstance(models, dict) else None
    if isinstance(uses, dict):
        tables |= {f"models.use.{name}": table for name, table in uses.items()}
    for where, table in tables.items():
        if not isinstance(table, dict):
            continue
        if "api_key" in table:
            problems.append(f"{where}.api_key is a secret: name its environment variable in api_key_variable instead")
        variable = table.get("api_key_variable")
        if not isinstance(variable, str):
            continue
        if variable.upper() in VARIABLES and variable.upper() != _MODELS_KEY:
            problems.append(
                f"{where}.api_key_variable names {variable}, which this server must not be sent: name a variable that "
                "holds the server's own key"
            )
            continue
        key = environ.get(variable, "").strip()
        if not key:
            # Most commands need no vectors; those that do report it.
            if where != "embeddings":
                problems.append(f"{where}.api_key_variable names {variable}, which is not set")
        elif not (key.isascii() and key.isprintable()):
            problems.append(f"{variable}: holds characters that belong into no address or credential")
        else:
            table["api_key"] = key
    return problems


def _drop_weaker_ways(data: dict[str, Any], source: Mapping[str, str]) -> None:
    """A stronger source that names one way to sign in to Zendesk does away with a weaker one's other ways."""
    table = data.get("zendesk")
    paths = (variable.path for name, variable in VARIABLES.items() if source.get(name, "").strip())
    named = {path[-1] for path in paths if path[0] == "zendesk"}
    if isinstance(table, dict) and any(named.intersection(way) for way in _WAYS_TO_SIGN_IN):
        weaker = {name for way in _WAYS_TO_SIGN_IN if not named.intersection(way) for name in way}
        data["zendesk"] = {name: value for name, value in table.items() if name not in weaker}


def _right_part(data: Mapping[str, Any], wrong: Iterable[Place]) -> Settings | None:
    """The settings but for those at a ``wrong`` place, so that what is missing or contradicts there is told as well."""
    rest = deepcopy(dict(data))
    for place in wrong:
        table: Any = rest
        last: tuple[dict[Any, Any], Any] | None = None
        for part in place:
            if not isinstance(table, dict) or part not in table:
                break
            last, table = (table, part), table[part]
        if last is not None:
            del last[0][last[1]]
    try:
        return Settings.model_validate(rest)
    except ValidationError:
        return None


def config_file(
    *, config: Path | None = None, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Path | None:
    """The configuration file that :func:`load` reads when it is asked the same way; it need not be there."""
    folder = Path.cwd() if folder is None else folder
    here = _read_env(folder / ".env", [])
    return config or _configured({**here, **(os.environ if environ is None else environ)}, folder)


def secret_files(config: Path | None) -> tuple[Path, ...]:
    """The files that may hold secrets for this configuration file; an ``.env`` may be missing."""
    named = (config or Path(DEFAULT_FILE)).absolute()
    own = own_env_file(named)
    return tuple(sorted({Path.cwd() / ".env", named.parent / ".env", *([own] if own.is_file() else [])}))


def _configured(environ: Mapping[str, str], folder: Path) -> Path | None:
    named = environ.get(CONFIG_VARIABLE, "").strip()
    if named:
        return Path(named)
    default = folder / DEFAULT_FILE
    return default if default.is_file() else None


def _read_toml(path: Path, problems: list[str]) -> TomlFile:
    try:
        return read_toml(path)
    except ConfigError as error:
        problems.extend(error.problems)
        return TomlFile(path.name)


def _read_env(path: Path, problems: list[str]) -> dict[str, str]:
    try:
        found, wrong = read_env(path)
    except ConfigError as error:
        found, wrong = {}, list(error.problems)
    problems.extend(wrong)
    return found


def _no_secrets_in(data: dict[str, Any], file: str, problems: list[str]) -> None:
    for name, variable in VARIABLES.items():
        table: Any = data
        for part in variable.path[:-1]:
            table = table.get(part) if isinstance(table, dict) else None
        if variable.secret and isinstance(table, dict) and variable.path[-1] in table:
            problems.append(f"{'.'.join(variable.path)} in {file} is a secret: put it into {name} or .env")


def _no_setting(place: Place, file: TomlFile) -> str:
    if why := removed(place):
        return f"{place_name(place)} ({file.where(place)}) was removed: {why}; delete the line"
    near = None if place[0] in _NOT_SET_BY_ANYBODY else meant(Settings, place, _NOT_SET_BY_ANYBODY)
    return f"{place_name(place)} ({file.where(place)}) is no setting" + (f"; did you mean {near}?" if near else "")


def _put(data: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for part in path[:-1]:
        inner = data.get(part)
        data[part] = inner = dict(inner) if isinstance(inner, dict) else {}
        data = inner
    data[path[-1]] = value
