"""The rest of the imitated API: ticket fields, groups, the current user, and the help center's articles."""

from __future__ import annotations

import re
from typing import Any

from .clock import iso
from .messages import Response, json_response, refuse
from .store import Store
from .text import html_to_text
from .zendesk_call import NOT_FOUND, Call
from .zendesk_lists import paged

FIRST_GROUP = 8_001
ANONYMOUS = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}


def ticket_fields(call: Call) -> Response:
    """``GET /ticket_fields``: all of them, without paging."""
    call.spend("ticket_fields")
    fields = call.store.ticket_fields
    return json_response(200, {"ticket_fields": fields, "next_page": None, "previous_page": None, "count": len(fields)})


def groups(call: Call) -> Response:
    """``GET /groups``: those that are not deleted, unless asked for with ``exclude_deleted=false``."""
    rows = list(call.store.groups.values())
    if call.request.query.get("exclude_deleted") != "false":
        rows = [row for row in rows if not row["deleted"]]
    return paged(call, "groups", rows, sorts=("id", "name"))


def current_user(call: Call) -> Response:
    """``GET /users/me`` with credentials."""
    return json_response(200, {"user": call.store.users[call.identity.user_id]})


def anonymous_user() -> Response:
    """``GET /users/me`` without credentials: 200 all the same."""
    return json_response(200, {"user": ANONYMOUS})


def articles(call: Call) -> Response:
    """``GET /help_center/articles`` and ``/help_center/{locale}/articles``"""
    locale = call.args[0] if call.args else None
    rows = [row for row in call.store.articles if locale in (None, row["locale"])]
    return paged(call, "articles", rows, sorts=("created_at", "updated_at", "title"))


def article(call: Call) -> Response:
    """``GET /help_center/articles/{id}``"""
    for row in call.store.articles:
        if row["id"] == int(call.args[0]):
            return json_response(200, {"article": row})
    raise refuse(404, NOT_FOUND)


def search_articles(call: Call) -> Response:
    """``GET /help_center/articles/search``: published articles with any of the words, best first, a snippet each."""
    query = call.request.query
    if not query.get("query") and not query.get("label_names"):
        description = "query, category, section or label_names is required"
        raise refuse(400, {"error": "BadRequest", "description": description})
    words = set(re.findall(r"\w{2,}", query.get("query", "").lower()))
    labels = {name for name in query.get("label_names", "").split(",") if name}
    scored: list[tuple[int, dict[str, Any]]] = []
    for row in call.store.articles:
        if row["draft"] or query.get("locale") not in (None, "*", row["locale"]):
            continue
        text = html_to_text(row["body"])
        found = words & set(re.findall(r"\w{2,}", f"{row['title']} {text}".lower()))
        if labels and not labels & set(row["label_names"]):
            continue
        if found or not words:
            scored.append((-len(found), {**row, "snippet": text[:160], "result_type": "article"}))
    scored.sort(key=lambda pair: (pair[0], pair[1]["id"]))
    page = call.number("page", 1, at_most=10)
    size = call.number("per_page", 25, at_most=100)
    payload = {
        "results": [row for _, row in scored][(page - 1) * size : page * size],
        "count": len(scored),
        "page": page,
        "page_count": -(-len(scored) // size),
        "per_page": size,
        "next_page": call.link(page=str(page + 1)) if page * size < len(scored) else None,
        "previous_page": call.link(page=str(page - 1)) if page > 1 else None,
    }
    return json_response(200, payload)


def add_article(
    store: Store,
    title: str,
    body: str,
    *,
    locale: str = "en-us",
    draft: bool = False,
    label_names: tuple[str, ...] = (),
    user_segment_id: int | None = None,
) -> int:
    """Put an article (``body`` is HTML) into the help center; gives its id."""
    with store.lock:
        article_id = 50_001 + len(store.articles)
        stamp = iso(store.now())
        url = f"{store.base_url}/hc/{locale}/articles/{article_id}"
        store.articles.append(
            {
                "id": article_id,
                "url": f"{store.base_url}/api/v2/help_center/{locale}/articles/{article_id}.json",
                "html_url": url,
                "author_id": 7001,
                "title": title,
                "name": title,
                "body": body,
                "locale": locale,
                "source_locale": locale,
                "draft": draft,
                "promoted": False,
                "position": 0,
                "comments_disabled": False,
                "outdated": False,
                "label_names": list(label_names),
                "section_id": 60_001,
                "permission_group_id": 1,
                "user_segment_id": user_segment_id,
                "vote_count": 0,
                "vote_sum": 0,
                "created_at": stamp,
                "updated_at": stamp,
                "edited_at": stamp,
            }
        )
        return article_id


def default_groups(store: Store) -> dict[int, dict[str, Any]]:
    """The groups of agents that a fresh account might have."""
    stamp = iso(store.now())
    return {
        group_id: {
            "id": group_id,
            "url": f"{store.base_url}/api/v2/groups/{group_id}.json",
            "name": name,
            "description": "",
            "default": group_id == FIRST_GROUP,
            "deleted": False,
            "is_public": True,
            "created_at": stamp,
            "updated_at": stamp,
        }
        for group_id, name in enumerate(("Support", "Finance"), FIRST_GROUP)
    }


def default_fields(store: Store) -> list[dict[str, Any]]:
    """The ticket fields of a fresh account, and a drop-down and a line of text of its own."""
    stamp = iso(store.now())
    choices: dict[str, list[tuple[str, str]]] = {
        "status": [(name.capitalize(), name) for name in ("new", "open", "pending", "solved")],
        "tickettype": [(name.capitalize(), name) for name in ("question", "incident", "problem", "task")],
        "priority": [(name.capitalize(), name) for name in ("low", "normal", "high", "urgent")],
    }
    kinds = ("subject", "description", "status", "tickettype", "priority", "group", "assignee")
    fields: list[dict[str, Any]] = []
    for position, kind in enumerate(kinds):
        field = _field(store, 1_000 + position, kind, kind.capitalize(), position, stamp)
        if kind in choices:
            field["system_field_options"] = [{"name": name, "value": value} for name, value in choices[kind]]
        if kind == "priority":
            field["sub_type_id"] = 0
        fields.append(field)
    product = _field(store, 2_001, "tagger", "Product area", len(kinds), stamp)
    product["removable"] = True
    product["custom_field_options"] = [
        {"id": 3_000 + index, "name": name, "raw_name": name, "value": value}
        for index, (name, value) in enumerate((("Web shop", "area_web_shop"), ("App", "area_app")))
    ]
    order = _field(store, 2_002, "text", "Order number", len(kinds) + 1, stamp)
    order["removable"] = True
    return [*fields, product, order]


def _field(store: Store, field_id: int, kind: str, title: str, position: int, stamp: str) -> dict[str, Any]:
    return {
        "url": f"{store.base_url}/api/v2/ticket_fields/{field_id}.json",
        "id": field_id,
        "type": kind,
        "title": title,
        "raw_title": title,
        "description": title,
        "raw_description": title,
        "position": position,
        "active": True,
        "required": False,
        "collapsed_for_agents": False,
        "regexp_for_validation": None,
        "title_in_portal": title,
        "raw_title_in_portal": title,
        "visible_in_portal": True,
        "editable_in_portal": True,
        "required_in_portal": False,
        "tag": None,
        "created_at": stamp,
        "updated_at": stamp,
        "removable": False,
        "agent_description": "",
    }
