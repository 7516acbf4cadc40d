"""The form ``/`` by which a customer submits a ticket, and articles that may answer it before that."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, File, Form, UploadFile
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...core.errors import HelpdeskDown
from ...core.text import strip_hidden
from ...helpdesk.local_model import FormUsed, LocalHelpdeskError, NewFile, NewTicket
from ...helpdesk.local_store import Seen
from ...replies.assembly import ArticleLines
from .parts import (
    FORM_LIFE_S,
    LINK_COOKIE,
    LINK_LIFE_S,
    Portal,
    address_of,
    go_to,
    let_in,
    path_of,
    too_many,
)

MOST_SUBJECT, MOST_DESCRIPTION, MOST_NAME, MOST_EMAIL = 200, 20_000, 100, 254
MOST_FILES, MOST_FILE_BYTES = 5, 5 * 2**20
SUGGEST_FROM, MOST_SEARCHED = 20, 1000
"""Minimum number of characters for which articles are searched, and maximum of the description that is used."""
LEAST_S = 3.0
"""Seconds; a form that was filled in faster was probably not filled in by a person."""
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,10}[^\W\d_][\w-]{1,61}")
_USED = "This form was sent before, and made a ticket. Send it again if this is to be another one."
Text = Annotated[str, Form()]
Version = Annotated[int, Form()]
Files = Annotated[list[UploadFile] | None, File()]


async def form_of(request: Request) -> FormData:
    """The fields of a form; several may have the same name."""
    return await request.form()


Fields = Annotated[FormData, Depends(form_of)]


@dataclass(frozen=True)
class Typed:
    """What the customer typed into the form."""

    subject: str = ""
    description: str = ""
    email: str = ""
    name: str = ""

    @classmethod
    def sent(cls, subject: Text = "", description: Text = "", email: Text = "", name: Text = "") -> Typed:
        """Clean what a form sent: no invisible characters, and no line breaks in one-line fields."""
        subject, email, name = (" ".join(strip_hidden(each).split()) for each in (subject, email, name))
        return cls(subject, strip_hidden(description).strip(), email, name)

    def errors(self) -> dict[str, str]:
        """An error message for each wrong field."""
        wrong = {}
        if not self.subject:
            wrong["subject"] = "Say in a few words what it is about."
        if not self.description:
            wrong["description"] = "Describe what happened, or what you need."
        if len(self.email) > MOST_EMAIL or not _EMAIL.fullmatch(self.email):
            wrong["email"] = "Give an e-mail address such as name@example.com."
        for field, value, most in (
            ("subject", self.subject, MOST_SUBJECT),
            ("description", self.description, MOST_DESCRIPTION),
            ("name", self.name, MOST_NAME),
        ):
            if len(value) > most:
                wrong[field] = f"Use at most {most:,} characters; these are {len(value):,}."
        return wrong


Sent = Annotated[Typed, Depends(Typed.sent)]


def routes(portal: Portal) -> APIRouter:
    """The form's pages."""
    router = APIRouter()

    @router.get("/")
    def form(request: Request) -> Response:
        return shown(request, Typed())

    @router.post("/articles")
    def articles(request: Request, typed: Sent, form_token: Text = "") -> Response:
        """Show articles about what was typed: the list alone for our script, else the whole page with the form."""
        found = suggestions(request, typed)
        is_ours = portal.forms.age(request, form_token) is not None  # no program that only posts: its links are plain
        if portal.url_of and is_ours:
            note(portal, request, "shown", *(each.article_id for each in found))
            found = [replace(each, url=each.url and link_to(each.article_id)) for each in found]
        if request.headers.get("hx-request") == "true":
            return portal.page(request, "articles.html", articles=found, searched=True)
        return shown(request, typed, token=form_token, found=found, searched=True)

    @router.get("/articles/open")
    def open_article(request: Request, article: str = "") -> Response:
        """Lead to the address of an article that was suggested, and note that it was opened; to no other address."""
        article_id, _ = portal.cookies.unsigned("article", article, FORM_LIFE_S) or ("", 0.0)
        url = portal.url_of(article_id) if portal.url_of and article_id else ""
        if not url:
            raise HTTPException(404)
        if not request.headers.get("sec-purpose", "").startswith("prefetch"):
            note(portal, request, "opened", article_id)
        return go_to(url)

    def link_to(article_id: str) -> str:
        return "/articles/open?" + urlencode({"article": portal.cookies.sign("article", article_id)})

    @router.post("/")
    def submit(
        request: Request, typed: Sent, website: Text = "", form_token: Text = "", files: Files = None
    ) -> Response:
        sent, wrong_files = files_in(files)
        wrong = typed.errors() | ({"files": wrong_files} if wrong_files else {})
        age = portal.forms.age(request, form_token)
        if age is None:
            return shown(
                request, typed, {"": "This page was open for too long, or cookies are off. Send it again."}, 403
            )
        if website:
            wrong = {"": "Leave the field “Website” empty, and send it again."}
        elif age < LEAST_S and not wrong:
            wrong = {"": "That was very quick. Look it over, and send it again."}
        if wrong:
            return shown(request, typed, wrong, 422, token=form_token)
        who = address_of(request)
        if wait_s := portal.files.take(who, len(sent)) or portal.tickets.take(who):
            refused = too_many(wait_s)
            many = {"": f"These are many tickets or files in a short time. {refused.detail}"}
            answer = shown(request, typed, many, 429, token=form_token)
            answer.headers["Retry-After"] = (refused.headers or {})["Retry-After"]
            return answer
        new = NewTicket(
            typed.subject,
            typed.description,
            typed.email,
            typed.name,
            files=sent,
            form=portal.forms.name(request, form_token),
        )
        try:
            created = portal.store.create(new, portal.now())
        except FormUsed:
            return shown(request, typed, {"": _USED}, 409)
        except LocalHelpdeskError as error:
            return shown(request, typed, {"": f"{error}."}, 422, token=form_token)
        portal.notify(created.id)
        note(portal, request, "sent", "")
        answer = go_to(path_of(created.number))
        let_in(portal, answer, created.number)
        path = path_of(created.number)
        portal.cookies.set(answer, LINK_COOKIE, created.secret, path=path, life_s=LINK_LIFE_S)
        return answer

    def shown(
        request: Request,
        typed: Typed,
        wrong: dict[str, str] | None = None,
        status: int = 200,
        *,
        token: str = "",
        found: list[ArticleLines] | None = None,
        searched: bool = False,
    ) -> Response:
        is_good = portal.forms.age(request, token) is not None  # a correction need not wait LEAST_S again
        return portal.page(
            request,
            "form.html",
            status,
            form_token=token if is_good else "",
            typed=typed,
            wrong=wrong or {},
            articles=found or [],
            searched=searched,
            can_suggest=portal.suggest is not None,
            most={"files": MOST_FILES, "megabytes": MOST_FILE_BYTES // 2**20},
        )

    def suggestions(request: Request, typed: Typed) -> list[ArticleLines]:
        if portal.suggest is None:
            raise HTTPException(404)
        if wait_s := portal.searches.take(address_of(request)):
            raise too_many(wait_s)
        is_enough = len(typed.subject) + len(typed.description) >= SUGGEST_FROM
        text = f"{typed.subject}\n{typed.description[:MOST_SEARCHED]}".strip()
        return list(portal.suggest(text)) if is_enough else []

    return router


def note(portal: Portal, request: Request, what: Seen, *articles: str) -> None:
    """Note what a browser with a form of ours did about articles, by a keyed hash of its name. Never fails."""
    browser = portal.forms.known_browser(request)
    if portal.url_of is None or not browser or not articles or portal.noted.take(address_of(request)):
        return
    name = hashlib.blake2b(browser.encode(), key=portal.cookies.key[:64], digest_size=16).digest()
    with suppress(HelpdeskDown):
        portal.store.note_browser(name, what, articles, portal.now())


def files_in(files: Sequence[UploadFile] | None) -> tuple[list[NewFile], str]:
    """The files that were sent, and an error message about them, empty if all are right."""
    sent, wrong = [], ""
    for each in files or ():
        name = " ".join(strip_hidden(each.filename or "").split())
        content = each.file.read(MOST_FILE_BYTES + 1)
        if not name and not content:
            continue  # what a browser sends where no file was chosen
        if len(content) > MOST_FILE_BYTES:
            wrong = f"Each file may have {MOST_FILE_BYTES // 2**20} MB."
        sent.append(NewFile(name, content))
    return sent, wrong or (f"Send at most {MOST_FILES} files." if len(sent) > MOST_FILES else "")
