"""The API ``/api`` over the local helpdesk's tickets, for programs with a token of an agent; off without any token.

A request is let in before it is routed, by its token alone: cookies are not read. What it changes is its agent's act,
with the token's name as the reason. Every error is a problem (RFC 9457), which holds no word of a ticket.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from anyio import to_thread
from fastapi import Depends, FastAPI, Header, Path, Query
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ... import __version__
from ...core.errors import HelpdeskDown
from ...core.models import Priority
from ...core.text import strip_hidden
from ...helpdesk import local_model
from ...helpdesk.local_model import Actor, IllegalTransition, LocalHelpdeskError, LocalTicket, NewTicket, Stale
from ...helpdesk.local_store import ApiToken
from ..gate import RequestRefused, bearer, raw_body
from . import api_model as data
from .agent_ticket import as_tags, in_words
from .form import Typed
from .parts import Portal, address_of, too_many

OPEN = ("/api/docs", "/api/openapi.json")
"""What a browser may read without a token: it holds nothing of the site."""
_READING = ("GET", "HEAD", "OPTIONS")
_ABOUT = (
    "Tickets of the local helpdesk, for programs. Send a token as `Authorization: Bearer TOKEN`; `ticketbot portal "
    "create-token` makes one. Times are ISO 8601 in UTC."
)
_DOWN = "Nothing can be read or stored at the moment; try again."


class Refused(HTTPException):
    """The request is answered with a problem; ``more`` are further members of it."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(status, detail, headers)
        self.more = more


def problem(status: int, detail: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """An error as an answer."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return Response(orjson.dumps(body), status, headers, "application/problem+json")


class TokenGate:
    """Answers requests to ``/api`` and below by ``api``, all others and, while there is no token, those by ``app``.

    A request gets in with a valid token, and goes on with ``state.token`` and ``state.body``.
    """

    def __init__(self, app: ASGIApp, api: ASGIApp, portal: Portal) -> None:
        self._app = app
        self._api = api
        self._portal = portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not f"{scope['path']}/".startswith("/api/"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            tokens = await to_thread.run_sync(self._portal.store.tokens)
            token = self._admitted(request, tokens) if tokens else None
            body = b"" if token is None else await _json_of(request)
        except (HTTPException, HelpdeskDown) as why:
            await _answer(why)(scope, receive, send)
            return
        if not tokens:
            await self._app(scope, receive, send)
            return

        async def read_again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        state = {**scope.get("state", {}), "token": token, "body": body}
        await self._api({**scope, "state": state, "root_path": "/api"}, read_again, send)

    def _admitted(self, request: Request, tokens: Sequence[ApiToken]) -> ApiToken | None:
        """The request's token; ``None`` for the documentation, which is open. Raises :class:`Refused`."""
        if request.method == "GET" and request.scope["path"] in OPEN:  # the URL depends on the header Host
            return None
        given = [bearer(one) for one in request.headers.getlist("authorization")]
        secret = given[0] if len(given) == 1 else None
        token = next((one for one in tokens if secret and one.is_opened_by(secret)), None)
        if token is None:  # a right one is never kept out: nobody guesses 256 bits
            if wait_s := self._portal.wrong_tokens.take(address_of(request)):
                raise too_many(wait_s)
            raise _no_token()
        if wait_s := self._portal.api_requests.take(str(token.id)):
            raise too_many(wait_s)
        if token.scope != "write" and request.method not in _READING:
            raise Refused(403, "This token may only read.")
        return token


def _no_token() -> Refused:
    return Refused(401, "Send one valid token as 'Authorization: Bearer'.", {"WWW-Authenticate": "Bearer"})


async def _json_of(request: Request) -> bytes:
    """The body, which is empty or JSON. Raises :class:`Refused`."""
    if request.method in _READING:
        return b""
    try:
        body = await raw_body(request)
    except RequestRefused as why:
        raise Refused(why.status, "The body is too long." if why.status == 413 else "The body did not come.") from None
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Send the body as application/json.")
    try:
        if body:
            orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused(400, "The body is no JSON in UTF-8.") from None
    return body


Number = Annotated[str, Path(max_length=40, description="The ticket's number, such as T-7Q2K-9M4XA.")]
IfMatch = Annotated[
    str | None, Header(max_length=200, description="The ETag of the ticket as it was read; PATCH needs it.")
]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A new random text for each act. A repetition within 24 hours gets the first answer.",
    ),
]


def make_api(portal: Portal) -> FastAPI:
    """The routes below ``/api``, behind :class:`TokenGate`."""
    store = portal.store
    api = FastAPI(
        title="Tickets",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(HTTPBearer(auto_error=False, description="A token of an agent."))],
    )

    @api.get("/tickets", summary="List tickets")
    def tickets(wanted: Annotated[data.TicketsWanted, Query()]) -> data.TicketsPage:
        """Tickets that pass all filters. A page has a cursor for the next one, which changes meanwhile do not shift."""
        if not set(wanted.category) <= store.labels.category.keys():
            raise _wrong({"query/category": f"there are {', '.join(store.labels.category)}"})
        names = ("status", "category", "urgency", "sentiment", "escalated", "sort")
        query = local_model.Query(text=wanted.q, **{name: getattr(wanted, name) for name in names})
        try:
            found = store.search(query, _place(wanted), wanted.limit)
        except (LocalHelpdeskError, ValueError, OverflowError):
            raise _wrong({"query/cursor": "it is no `next` of a list with this sort"}) from None
        cursor = found.next_key and urlsafe_b64encode(f"{wanted.sort}:{found.next_key}".encode()).decode().rstrip("=")
        return data.TicketsPage(tickets=data.rows_of(store, found.rows), next=cursor)

    @api.post("/tickets", status_code=201, summary="Submit a ticket")
    def create(request: Request, response: Response, new: data.TicketToCreate, key: Key = None) -> data.Done:
        """Submit a ticket for a customer, who gets no mail of it. It is triaged within seconds."""
        typed = Typed.sent(**new.model_dump())
        if wrong := typed.errors():
            raise _wrong({f"body/{name}": why for name, why in wrong.items()})

        def act() -> data.Done:
            actor, reason = acting(request)
            words = (typed.subject, typed.description, typed.email, typed.name)
            made = store.create(NewTicket(*words, channel="api", by=actor, reason=reason), portal.now())
            return data.Done(number=made.number, id=made.id, version=1)

        done, is_new = once(request, key, act)
        if is_new:
            portal.notify(done.id)
        response.headers["Location"] = f"/api/tickets/{done.number}"
        return done

    @api.get("/tickets/{number}", summary="Read a ticket")
    def ticket(number: Number, response: Response) -> data.TicketWhole:
        """The ticket with its steps, triage and conversation, internal notes included."""
        found = existing(number)
        response.headers.update(_tagged(found))
        return data.whole(store, found)

    @api.patch("/tickets/{number}", summary="Change a ticket")
    def change(
        request: Request, response: Response, number: Number, to: data.TicketChange, if_match: IfMatch = None
    ) -> data.TicketRow:
        """Change status, priority or tags. `If-Match` is needed: where somebody changed the ticket since, they win."""
        before = existing(number)
        version = matching(before, if_match)
        sent = {name: getattr(to, name) for name in to.model_fields_set}
        tags = sent.pop("tags", before.tags)
        if any(as_tags(strip_hidden(tag)) != (tag,) for tag in tags if tag not in before.tags):
            raise _wrong({"body/tags": "a new tag has up to 60 characters, in lower case, without spaces and commas"})
        if sent.get("priority"):
            sent["priority"] = Priority(sent["priority"])
        gone = [tag for tag in before.tags if tag not in tags]
        with store.writing():
            actor, reason = acting(request)
            sent |= {"tags_add": tags, "tags_remove": gone, "reason": reason}
            after = store.change(before.id, actor, version=version, now=portal.now(), **sent)
        response.headers.update(_tagged(after))
        return data.rows_of(store, [after])[0]

    @api.post("/tickets/{number}/replies", status_code=201, summary="Answer a ticket")
    def reply(
        request: Request, number: Number, said: data.ReplyToAdd, key: Key = None, if_match: IfMatch = None
    ) -> data.Done:
        """Answer the customer, or write an internal note. With `If-Match` only if nothing has changed since."""
        found, text = existing(number), strip_hidden(said.body).strip()
        if not text:
            raise _wrong({"body/body": "write something"})

        def act() -> data.Done:
            version = None if (if_match or "*").strip() == "*" else matching(found, if_match)
            actor, reason = acting(request)
            after = store.reply(
                found.id, actor, text, public=said.public, now=portal.now(), version=version, reason=reason
            )
            message = store.messages(found.id, public_only=False)[-1].id
            return data.Done(number=after.number, id=after.id, version=after.version, message=message)

        return once(request, key, act)[0]

    @api.post("/tickets/{number}/triage", status_code=202, summary="Have a ticket triaged now")
    def triage(request: Request, number: Number, key: Key = None) -> data.Done:
        """Put the ticket on the queue. The run that follows leaves it alone where it finds nothing new in it."""
        found = existing(number)

        def act() -> data.Done:
            acting(request)
            if found.status in ("closed", "spam"):
                raise Refused(409, "Runs leave closed tickets and spam alone.")
            if not portal.notify(found.id):
                raise Refused(503, _DOWN)
            return data.Done(number=found.number, id=found.id, version=found.version)

        return once(request, key, act)[0]

    @api.get("/stats", summary="Count tickets")
    def stats(wanted: Annotated[data.DaysWanted, Query()]) -> data.TicketStatistics:
        """Counts, and times to first reply and resolution, of the tickets created on some days."""
        until = wanted.until or datetime.fromtimestamp(portal.now(), UTC).date()
        since = wanted.since or until - timedelta(days=29)
        return data.figures(store.ticket_times(since.isoformat(), until.isoformat()), since, until)

    @api.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return HTMLResponse(portal.text("api.html", document=api.openapi()))

    def existing(number: str) -> LocalTicket:
        found = store.by_number(number)
        if found is None:
            raise Refused(404, "There is no such ticket.")
        return found

    def acting(request: Request) -> tuple[Actor, str]:
        """The agent of the request's token, and the reason that is kept with what is done.

        The token may have been revoked while the body came: ask inside the transaction that writes.
        """
        token: ApiToken = request.state.token
        if token not in store.tokens():
            raise _no_token()
        return Actor("agent", token.person), f"API token {token.name}"

    def once(request: Request, key: str | None, act: Callable[[], data.Done]) -> tuple[data.Done, bool]:
        """What ``act`` did, for a repetition what it did then, and whether it was done now."""
        if key is None:
            with store.writing():  # so that nothing comes between an act and what is said of it
                return act(), True
        asked = f"{request.method} {request.scope['path']}\n".encode() + request.state.body
        digest = hmac.digest(key.encode(), asked, "sha256")  # which confirms no guess at the words without the key
        said, is_new = store.once(request.state.token, key, digest, portal.now(), lambda: act().model_dump_json())
        return data.Done.model_validate_json(said), is_new

    def matching(found: LocalTicket, if_match: str | None) -> int:
        """The version that the request was made for."""
        if if_match is None or if_match.strip() == "*":
            raise Refused(428, "Send If-Match with the ETag of the ticket as you read it.")
        if _etag(found) not in [each.strip() for each in if_match.split(",")]:
            raise Stale(found)
        return found.version

    def wrong(request: Request, why: Exception) -> Response:
        if isinstance(why, HTTPException) and why.status_code == 405:  # the router names the methods of one route only
            fitting = (route for route in api.routes if route.matches(request.scope)[0] is not Match.NONE)
            methods = {method for route in fitting for method in getattr(route, "methods", ())}
            return problem(405, "This address does not know the method.", {"Allow": ", ".join(sorted(methods))})
        return _answer(why)

    for kind in (HTTPException, RequestValidationError, LocalHelpdeskError, HelpdeskDown, Exception):
        api.add_exception_handler(kind, wrong)
    api.openapi = partial(data.document, api)  # type: ignore[method-assign]
    return api


def _etag(ticket: LocalTicket) -> str:
    return f'"{ticket.version}"'


def _tagged(ticket: LocalTicket) -> dict[str, str]:
    return {"ETag": _etag(ticket), "Cache-Control": "no-store"}


def _place(wanted: data.TicketsWanted) -> str | None:
    """The key of the page that the cursor stands for. Raises ``ValueError``."""
    if not wanted.cursor:
        return None
    padded = wanted.cursor + "=" * (-len(wanted.cursor) % 4)
    sort, _, key = urlsafe_b64decode(padded.encode()).decode().partition(":")
    if sort != wanted.sort:
        raise ValueError("it belongs to another list")
    return key


def _wrong(errors: Mapping[str, str]) -> Refused:
    """The refusal of a request; ``errors`` are reasons by the place of what is wrong."""
    return Refused(422, "; ".join(f"{at}: {why}" for at, why in errors.items()), errors=dict(errors))


def _answer(why: Exception) -> Response:
    """The problem that an exception is answered with."""
    match why:
        case Refused():
            return problem(why.status_code, why.detail, why.headers, **why.more)
        case HTTPException():
            words = {404: "Nothing has this address.", 429: why.detail}
            return problem(why.status_code, words.get(why.status_code, "The request makes no sense."), why.headers)
        case RequestValidationError():
            found = {"/".join(map(str, one["loc"]))[:200]: one["msg"] for one in why.errors()[:20]}
            return _answer(_wrong({at: words.removeprefix("Value error, ") for at, words in found.items()}))
        case Stale():
            return problem(412, "Somebody has changed the ticket since: read it again.")
        case IllegalTransition():
            return problem(409, in_words(why), allowed=why.allowed)
        case LocalHelpdeskError():
            return problem(422, in_words(why))
        case HelpdeskDown():
            return problem(503, _DOWN)
    return problem(500, "The mistake is ours.")
