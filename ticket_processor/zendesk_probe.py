"""Finding out on a scratch ticket how a Zendesk account treats jobs of updates, where its documentation is silent.

Source of what is asked: developer.zendesk.com, "Tickets" (update many, safe updates), "Job Statuses".
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from .clock import Clock, Deadline, iso, parse_iso
from .errors import CannotRun, HelpdeskDown, OutcomeUnknown, TicketbotError
from .probe import Observed, Rendering
from .throttle import Limit
from .transport import Effect, Reply, Transport
from .zendesk import ACCOUNT_LIMIT, METADATA, UPDATE_LIMIT, note_html, read_limits

SUBJECT = "ticketbot probe"
TAG = "ticketbot_probe"
REQUESTER = {"name": "ticketbot probe", "email": "ticketbot-probe@example.com"}
FIRST_WORDS = "A scratch ticket of 'ticketbot probe'. It may be deleted."
PLACEHOLDER = "{{ticket.id}}"
NOTE = f"ticketbot probe. Escaped: [{PLACEHOLDER}]"
RAW = f"<p>As it is: ({PLACEHOLDER})</p>"
DAY_S = 86_400
POLL_S = 0.25
POLL_MAX_S = 4.0

_ESCAPED_SHOWN = re.compile(r"Escaped: \[(.*?)\]", re.DOTALL)
_RAW_SHOWN = re.compile(r"As it is: \((.*?)\)", re.DOTALL)
_MARKUP = re.compile(r"<[^>]*>")
_WORD = re.compile(r"^[A-Za-z][A-Za-z0-9_ ]{0,39}$")

Json = Mapping[str, Any]
Read = TypeVar("Read")


class Probe:
    """One probe on one scratch ticket. Use from one thread; :meth:`create`, :meth:`observe`, then :meth:`solve`.

    ``margin_s``: how old a stamp has to be, and how long a reading may lag behind. ``job_limit_s``: how long a job may
    take. ``tell`` hears what is being done. Besides what :class:`~ticket_processor.transport.Transport` raises, an
    answer with which nothing can be learnt raises :class:`~ticket_processor.errors.CannotRun`.
    """

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        deadline: Deadline,
        *,
        margin_s: float,
        job_limit_s: float,
        tell: Callable[[str], object] = lambda _line: None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._deadline = deadline
        self._margin_s = margin_s
        self._job_limit_s = job_limit_s
        self._tell = tell
        self._key = f"probe-{secrets.token_hex(8)}"
        self.ticket_id: int | None = None

    def create(self) -> int:
        """Make the scratch ticket; its id. Its first comment is public, for a note must not become what that is."""
        reply = self._transport.request(
            "POST",
            "/api/v2/tickets",
            json={
                "ticket": {
                    "subject": SUBJECT,
                    "comment": {"body": FIRST_WORDS, "public": True},
                    "requester": REQUESTER,
                    "tags": [TAG],
                }
            },
            headers={"Idempotency-Key": f"ticketbot-{self._key}"},
        )
        ticket_id = _mapping(_mapping(reply.body).get("ticket")).get("id")
        if not reply.ok or not isinstance(ticket_id, int):
            raise CannotRun(f"Zendesk refuses to create a scratch ticket ({_said(reply)})")
        self.ticket_id = ticket_id
        return ticket_id

    def observe(self) -> Observed:
        """Write to the scratch ticket in all the ways that are in doubt, and look at what came of each."""
        self._tell(f"waiting until the stamp of the scratch ticket is {self._margin_s:g} s old")
        first = self._settled()
        seen = self._in_a_job(Observed(), first)
        if not seen.arrived:
            self._single({"tags": [TAG, f"{TAG}_moved"]}, must=True)  # so that the first stamp is an old one
        self._tell("old stamps")
        if seen.arrived:
            seen = self._stale_in_a_job(seen, str(first["updated_at"]))
        return self._single_updates(seen, str(first["updated_at"]))

    def solve(self) -> str | None:
        """Set the scratch ticket to solved, so that nobody works on it; a sentence when that failed."""
        if self.ticket_id is None:
            return None
        try:
            reply = self._single({"status": "solved"}, guarded=False)
        except TicketbotError as error:
            return f"ticket {self.ticket_id} ('{SUBJECT}') could not be set to solved: {error}"
        return (
            None if reply.ok else f"ticket {self.ticket_id} ('{SUBJECT}') could not be set to solved ({_said(reply)})"
        )

    # The steps

    def _in_a_job(self, seen: Observed, ticket: Json) -> Observed:
        """A job of one ordinary change with everything on it; once more when it was not made."""
        for attempt in ("first", "second"):
            self._tell(f"a job with one ticket, a note and a key: {attempt} attempt")
            tag = f"{TAG}_{attempt}"
            try:
                took, item = self._job(
                    {
                        "tags": [*_tags(ticket), tag],
                        "updated_stamp": ticket["updated_at"],
                        "comment": {"html_body": note_html(NOTE) + RAW, "public": False},
                        "metadata": {METADATA: {"key": self._key, "intent": "probe"}},
                    }
                )
            except _JobRefused as error:
                return replace(seen, refused=str(error))
            seen = replace(seen, job_seconds=took, told=item.get("success") is True)
            if self._shows(tag, sure=_failed(item)):
                break
            ticket = self._settled()
        else:
            return seen
        seen = self._look_at_note(replace(seen, arrived=True))
        kept = self._until(self._has_key, bool)
        return replace(seen, metadata=kept)

    def _stale_in_a_job(self, seen: Observed, stamp: str) -> Observed:
        tag = f"{TAG}_stale_in_job"
        try:
            _, item = self._job({"tags": [*_tags(self._ticket()), tag], "updated_stamp": stamp})
        except _JobRefused as error:
            return replace(seen, stale_item=True, stale_item_error=str(error))
        written = self._shows(tag, sure=_failed(item))
        return replace(seen, stale_item=not written, stale_item_error=_word(item.get("error")))

    def _single_updates(self, seen: Observed, old_stamp: str) -> Observed:
        stale = self._single({"tags": [*_tags(self._ticket()), f"{TAG}_stale"], "updated_stamp": old_stamp})
        if stale.status == 409:
            seen = replace(seen, stale_single=True, conflict_error=_error_word(stale))
        elif stale.ok:
            seen = replace(seen, stale_single=False)
        note = {} if seen.comment else {"comment": {"html_body": note_html(NOTE) + RAW, "public": False}}
        fine = self._single({"tags": [TAG, f"{TAG}_single"], **note}, must=True)
        if note:
            seen = replace(self._look_at_note(seen), comment=False)
        seen = replace(seen, before=_update_limit(fine))
        stamp = str(_mapping(_mapping(fine.body).get("ticket")).get("updated_at"))
        if seen.refused is None:
            self._tell("additional_tags in a job, and a stamp of tomorrow")
            with suppress(_JobRefused):
                self._job({"additional_tags": [f"{TAG}_added"], "updated_stamp": stamp})
        tomorrow = iso((fine.date or self._clock.now()) + DAY_S)
        future = self._single({"subject": f"{SUBJECT}, seen", "updated_stamp": tomorrow})
        accepted = True if future.ok else False if future.status == 409 else None
        seen = replace(seen, tomorrow=accepted, after=_update_limit(future))
        if seen.refused is not None:
            return seen
        return replace(seen, tag_edits=self._shows(f"{TAG}_added", f"{TAG}_single"))

    def _look_at_note(self, seen: Observed) -> Observed:
        note = self._until(self._note, bool)
        if not note:
            return seen
        shown = note.get("plain_body") or note.get("body") or _MARKUP.sub("", str(note.get("html_body")))
        text = html.unescape(str(shown))
        return replace(
            seen,
            comment=True,
            public=seen.public or note.get("public") is not False,
            escaped=self._rendering(_ESCAPED_SHOWN, text),
            raw=self._rendering(_RAW_SHOWN, text),
        )

    def _rendering(self, place: re.Pattern[str], text: str) -> Rendering | None:
        found = place.search(text)
        if found is None:
            return None
        shown = found[1].strip()
        known: dict[str, Rendering] = {PLACEHOLDER: "as written", str(self.ticket_id): "expanded", "": "removed"}
        return known.get(shown, "changed")

    # Reading

    def _ticket(self) -> Json:
        """The ticket as it is now, with the reply's own time under ``read_at``; empty while it is not found."""
        reply = self._get(f"/tickets/{self.ticket_id}")
        return {**_mapping(_mapping(reply.body).get("ticket")), "read_at": reply.date} if reply.ok else {}

    def _settled(self) -> Json:
        """The ticket once nothing has happened to it for the margin."""
        since = self._clock.monotonic()
        while True:
            ticket = self._ticket()
            waited = self._clock.monotonic() - since
            if ticket.get("updated_at"):
                told = ticket["read_at"]
                age = waited if told is None else told - parse_iso(str(ticket["updated_at"]))
                if age > self._margin_s:
                    return ticket
                self._deadline.wait(max(POLL_S, min(1.0 + self._margin_s - age, self._margin_s)))
            elif waited > self._job_limit_s:
                raise CannotRun(f"Zendesk does not show the ticket {self.ticket_id} that it has just made")
            else:
                self._deadline.wait(POLL_S)

    def _shows(self, *tags: str, sure: bool = False) -> bool:
        """Whether the ticket carries all these tags, now or (unless that is ``sure``) when readings have caught up."""
        if sure:
            return set(tags) <= set(_tags(self._ticket()))
        return self._until(lambda: set(tags) <= set(_tags(self._ticket())), bool)

    def _note(self) -> Json:
        """Our note with the placeholders; empty when there is none."""
        rows = _mapping(self._get(f"/tickets/{self.ticket_id}/comments").body).get("comments") or ()
        notes = [_mapping(row) for row in rows if _ESCAPED_SHOWN.search(html.unescape(str(_mapping(row).get("body"))))]
        return notes[-1] if notes else {}

    def _has_key(self) -> bool:
        """Whether one of the ticket's audits carries our key."""
        rows = _mapping(self._get(f"/tickets/{self.ticket_id}/audits").body).get("audits") or ()
        custom = [_mapping(_mapping(_mapping(row).get("metadata")).get("custom")) for row in rows]
        return any(_mapping(mark.get(METADATA)).get("key") == self._key for mark in custom)

    def _until(self, read: Callable[[], Read], good: Callable[[Read], bool]) -> Read:
        """What is read, as soon as it is good; else what is read last within the margin."""
        since = self._clock.monotonic()
        while not good(value := read()) and self._clock.monotonic() - since < self._margin_s:
            self._deadline.wait(POLL_S)
        return value

    def _get(self, path: str, params: Mapping[str, str | int] | None = None) -> Reply:
        """An answer, which may be that there is nothing (yet)."""
        reply = self._transport.request("GET", "/api/v2" + path, params=params or {})
        if not reply.ok and reply.status != 404:
            what = path.rpartition("/")[0] if path[-1].isdigit() else path.replace(f"/{self.ticket_id}/", "/…/")
            raise CannotRun(f"Zendesk refuses to show {what} ({_said(reply)}); nothing was learnt")
        return reply

    # Writing

    def _single(self, ticket: Json, *, guarded: bool = True, must: bool = False) -> Reply:
        """One update of the scratch ticket; with ``must`` everything but success raises."""
        guard = {"safe_update": True} if guarded and "updated_stamp" in ticket else {}
        reply = self._transport.request(
            "PUT",
            f"/api/v2/tickets/{self.ticket_id}",
            json={"ticket": {**ticket, **guard}},
            effect=Effect.WRITE,
            limits=(ACCOUNT_LIMIT, UPDATE_LIMIT),
        )
        if must and not reply.ok:
            raise CannotRun(f"Zendesk refuses to update the scratch ticket {self.ticket_id} ({_said(reply)})")
        return reply

    def _job(self, item: Json) -> tuple[float, Json]:
        """A job with one item: seconds to its end, and what it says of the item (empty when it says nothing)."""
        since = self._clock.monotonic()
        reply = self._transport.request(
            "PUT",
            "/api/v2/tickets/update_many",
            json={"tickets": [{"id": self.ticket_id, "safe_update": True, **item}]},
            effect=Effect.WRITE,
        )
        if _error_word(reply) == "TooManyJobs":
            raise CannotRun("Zendesk has as many jobs under way as it allows; nothing was learnt, probe again later")
        job_id = _mapping(_mapping(reply.body).get("job_status")).get("id")
        if not reply.ok:
            raise _JobRefused(_said(reply))
        if not job_id:
            raise HelpdeskDown("Zendesk's answer names no job; nothing was learnt, probe again later")
        wait, status = POLL_S, "not found"
        while self._clock.monotonic() - since <= self._job_limit_s:
            rows = _mapping(self._get("/job_statuses/show_many", {"ids": str(job_id)}).body).get("job_statuses") or ()
            job = next((_mapping(row) for row in rows if _mapping(row).get("id") == job_id), {})
            status = str(job.get("status") or "not found")
            if status == "completed":
                results = job.get("results")
                first = results[0] if isinstance(results, list) and results else None
                return round(self._clock.monotonic() - since, 2), _mapping(first)
            if status not in ("queued", "working", "not found"):
                ended = _word(status) or "unknown"
                raise CannotRun(f"Zendesk ended a job of one as {ended}; nothing was learnt, probe again later")
            self._deadline.wait(wait)
            wait = min(POLL_MAX_S, wait * 2)
        raise CannotRun(
            f"Zendesk has not ended a job of one within {self._job_limit_s:g} s (it is {_word(status)}); nothing was "
            "learnt, and what was known before stays. Probe again later, or give it more time with --wait"
        )


class _JobRefused(Exception):
    """The helpdesk takes no job; the text is its answer in short."""


def without_answer(error: OutcomeUnknown) -> HelpdeskDown:
    """The same as an end of the probe: what happened to a scratch ticket matters to nobody."""
    return HelpdeskDown(f"no clear answer to a write on the scratch ticket ({error}); nothing was learnt, probe again")


def _update_limit(reply: Reply) -> Limit | None:
    return read_limits(reply.headers).get(UPDATE_LIMIT)


def _tags(ticket: Json) -> list[str]:
    return [tag for tag in ticket.get("tags") or () if isinstance(tag, str)]


def _failed(item: Json) -> bool:
    """Whether a job says of its item that it was not done; it may also say nothing."""
    return bool(item) and item.get("success") is not True


def _mapping(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _said(reply: Reply) -> str:
    word = _error_word(reply)
    return f"HTTP {reply.status}, {word}" if word else f"HTTP {reply.status}"


def _error_word(reply: Reply) -> str | None:
    """The error's code word in any of Zendesk's ways of writing one; ``None`` in plain text."""
    body = _mapping(reply.body)
    error = body.get("error")
    if isinstance(error, dict):
        return _word(error.get("title"))
    errors = body.get("errors")
    if error is None and isinstance(errors, list) and errors:
        return _word(_mapping(errors[0]).get("code"))
    return _word(error)


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and _WORD.match(value) else None
