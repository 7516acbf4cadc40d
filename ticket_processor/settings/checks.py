"""Checks of the settings as a whole: contradictions, gaps, and unsafe values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import ValidationError

from ..analysis.model_server.presets import list_price
from ..analysis.model_server.settings import BudgetSettings, ModelSettings, ModelUse
from ..core.models import RedactionLevel
from ..core.urls import is_loopback
from ..policy.decide import ALSO
from ..policy.escalation import REASONS
from .helpdesks import FreshdeskSettings, ZendeskSettings
from .messages import place_name
from .schema import Settings
from .sources import Place

FRESHDESK_TAG = 32
"""The longest tag that Freshdesk takes (developers.freshdesk.com/api, "Tickets")."""


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
    if settings.replies.public.then == "solved":
        yield 'replies.public.then: on the local helpdesk only people resolve a ticket; say "pending"'
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


def unprotected(settings: Settings, origin: Mapping[Place, str]) -> tuple[list[str], list[str]]:
    """Servers on other machines without https: a problem, or a notice where the settings allow it.

    A private network is no exception: others may be in it.
    """
    models, embeddings = settings.models, settings.embeddings
    bare: dict[str, str] = {}
    for name in models.names:
        use = models.use.get(name) or ModelUse()
        where, address = f"models.use.{name}.base_url", use.base_url
        if address is None and use.preset in (None, models.preset, "compatible"):
            where, address = origin.get(("models", "base_url"), "models.base_url"), models.base_url
        if _is_bare(address):
            personal = (use.redaction or models.redaction) is RedactionLevel.SECRETS
            more = ', personal data included, since redaction is "secrets"' if personal else ""
            bare[where] = more or bare.get(where, "")
    if embeddings.model and _is_bare(embeddings.base_url):
        bare["embeddings.base_url"] = ""
    told = [f"{where} is http: key and tickets travel unprotected{more}" for where, more in bare.items()]
    if models.allow_plain_http:
        return [], told
    advice = "give an https address, or set models.allow_plain_http = true where nobody else can read along"
    return [f"{one}; {advice}" for one in told], []


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
