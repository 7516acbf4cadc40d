"""Renders pages from templates: escaped, with a token for their forms and times that browsers make local."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from ...core.clock import iso, parse_iso
from .markdown import rendered
from .security import FormTokens

FOLDER = Path(__file__).parent


class Pages:
    """The pages of one portal, whose name stands at their top."""

    def __init__(self, name: str, forms: FormTokens) -> None:
        self._name = name
        self._forms = forms

    def page(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        form_token: str = "",
        **values: object,
    ) -> HTMLResponse:
        """The template with these values; its forms take ``form_token``, which only this browser can send.

        It is a new one, unless the one that a form has brought is given.
        """
        browser = self._forms.browser(request)
        token = form_token or self._forms.token(browser)
        text = _TEMPLATES.get_template(template).render(portal_name=self._name, form_token=token, **values)
        response = HTMLResponse(text, status, headers)
        self._forms.remember(response, browser)
        return response


def moment(stamp: str) -> Markup:
    """A time (ISO 8601) for machines and, in UTC, for people; a script shows it in the browser's own zone."""
    at = parse_iso(stamp)
    day = datetime.fromtimestamp(at, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(iso(at), f"{day.day} {day:%b %Y, %H:%M}")


def file_size(count: int) -> str:
    """A number of bytes, for people."""
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{max(1, round(count / 1024))} kB"


_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"moment": moment, "rendered": rendered, "file_size": file_size}
