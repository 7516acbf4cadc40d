"""Translations of articles."""

from __future__ import annotations

from ticket_processor.sandbox.basics import html_to_text, iso
from ticket_processor.sandbox.fill import PUBLISHED
from ticket_processor.sandbox.freshdesk_store import FreshdeskStore
from ticket_processor.sandbox.zendesk_store import ZendeskStore


def add_translation(store: ZendeskStore, article_id: int, locale: str, title: str, body: str, **others: object) -> None:
    """Put a translation beside an article; ``others`` are further fields, such as ``outdated``."""
    with store.lock:
        row = next(row for row in store.articles if row["id"] == article_id)
        stamp = iso(store.now())
        text = {
            "id": 90_001 + sum(len(texts) for texts in store.article_translations.values()),
            "source_id": article_id,
            "source_type": "Article",
            "locale": locale,
            "title": title,
            "body": body,
            "html_url": f"{store.base_url}/hc/{locale}/articles/{article_id}",
            "outdated": False,
            "draft": False,
            "hidden": False,
            "created_at": stamp,
            "updated_at": stamp,
            **others,
        }
        texts = store.article_translations.setdefault(article_id, [])
        texts[:] = [*(kept for kept in texts if kept["locale"] != locale), text]
        row["updated_at"] = stamp


def add_freshdesk_translation(store: FreshdeskStore, article_id: int, language: str, title: str, markup: str) -> None:
    """Put a published translation beside an article."""
    with store.lock:
        row = next(row for row in store.articles if row["id"] == article_id)
        row["updated_at"] = iso(store.now())
        text = {"title": title, "description": markup, "description_text": html_to_text(markup), "language": language}
        store.translations.append({**row, **text, "status": PUBLISHED})
