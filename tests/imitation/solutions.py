"""Help centers with more: translations, who may read, and folders in folders."""

from __future__ import annotations

from typing import Any

from ticket_processor.sandbox.freshdesk_api import FreshdeskCall
from ticket_processor.sandbox.messages import Response, json_response
from ticket_processor.sandbox.zendesk_call import Call, paged

OWN_LANGUAGE = "en"


def _folders(call: FreshdeskCall, **place: int | None) -> Response:
    """The folders at a place, each with the number of those in it."""
    inside = [row["parent_folder_id"] for row in call.store.folders]
    rows = [{**row, "sub_folders_count": inside.count(row["id"])} for row in call.store.folders]
    return call.paged(row for row in rows if place.items() <= row.items())


def _texts(call: FreshdeskCall) -> list[dict[str, Any]]:
    return [*call.store.articles, *call.store.translations]


def _settings(call: FreshdeskCall) -> Response:
    """The languages of the account."""
    others = sorted({row["language"] for row in _texts(call)} - {OWN_LANGUAGE})
    told = {"primary_language": OWN_LANGUAGE, "supported_languages": others, "portal_languages": others}
    return json_response(200, {**told, "help_widget_languages": []})


SIGNED_IN, STAFF, SOME = 80_001, 80_002, 80_003
SEGMENTS = (
    {"id": SIGNED_IN, "name": "Signed-in users", "user_type": "signed_in_users", "built_in": True},
    {"id": STAFF, "name": "Agents and admins", "user_type": "staff", "built_in": True},
    {"id": SOME, "name": "VIP customers", "user_type": "signed_in_users", "built_in": False},
)
"""Who may see an article of Zendesk's that names one of them."""


def _articles(call: Call) -> Response:
    """Zendesk's; ``include=translations`` adds these."""
    rows = call.store.articles
    if "translations" in call.included:
        rows = [{**row, "translations": [row, *call.store.article_translations.get(row["id"], ())]} for row in rows]
    return paged(call, "articles", rows)


ZENDESK = {
    "GET help_center/articles": _articles,
    "GET help_center/user_segments": lambda call: paged(call, "user_segments", SEGMENTS),
}
FRESHDESK = {
    "GET solutions/categories/{id}/folders": lambda call: _folders(
        call, category_id=call.one_of(call.store.categories)["id"], parent_folder_id=None
    ),
    "GET solutions/folders/{id}/subfolders": lambda call: _folders(
        call, parent_folder_id=call.one_of(call.store.folders)["id"]
    ),
    "GET solutions/articles/{id}/{name}": lambda call: json_response(
        200, call.one_of([text for text in _texts(call) if text["language"] == call.args[-1]])
    ),
    "GET settings/helpdesk": _settings,
}
