"""Checks of the settings as a whole: contradictions, gaps, and unsafe values. Pure.

Most checks look at what was written, not at the settings made of it, so that all of it is told at once, whatever else
is wrong: what is missing or of the wrong kind is passed over, since that is told elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from ..analysis.model_server.presets import list_price
from ..analysis.model_server.settings import ModelUse
from ..core.models import RedactionLevel
from ..core.reasons import HANDS_OFF
from ..core.taxonomy import CATEGORY_NAME, Category, Taxonomy, default_taxonomy
from ..core.urls import is_loopback
from ..policy.decide import ALSO, Mode, Policy
from ..policy.escalation import REASONS
from .helpdesks import FreshdeskSettings, ZendeskSettings
from .messages import place_name
from .schema import Settings

Data = Mapping[str, Any]
FRESHDESK_TAG = 32
"""The longest tag that Freshdesk takes (developers.freshdesk.com/api, "Tickets")."""
_PATHS = (("log_dir",), ("state_dir",), ("local", "path"))


def misfits(data: Data) -> list[str]:
    """A sentence for each contradiction in ``data``, the settings as they were written."""
    return [*_taxonomy(data), *_unknown_categories(data), *_also(data), *_hands_off(data), *_models(data)]


def strange_paths(data: Data, origin: Mapping[tuple[str, ...], str]) -> list[str]:
    r"""Paths that no longer are what was written, as ``"C:\temp"`` with its tab; ``origin`` as for error sentences."""
    return [
        f"{origin.get(path, '.'.join(path))}: between double quotes, \\ and the letter behind it became a sign that no "
        "path has; put the path in single quotes, as 'C:\\logs', or write / instead"
        for path in _PATHS
        if any(ord(character) < 32 for character in str(_at(data, *path) or ""))
    ]


def strange_credentials(data: Mapping[str, Any], origin: Mapping[tuple[str, ...], str]) -> list[str]:
    """Credentials travel in HTTP headers, which hold no other characters; the error there would quote them."""
    problems = []
    for path, where in origin.items():
        table = data.get(path[0])
        value = table.get(path[-1]) if isinstance(table, dict) else None
        if (
            path[0] in ("zendesk", "freshdesk", "models")
            and isinstance(value, str)
            and not (value.isascii() and value.isprintable())
        ):
            problems.append(f"{where}: holds characters that belong into no address or credential")
    return problems


def helpdesk_gaps(settings: Settings) -> tuple[list[str], list[str]]:
    """What is missing to choose a helpdesk, to find the account and to sign in; and notices about the credentials."""
    if settings.zendesk.named and settings.freshdesk.named and "helpdesk" not in settings.model_fields_set:
        return ['Zendesk and Freshdesk are both configured: say which with helpdesk = "zendesk" or "freshdesk"'], []
    if settings.helpdesk == "local":
        return [*_not_on_the_local_helpdesk(settings)], []
    if settings.helpdesk == "freshdesk":
        return [*_freshdesk_gaps(settings.freshdesk), *_not_on_freshdesk(settings)], []
    return _zendesk_gaps(settings.zendesk, chosen="helpdesk" in settings.model_fields_set)


def _freshdesk_gaps(freshdesk: FreshdeskSettings) -> Iterator[str]:
    if not freshdesk.named:
        yield "FRESHDESK_DOMAIN or FRESHDESK_URL is missing: which account is it?"
    if not freshdesk.api_key:
        yield "no credentials: set FRESHDESK_API_KEY, which stands in the agent's profile settings"


def _not_on_freshdesk(settings: Settings) -> Iterator[str]:
    """Settings that ask for something which Freshdesk does not have."""
    if settings.replies.public_wanted:
        yield ('replies.categories: on Freshdesk nothing guards an update, so no public reply can be sent; say "draft"')
    if settings.run.write_mode == "batch":
        yield 'run.write_mode: Freshdesk takes one update at a time; say "single", or delete the line'
    for tag in dict.fromkeys(_tags_of(settings)):
        if len(tag) > FRESHDESK_TAG:
            yield f"the tag {tag}: Freshdesk's tags have {FRESHDESK_TAG} characters at most; choose a shorter name"


def _not_on_the_local_helpdesk(settings: Settings) -> Iterator[str]:
    """Settings that ask for something which the local helpdesk does not do."""
    public = settings.replies.public
    for name, status in (("then", public.then),):
        if status == "solved":
            yield f'replies.public.{name}: on the local helpdesk only people resolve a ticket; say "pending"'
    if settings.run.write_mode == "batch":
        yield 'run.write_mode: the local helpdesk takes one update at a time; say "single", or delete the line'


def _tags_of(settings: Settings) -> Iterator[str]:
    """The tags that categories may put on a ticket, and the longest of those with a meaning of their own."""
    policy = settings.policy
    for category in settings.taxonomy.categories:
        yield policy.tag(category.name)
        if category.tag:
            yield category.tag
        if policy.tag_secondary:
            yield policy.tag(ALSO, category.name)
    yield policy.tag("sentiment", "negative")


def _zendesk_gaps(zendesk: ZendeskSettings, *, chosen: bool) -> tuple[list[str], list[str]]:
    problems, notices = [], []
    if not zendesk.named:
        other = "" if chosen or zendesk.credentials else " (for Freshdesk: FRESHDESK_DOMAIN and FRESHDESK_API_KEY)"
        problems.append(f"ZENDESK_SUBDOMAIN or ZENDESK_URL is missing: which account is it?{other}")
    client = (zendesk.oauth_client_id, zendesk.oauth_client_secret)
    basic = (zendesk.email, zendesk.api_token)
    if any(client) and not all(client):
        problems.append("ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET are needed together")
    elif not any(client) and not zendesk.oauth_token:
        if any(basic) and not all(basic):
            problems.append("ZENDESK_EMAIL and ZENDESK_API_TOKEN are needed together")
        elif not any(basic):
            problems.append(
                "no credentials: set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET (best), or "
                "ZENDESK_OAUTH_TOKEN, or ZENDESK_EMAIL and ZENDESK_API_TOKEN"
            )
        else:
            notices.append(
                "Zendesk API tokens stop working on 2027-04-30: create an OAuth client and set "
                "ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET instead"
            )
    return problems, notices


def unheard_answers(settings: Settings) -> list[str]:
    """Notices on settings about customers' answers that runs do not hear of."""
    if settings.helpdesk == "freshdesk" and settings.policy.thanks_keep_solved is not Mode.OFF:
        return ["policy.thanks_keep_solved is not used: Freshdesk records no statuses"]
    return []


def unprotected(settings: Settings, origin: Mapping[tuple[str, ...], str]) -> tuple[list[str], list[str]]:
    """Servers on other machines without https: a problem, or a notice where the settings allow it.

    A private network is no exception: others may be in it.
    """
    models, embeddings = settings.models, settings.embeddings
    bare: dict[str, tuple[str, str]] = {}
    for name in models.names:
        use = models.use.get(name) or ModelUse()
        where, address = f"models.use.{name}.base_url", use.base_url
        if address is None and use.preset in (None, models.preset, "compatible"):
            where, address = origin.get(("models", "base_url"), "models.base_url"), models.base_url
        if _is_bare(address):
            personal = (use.redaction or models.redaction) is RedactionLevel.SECRETS
            more = ', personal data included, since redaction is "secrets"' if personal else ""
            bare[where] = "tickets", max(more, bare.get(where, ("", ""))[1])
    if embeddings.model and _is_bare(embeddings.base_url):
        bare["embeddings.base_url"] = "texts", ""
    if models.allow_plain_http:
        return [], [f"{where} is http: key and {what} travel unprotected{more}" for where, (what, more) in bare.items()]
    advice = "give an https address, or set models.allow_plain_http = true where nobody else can read along"
    return [
        f"{where} is http: key and {what} would travel unprotected{more}; {advice}"
        for where, (what, more) in bare.items()
    ], []


def _is_bare(url: str | None) -> bool:
    return url is not None and urlsplit(url).scheme == "http" and not is_loopback(url)


def _at(data: Data, *path: str) -> Any:
    value: Any = data
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _table(data: Data, *path: str) -> Mapping[str, Any]:
    value = _at(data, *path)
    return value if isinstance(value, Mapping) else {}


def _words(data: Data, *path: str) -> Iterator[tuple[int, str]]:
    """The texts of a list, with their places."""
    value = _at(data, *path)
    for place, item in enumerate(value if isinstance(value, list | tuple) else ()):
        if isinstance(item, str):
            yield place, item


def _categories(data: Data) -> tuple[Category, ...] | None:
    """Names and parents of the categories; ``None`` where one has no usable name, so that nothing is known of them."""
    written = data.get("categories")
    if written is None:
        return default_taxonomy().categories
    if not isinstance(written, list | tuple):
        return None
    found = []
    for item in written:
        name, parent = _at(item, "name"), _at(item, "parent")
        if not isinstance(name, str) or not re.match(CATEGORY_NAME, name):
            return None
        found.append(Category(name=name, description="", parent=parent if isinstance(parent, str) else None))
    return tuple(found)


def _taxonomy(data: Data) -> Iterator[str]:
    categories, fallback = _categories(data), data.get("fallback_category", "general")
    if data.get("categories") is None or categories is None or not isinstance(fallback, str):
        return
    try:
        Taxonomy(categories=categories, fallback=fallback)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            told = item["msg"].removeprefix("Value error, ") if item["type"] == "value_error" else "names none"
            yield f"categories: {told}"


def _unknown_categories(data: Data) -> Iterator[str]:
    """Places in the policy that name a category which the site does not have."""
    categories = _categories(data)
    if categories is None:
        return
    known = tuple(dict.fromkeys(category.name for category in categories))
    path = ("policy", "escalation", "categories")
    for place, name in _words(data, *path):
        if name not in known:
            yield f"{place_name((*path, place))}: no such category; there are {', '.join(known)}"
    for table in (("replies", "categories"), ("replies", "public", "thresholds")):
        for name in _table(data, *table):
            if name not in known:
                yield f"{place_name((*table, name))}: no such category; there are {', '.join(known)}"
    for name in _table(data, "policy", "escalation", "plans"):
        if name not in known and name not in REASONS:
            reasons = ", ".join(REASONS)
            yield f"policy.escalation.plans.{name}: neither a category nor a reason; the reasons are {reasons}"


def _tags_second(data: Data) -> bool:
    return _at(data, "policy", "tag_secondary") is True


def _also(data: Data) -> Iterator[str]:
    """No category's own tag may be taken for that of a second category."""
    written = data.get("categories")
    for place, category in enumerate(written if _tags_second(data) and isinstance(written, list | tuple) else ()):
        if str(_at(category, "name")).startswith(f"{ALSO}_"):
            where = place_name(("categories", place, "name"))
            yield f"{where}: policy.tag_secondary makes such tags for second categories; choose another name"


def _hands_off(data: Data) -> Iterator[str]:
    """The tag that keeps us away from a ticket must be none that a category puts there."""
    prefix = _at(data, "policy", "tag_prefix")
    hands_off = f"{prefix if isinstance(prefix, str) else Policy().tag_prefix}{HANDS_OFF}"
    written = data.get("categories")
    for place, category in enumerate(written if isinstance(written, list | tuple) else ()):
        if _at(category, "tag") == hands_off:
            where = place_name(("categories", place, "tag"))
            yield f"{where}: one tag cannot both mean hands off and be set for a category"


def _models(data: Data) -> Iterator[str]:
    names = [name for _, name in _words(data, "models", "names")]
    for name in _table(data, "models", "use"):
        if names and name not in names:
            yield f"models.use.{name}: no such model in models.names (or TICKETBOT_MODELS)"
    in_dollars = [f"budget.{name}" for name in ("run_usd", "day_usd") if _at(data, "budget", name) is not None]
    prices = _table(data, "models", "prices")
    for name in names:
        use = _table(data, "models", "use", name)
        preset = str(use.get("preset") or _at(data, "models", "preset"))
        listed = list_price(str(use.get("model") or name), preset)
        if in_dollars and name not in prices and not listed:
            yield (
                f'{" and ".join(in_dollars)}: models.prices has no price for {name}; write there: "{name}" = '
                "[input, output, cached input], in dollars for a million tokens (0 is a price)"
            )
