"""Checks of the settings as a whole: contradictions, gaps, and unsafe values. Pure.

Errors of settings as sentences: what is wrong, what was removed, which name was meant. Pure; no value is quoted.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..analysis.model_server.settings import BudgetSettings, ModelSettings, ModelUse, list_price
from ..core.http import is_loopback
from ..policy.decide import ALSO
from ..policy.note import REASONS
from .schema import Settings
from .sources import Place, TomlFile


def misfits(settings: Settings) -> list[str]:
    """A sentence for each contradiction between settings."""
    try:
        _ = settings.taxonomy
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)
        return [f"categories: {item['msg'].removeprefix('Value error, ')}" for item in wrong]
    return [
        *_unknown_categories(settings),
        *_taken_tags(settings),
        *model_misfits(settings.models, settings.budget),
    ]


def helpdesk_gaps(settings: Settings) -> tuple[list[str], list[str]]:
    """What is missing to choose a helpdesk, to find the account and to sign in; and notices about the credentials."""
    zendesk, chosen = settings.zendesk, "helpdesk" in settings.model_fields_set
    if zendesk.named and settings.freshdesk.named and not chosen:
        return ['Zendesk and Freshdesk are both configured: say which with helpdesk = "zendesk" or "freshdesk"'], []
    problems = [*settings.desk.gaps(), *_not_on_this_helpdesk(settings)]
    if settings.desk is zendesk and not (chosen or zendesk.named or zendesk.credentials):
        problems[0] += " (for Freshdesk: FRESHDESK_DOMAIN and FRESHDESK_API_KEY)"
    if problems or settings.desk.sign_in != "api_token":
        return problems, []
    return [], [
        "Zendesk API tokens stop working on 2027-04-30: create an OAuth client and set "
        "ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET instead"
    ]


def _not_on_this_helpdesk(settings: Settings) -> Iterator[str]:
    """Settings that ask for something which the helpdesk does not do."""
    can = settings.desk.can
    name = "the local helpdesk" if settings.helpdesk == "local" else settings.desk.vendor
    if settings.replies.public_wanted and not can.guarded:
        yield f'replies.categories: on {name} nothing guards an update, so no public reply can be sent; say "draft"'
    elif settings.replies.public.then == "solved" and not can.solves:
        yield f'replies.public.then: on {name} only people resolve a ticket; say "pending"'
    if settings.run.write_mode == "batch" and not can.jobs:
        yield f'run.write_mode: {name} takes one update at a time; say "single", or delete the line'
    wants_times = settings.policy.escalation.sla_minutes > 0
    if wants_times and not can.times:
        yield f"policy.escalation.sla_minutes: {name} tells no service times; delete the line"
    elif wants_times and settings.helpdesk == "local" and not any(settings.local.targets.values()):
        yield (
            f"policy.escalation.sla_minutes: {name} has no targets; name some in local.first_reply_minutes or "
            "local.resolution_minutes"
        )
    for tag in dict.fromkeys(_tags_of(settings)):
        if len(tag) > can.longest_tag:
            yield f"the tag {tag}: {name}'s tags have {can.longest_tag} characters at most; choose a shorter name"


def _tags_of(settings: Settings) -> Iterator[str]:
    """The tags that categories may put on a ticket, and the longest of those with a meaning of their own."""
    policy = settings.policy
    for category in settings.taxonomy.categories:
        yield from (policy.tag(category.name), category.tag or "")
        if policy.tag_secondary:
            yield policy.tag(ALSO, category.name)
    yield policy.tag("sentiment", "negative")


def unprotected(settings: Settings, origin: Mapping[Place, str]) -> tuple[list[str], list[str]]:
    """Servers on other machines without https: a problem, or a notice where the settings allow it.

    A private network is no exception: others may be in it.
    """
    models, embeddings = settings.models, settings.embeddings
    bare: list[str] = []
    for name in models.names:
        use = models.use.get(name) or ModelUse()
        where, address = f"models.use.{name}.base_url", use.base_url
        if address is None and use.preset in (None, models.preset, "compatible"):
            where, address = origin.get(("models", "base_url"), "models.base_url"), models.base_url
        if _is_bare(address):
            bare.append(where)
    if embeddings.model and _is_bare(embeddings.base_url):
        bare.append("embeddings.base_url")
    warnings = [f"{where} is http: key and tickets travel unprotected" for where in dict.fromkeys(bare)]
    if models.allow_plain_http:
        return [], warnings
    advice = "give an https address, or set models.allow_plain_http = true where nobody else can read along"
    return [f"{one}; {advice}" for one in warnings], []


def _is_bare(url: str | None) -> bool:
    return url is not None and urlsplit(url).scheme == "http" and not is_loopback(url)


def _unknown_categories(settings: Settings) -> Iterator[str]:
    """Places that name a category which the site does not have."""
    known, escalation, replies = settings.taxonomy.names, settings.policy.escalation, settings.replies
    path = ("policy", "escalation", "categories")
    places: list[tuple[Place, str]] = [((*path, place), name) for place, name in enumerate(escalation.categories)]
    places += [(("replies", "categories", name), name) for name in replies.categories]
    places += [(("replies", "public", "thresholds", name), name) for name in replies.public.thresholds]
    for place, name in places:
        if name not in known:
            yield f"{place_name(place)}: no such category; there are {', '.join(known)}"
    for name in escalation.plans:
        if name not in known and name not in REASONS:
            reasons = ", ".join(REASONS)
            yield f"policy.escalation.plans.{name}: neither a category nor a reason; the reasons are {reasons}"


def _taken_tags(settings: Settings) -> Iterator[str]:
    """Tags of categories that mean something else: a second category, or hands off."""
    for place, category in enumerate(settings.categories or ()):
        if settings.policy.tag_secondary and category.name.startswith(f"{ALSO}_"):
            where = place_name(("categories", place, "name"))
            yield f"{where}: policy.tag_secondary makes such tags for second categories; choose another name"
        if category.tag == settings.hands_off_tag:
            where = place_name(("categories", place, "tag"))
            yield f"{where}: one tag cannot both mean hands off and be set for a category"


def model_misfits(models: ModelSettings, budget: BudgetSettings) -> Iterator[str]:
    """Settings of models that are not asked, and models without a price where a budget needs one."""
    for name in models.use:
        if models.names and name not in models.names:
            yield f"models.use.{name}: no such model in models.names (or TICKETBOT_MODELS)"
    in_dollars = [f"budget.{name}" for name in ("run_usd", "day_usd") if getattr(budget, name) is not None]
    for name in models.names:
        use = models.use.get(name) or ModelUse()
        listed = list_price(use.model or name, use.preset or models.preset)
        if in_dollars and name not in models.prices and not listed:
            yield (
                f'{" and ".join(in_dollars)}: models.prices has no price for {name}; write there: "{name}" = '
                "[input, output, cached input], in dollars for a million tokens (0 is a price)"
            )


NOT_SET_BY_ANYBODY = frozenset({"notices", "stop_set_by", "lost", "use_classifier"})
"""Parts of the settings that only the program itself fills in."""
_KEY = "[key]"
_BY_NAME: Mapping[str, str] = {
    "api_key_variable": "the name of an environment variable: letters, digits and _",
    "tag_prefix": "1 to 20 small letters, digits and _",
    "name": "1 to 40 small letters, digits and _, a letter first",
    "tag": "1 to 60 small letters, digits and _",
    "daily_at": "a time such as 07:00 (UTC), or empty",
    "smtp_host": "the name of a server, and behind a colon its port if need be",
    "team_language": "a language code such as en or pt",
}
"""The form of a text setting, by the last word of its name."""


_BY_TYPE: Mapping[str, str] = {
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "frozen_set_type": "should be a list",
    "dict_type": "should be a table",
    "mapping_type": "should be a table",
    "path_type": "is not a valid path",
}
"""Where pydantic speaks of Python's types."""


def place_name(place: Place) -> str:
    """The setting as a person says it: ``skip.brands, 1st entry``."""
    words = ""
    for part in place:
        if isinstance(part, int):
            words += f", {_ordinal(part + 1)} entry"
        elif part != _KEY:
            words += (", " if words.endswith(" entry") else "." if words else "") + part
    return words


def sentence(error: ErrorDetails, origin: Mapping[Place, str], file: TomlFile) -> str:
    """One of pydantic's errors: where the setting was written, and pydantic's words.

    ``origin`` has the variable or option of a setting that does not come from ``file``.
    """
    place = error["loc"]
    for length in range(len(place), 0, -1):
        if place[:length] in origin:
            return f"{origin[place[:length]]}: {_words(error)}"
    if error["type"] == "extra_forbidden":
        return no_setting(place, file)
    return f"{place_name(place)} ({file.where(place)}): {_words(error)}"


def no_setting(place: Place, file: TomlFile) -> str:
    """That there is no such setting: which one came instead, or which one is probably meant."""
    words = [str(part) for part in place]
    if why := REMOVED.get(".".join(words)) or REMOVED.get(".".join([*words[:2], "NAME", *words[3:]])):
        return f"{place_name(place)} ({file.where(place)}) was removed: {why}; delete the line"
    near = None if place[0] in NOT_SET_BY_ANYBODY else _meant(place)
    return f"{place_name(place)} ({file.where(place)}) is no setting" + (f"; did you mean {near}?" if near else "")


def _words(error: ErrorDetails) -> str:
    name, limit = str(error["loc"][-1]), error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return f"must be {_BY_NAME.get(name, 'written otherwise')}"
    if error["type"] == "too_short" and limit.get("field_type") == "Value":  # a secret
        return f"needs at least {limit['min_length']} characters"
    if error["type"] in ("model_type", "model_attributes_type", "dataclass_type"):
        return "should be a table"
    words = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return _BY_TYPE.get(error["type"], words).replace("Tuple should", "should")


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


REMOVED: Mapping[str, str] = tomllib.loads(
    resources.files(__package__).joinpath("removed.toml").read_text(encoding="utf-8")
)
"""Settings of earlier versions, with a sentence for each. ``NAME`` stands for a name that the site itself chose."""


def _meant(place: Place) -> str | None:
    """The setting that is probably meant by a ``place`` at which there is none, in words.

    That is one of the same table with nearly that name or, failing that, the only one of that very name in another.
    """
    name = str(place[-1])
    near = difflib.get_close_matches(name, _beside(place) - NOT_SET_BY_ANYBODY, n=1)
    if near:
        return place_name((*place[:-1], near[0]))
    elsewhere = [names for names in _names(Settings) if names[-1] == name and names[0] not in NOT_SET_BY_ANYBODY]
    if len(elsewhere) != 1:
        return None
    (names,) = elsewhere
    under = f"under [{'.'.join(names[:-1])}]" if names[1:] else "above the first [table]"
    return f"{'.'.join(names)}, {under}"


def _beside(place: Place) -> frozenset[str]:
    """The names that may stand at ``place``; names that the site itself chose are skipped."""
    model: type[BaseModel] = Settings
    for part in place[:-1]:
        field = model.model_fields.get(str(part))
        model = next(_models_in(field.annotation), model) if field else model
    return frozenset(model.model_fields)


def _names(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every setting with those that it is part of."""
    for name, field in model.model_fields.items():
        yield (*above, name)
        for inner in _models_in(field.annotation):
            yield from _names(inner, (*above, name))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)
