"""Renders the Markdown of agents and of models as HTML that can do no harm. A customer's text is never rendered."""

from __future__ import annotations

from functools import cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = frozenset("a p br hr em strong code pre blockquote ul ol li h3 h4 h5 h6".split())
_SCHEMES = frozenset({"https", "http", "mailto"})


def rendered(text: str) -> Markup:
    """``text`` as HTML: paragraphs, lists, emphasis, code and links; no picture, and no tag that was written in it."""
    made = nh3.clean(
        _reader().render(text),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(made)  # noqa: S704 - what nh3 has cleaned


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")
