"""Settings from flags, environment, ``.env`` and ``ticketbot.toml``, in this order of precedence.

Where ``NAME.env`` lies beside ``NAME.toml``, it comes before the environment, and what belongs to one account, such as
credentials, comes from it alone.

Problems are reported together, each naming its setting: wrong values first, then what is missing or contradicts.
Values never appear in a message, since a mistyped name can hold a secret. Secrets come from the environment or such a
file only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from ..core import verbose
from ..core.errors import ConfigError
from ..core.http import require_tls
from .checks import NOT_SET_BY_ANYBODY, helpdesk_gaps, misfits, no_setting, sentence, unprotected
from .helpdesks import VendorSettings
from .schema import DEFAULT_LOG_DIR, Settings
from .sources import (
    CONFIG_VARIABLE,
    OF_HELPDESKS,
    OF_MODELS,
    OURS,
    VARIABLES,
    Place,
    Source,
    TomlFile,
    of_models,
    own_env_file,
    read_env,
    read_toml,
    shared,
    unknown_names,
)

DEFAULT_FILE = "ticketbot.toml"
_STRANGE = "holds characters that belong into no address or credential"
_MODELS_KEY = "OPENAI_API_KEY"
_IN_HEADERS = frozenset(
    {name for name, field in Settings.model_fields.items() if field.annotation in get_args(VendorSettings)} | {"models"}
)
"""Settings with credentials, which travel in HTTP headers; an error there would quote them."""
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

    Raises :class:`ConfigError` with the problems found.
    """
    environ = os.environ if environ is None else environ
    folder = Path.cwd() if folder is None else folder
    problems: list[str] = []
    notices: list[str] = []
    path = config or _configured({**read_env(folder / ".env", []), **environ}, folder)
    try:
        file = instead or (read_toml(path) if path else TomlFile(DEFAULT_FILE))
    except ConfigError as error:
        file = TomlFile(path.name if path else DEFAULT_FILE)
        problems.extend(error.problems)
    data = {name: value for name, value in file.data.items() if name not in NOT_SET_BY_ANYBODY}
    problems.extend(no_setting((name,), file) for name in file.data if name not in data)
    problems.extend(_secrets_in(data, file.name))
    sources = _sources(path, folder, environ, problems)
    if models_only:
        data = {name: data[name] for name in OF_MODELS if name in data}
        sources = [Source(of_models(source.variables), source.where) for source in sources]
    lost = () if path or problems else _lost(folder, sources)
    if need_helpdesk or need_any:
        problems.extend(lost)
    if path and path.parent.resolve() != folder.resolve():
        _put_beside(data, path.parent)
    origin: dict[Place, str] = {}
    for source in sources:
        problems.extend(unknown_names(source.variables, "TICKETBOT_"))
        _drop_weaker_ways(data, source.variables)
        for setting, value, name in source.values():
            _put(data, setting, value)
            origin[setting] = name
    problems.extend(_put_named_keys(data, {name: text for one in sources for name, text in one.variables.items()}))
    for flag, value in (flags or {}).items():
        if value is not None:
            _put(data, flag, value)
            origin[flag] = "--" + flag[-1].replace("_", "-")
    problems.extend(
        f"{where}: {_STRANGE}"
        for setting, where in origin.items()
        if setting[0] in _IN_HEADERS and not _fits_a_header(_at(data, setting))
    )

    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_url=False)
        # An error of the default factory only follows from another one.
        problems.extend(sentence(one, origin, file) for one in errors if one["type"] != "default_factory_not_called")
        raise ConfigError(*dict.fromkeys(problems)) from None  # other problems are reported after these
    contradictions = misfits(settings)
    problems.extend(contradictions)
    if need_helpdesk:
        missing, notes = helpdesk_gaps(settings.model_copy(update={"categories": None}) if contradictions else settings)
        problems.extend(missing)
        notices.extend(notes)
        if missing:  # only then: these may be another program's
            for beginning in OF_HELPDESKS:
                names = (name for source in sources for name in source.variables)
                problems.extend(unknown_names(names, beginning, sure=True))
    unnamed = not settings.models.names and ("models", "names") not in (flags or {})
    if settings.models.api_key and unnamed:
        notices.append("OPENAI_API_KEY is set, but TICKETBOT_MODELS names no model: keyword rules only")
    exposed, notes = unprotected(settings, origin)
    problems.extend(exposed)
    notices.extend(notes)
    if problems:
        raise ConfigError(*dict.fromkeys(problems))
    require_tls(settings.lowest_tls)
    verbose.show(settings.log_level)
    stop_set_by = origin.get(("run", "stop"), f"run.stop in {file.name}") if settings.run.stop else None
    settings = _divided(settings)
    return settings.model_copy(update={"notices": tuple(notices), "stop_set_by": stop_set_by, "lost": lost})


def _sources(path: Path | None, folder: Path, environ: Mapping[str, str], problems: list[str]) -> list[Source]:
    """Where variables come from, the weakest first: ``.env`` beside the file, the environment, the file's own one."""
    env_file = (path.parent if path else folder) / ".env"
    beside = read_env(env_file, problems)
    if env_file != folder / ".env":
        read_env(folder / ".env", problems)  # only its mistakes: it may have named the configuration file
    own_file = own_env_file(path) if path else env_file
    if own_file == env_file or not own_file.is_file():
        return [Source(beside, " (in .env)"), Source(environ)]
    own = read_env(own_file, problems)
    return [Source(shared(beside), " (in .env)"), Source(shared(environ)), Source(own, f" (in {own_file.name})")]


def load_candidate(
    file: Path, *, config: Path | None = None, flags: Mapping[tuple[str, ...], object] | None = None
) -> Settings:
    """The settings of ``file`` as if it lay in place of the configuration file, beside its credentials and folders.

    Raises :class:`ConfigError` with every problem found.
    """
    return load(config=settings_file(config), instead=read_toml(file), flags=flags, need_helpdesk=False)


def _divided(settings: Settings) -> Settings:
    """The settings of one shard: of what the account may use in a minute or a day, it has its part."""
    if settings.shard is None:
        return settings
    of, day = settings.shard.of, settings.budget
    parts = {"day_usd": day.day_usd and day.day_usd / of}
    run = settings.run.model_copy(update={"limit_share": settings.run.limit_share / of})
    return settings.model_copy(update={"run": run, "budget": day.model_copy(update=parts)})


def _lost(folder: Path, sources: Sequence[Source]) -> tuple[str, ...]:
    """The sentence for a folder without settings. Variables of models do not count: other programs use them as well."""
    named = (name for one in sources for name, text in one.variables.items() if text.strip() or one.where)
    if any(name.startswith(OURS) for name in named):
        return ()
    return (
        f"there is no {DEFAULT_FILE} in {folder.absolute()}, and no .env with settings of ticketbot: perhaps this is "
        "the wrong folder (change to the right one, or say --config FILE); 'ticketbot init' writes new files",
    )


def _put_beside(data: dict[str, Any], base: Path) -> None:
    """Paths of a file are meant from its own folder ``base``: cron and Task Scheduler start anywhere."""
    data.setdefault("log_dir", DEFAULT_LOG_DIR)
    for setting in (("state_dir",), ("log_dir",), ("local", "path"), ("knowledge", "folders")):
        value = _at(data, setting)
        if isinstance(value, str):
            _put(data, setting, base / value)
        elif isinstance(value, list):
            _put(data, setting, [base / one if isinstance(one, str) else one for one in value])


def _put_named_keys(data: dict[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """Fill in the keys whose variables the file names. No server gets the key of another one."""
    for path in _with_own_keys(data):
        table, where = _at(data, path), ".".join(path)
        if not isinstance(table, dict):
            continue
        if "api_key" in table:
            yield f"{where}.api_key is a secret: name its environment variable in api_key_variable instead"
        variable = table.get("api_key_variable")
        if not isinstance(variable, str):
            continue
        key = environ.get(variable, "").strip()
        if variable.upper() in VARIABLES and variable.upper() != _MODELS_KEY:
            yield (
                f"{where}.api_key_variable names {variable}, which this server must not be sent: name a variable that "
                "holds the server's own key"
            )
        elif not _fits_a_header(key):
            yield f"{variable}: {_STRANGE}"
        elif key:
            _put(data, (*path, "api_key"), key)
        elif path != ("embeddings",):  # most commands need no vectors; those that do report it
            yield f"{where}.api_key_variable names {variable}, which is not set"


def _with_own_keys(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The tables that may name the variable of a key of their own."""
    uses = _at(data, ("models", "use"))
    return [("embeddings",), *(("models", "use", name) for name in (uses if isinstance(uses, dict) else ()))]


def _fits_a_header(value: object) -> bool:
    return not isinstance(value, str) or (value.isascii() and value.isprintable())


def _drop_weaker_ways(data: dict[str, Any], source: Mapping[str, str]) -> None:
    """A stronger source that names one way to sign in to Zendesk does away with a weaker one's other ways."""
    table = data.get("zendesk")
    paths = (variable.path for name, variable in VARIABLES.items() if source.get(name, "").strip())
    named = {path[-1] for path in paths if path[0] == "zendesk"}
    if isinstance(table, dict) and any(named.intersection(way) for way in _WAYS_TO_SIGN_IN):
        weaker = {name for way in _WAYS_TO_SIGN_IN if not named.intersection(way) for name in way}
        data["zendesk"] = {name: value for name, value in table.items() if name not in weaker}


def config_file(*, config: Path | None = None) -> Path | None:
    """The configuration file that :func:`load` reads when it is asked the same way; it need not be there."""
    folder = Path.cwd()
    return config or _configured({**read_env(folder / ".env", []), **os.environ}, folder)


def settings_file(config: Path | None) -> Path:
    """The same, or :data:`DEFAULT_FILE` where none is named and there."""
    return config_file(config=config) or Path(DEFAULT_FILE)


def set_variables(file: TomlFile, config: Path | None) -> dict[str, str]:
    """The variables that hold settings or keys, from wherever :func:`load` takes them; the file's own keys as well."""
    named = {_at(file.data, (*path, "api_key_variable")) for path in _with_own_keys(file.data)}
    sources = _sources(config, Path.cwd(), os.environ, [])
    found = {name: text.strip() for source in sources for name, text in source.variables.items()}
    return {name: text for name, text in found.items() if text and (name in VARIABLES or name in named)}


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


def _secrets_in(data: Mapping[str, Any], file: str) -> Iterator[str]:
    for name, variable in VARIABLES.items():
        if variable.secret and _at(data, variable.path) is not None:
            yield f"{'.'.join(variable.path)} in {file} is a secret: put it into {name} or .env"


def _at(data: Any, place: Place) -> Any:
    """What is set there; ``None`` where nothing is, and within lists."""
    for part in place:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _put(data: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for part in path[:-1]:
        inner = data.get(part)
        data[part] = inner = dict(inner) if isinstance(inner, dict) else {}
        data = inner
    data[path[-1]] = value
