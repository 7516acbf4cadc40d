"""The stores of accounts where more happens: an index and copies that lag, the vendor's own edits, spam, rules."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ticket_processor.sandbox.basics import SandboxClock, iso, parse_iso
from ticket_processor.sandbox.freshdesk_store import CLOSED, NOTE, OPEN, PENDING, RESOLVED, FreshdeskStore
from ticket_processor.sandbox.store import BOT_ID, PERSON_ID, Audit, Comment, StoredTicket
from ticket_processor.sandbox.zendesk_store import ZendeskStore

from .faults import Strikes
from .rules import FreshdeskRules, Rules

SYSTEM_ID = -1

A_MACRO = {"type": "AgentMacroReference", "macro_id": "7", "macro_title": "A macro", "macro_deleted": False}
"""The ``event`` of an edit by which an agent applied a macro."""

Version = tuple[float, dict[str, Any], bool]


@dataclass(frozen=True)
class Judged(Audit):
    """A change with what tests ask of it."""

    @property
    def comment_public(self) -> bool | None:
        """Whether the requester sees its comment; ``None`` without one."""
        if self.comment is None:
            return None
        return bool(self.comment["public"] if "public" in self.comment else not self.comment["private"])

    @property
    def tags_added(self) -> frozenset[str]:
        return self._tags(1) - self._tags(0)

    @property
    def tags_removed(self) -> frozenset[str]:
        return self._tags(0) - self._tags(1)

    def _tags(self, place: int) -> frozenset[str]:
        return frozenset(self.values.get("tags", ((), ()))[place] or ())


class LaggingStore(ZendeskStore):
    """``index_lag`` is the search index's, ``replica_lag`` that of the copies, both in seconds.

    They may be changed at any time, and what is older than the change is then not known. The index shows a ticket of
    ``index_late`` not before so many seconds after its creation. Each reading shows the state of a moment up to
    ``replica_lag`` seconds ago; the moments are rolled, repeatable by ``seed``, so a later reading may show an earlier
    state. ``versions`` holds the tickets' forms with the time each began, as long as there is a lag.
    """

    audit = Judged
    rules = Rules()

    def __init__(self, clock: SandboxClock, *, seed: int = 0) -> None:
        super().__init__(clock, seed=seed)
        self.index_lag = self.replica_lag = 0.0
        self.index_late: dict[int, float] = {}
        self.versions: dict[int, list[Version]] = {}
        self.article_translations: dict[int, list[dict[str, Any]]] = {}
        self.webhooks: dict[str, dict[str, Any]] = {}
        self.signing_secrets: dict[str, str] = {}
        self.job_strikes: tuple[Strikes, int] = {}, 0
        """What goes wrong with the job that the request at hand starts, and a seed."""
        self._dice = random.Random(f"{seed} replica")

    def go_by(self, rules: Rules) -> None:
        """Act as these rules say, from now on."""
        self.rules, self.job_seconds = rules, rules.job_seconds
        self.max_jobs, self.most_comments = rules.max_jobs, rules.most_comments

    def counting(self, payload: Mapping[str, Any], *, in_batch: bool) -> Mapping[str, Any]:
        return self.rules.counting(payload, in_batch=in_batch)

    def outdated(self, ticket: StoredTicket, payload: Mapping[str, Any], queued: float | None) -> bool:
        if "safe_update" in payload and self.rules.stamp_rule == "not_newer":
            return parse_iso(payload["updated_stamp"]) < parse_iso(ticket.stamp)
        return super().outdated(ticket, payload, queued if self.rules.batch_guard else None)

    def create(self, **given: Any) -> StoredTicket:
        with self.lock:
            ticket = super().create(**given)
            self._remember(ticket, ticket.created)
            return ticket

    def _changed(self, ticket: StoredTicket, moment: float) -> None:
        super()._changed(ticket, moment)
        self._remember(ticket, moment)

    def _remember(self, ticket: StoredTicket, moment: float) -> None:
        lag = max(self.index_lag, self.replica_lag)
        if lag <= 0 and ticket.id not in self.versions:
            return
        versions = self.versions.setdefault(ticket.id, [])
        versions.append((moment, dict(ticket.json), ticket.deleted))
        while len(versions) > 1 and versions[1][0] <= moment - lag:
            del versions[0]

    def read(self, *ticket_ids: int) -> list[StoredTicket]:
        if self.replica_lag <= 0:
            return super().read(*ticket_ids)
        moment = self.now() - self._dice.uniform(0.0, self.replica_lag)
        known = [self.tickets.get(ticket_id) for ticket_id in ticket_ids]
        seen = [self._seen_at(ticket, moment) for ticket in known if ticket is not None]
        return [ticket for ticket in seen if ticket is not None]

    def _seen_at(self, ticket: StoredTicket, moment: float) -> StoredTicket | None:
        """The ticket at a moment, its comments and audits included; ``None`` before it was created or when deleted."""
        if ticket.created > moment:
            return None
        versions = self.versions.get(ticket.id, [])
        forms = [form for form in versions if form[0] <= moment] or versions[:1]
        _, json, deleted = forms[-1] if forms else (moment, ticket.json, ticket.deleted)
        if deleted:
            return None
        audits = [audit for audit in ticket.audits if audit.at <= moment]
        told = {audit.id for audit in audits}
        comments = [comment for comment in ticket.comments if comment["audit_id"] in told]
        return replace(ticket, json=json, audits=audits, comments=comments)

    def indexed(self, ticket: StoredTicket) -> Mapping[str, Any] | None:  # type: ignore[override]
        if self.now() < ticket.created + self.index_late.get(ticket.id, 0.0):
            return None
        moment = self.now() - self.index_lag
        versions = self.versions.get(ticket.id, [])
        if self.index_lag <= 0 or (ticket.changed <= moment and not versions):
            return super().indexed(ticket)
        known = [version for version in versions if version[0] <= moment]
        return None if not known or known[-1][2] else known[-1][1]

    # --- drop-downs and tags are two sides of one thing

    def _options(self) -> dict[int, frozenset[str]]:
        """The values that each drop-down takes."""
        fields = [field for field in self.ticket_fields if field["type"] == "tagger"]
        return {field["id"]: frozenset(each["value"] for each in field["custom_field_options"]) for field in fields}

    def linked(self, tags: Sequence[str], values: Mapping[int, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """With a drop-down's tag where a value is set, and a value where a tag is.

        How far the vendor goes is known from reports only, so this is the stricter form: of a list of tags and a
        drop-down that disagree in one write, the tags win.
        """
        custom = dict(wanted.get("custom_fields") or {})
        after = dict.fromkeys(wanted.get("tags", tags))
        for key, options in self._options().items():
            before = values.get(key)
            chosen = asked = custom.get(key, before)
            if "tags" in wanted:
                held = options & after.keys()
                # A drop-down holds one value: the one asked for, or the tag that was not there before.
                chosen = min(held & {asked} - {before} or held - {before} or held & {asked} or held, default=None)
            elif key not in custom:
                continue
            if chosen != asked or key in custom:
                custom[key] = chosen
            after = {tag: None for tag in after if tag == chosen or tag not in options}
            after |= {chosen: None} if chosen else {}
        changed = dict(wanted)
        if "tags" in wanted or after.keys() != set(tags):
            changed["tags"] = list(after)
        return {**changed, "custom_fields": custom} if custom else changed

    # --- what others do

    def follow_up(self, ticket_id: int, body: str) -> StoredTicket:
        """A customer answers a closed ticket: the vendor makes a new one, which inherits all of its tags and fields."""
        with self.lock:
            original = self.tickets[ticket_id].json
            source = {"from": {"ticket_id": ticket_id, "subject": original["subject"]}, "to": {}, "rel": "follow_up"}
            return self.create(
                subject="Re: " + original["subject"],
                body=body,
                tags=original["tags"],
                via={"channel": "email", "source": source},
                custom_fields=original["custom_fields"],
            )

    def redact(self, ticket_id: int, *, author_id: int = PERSON_ID) -> None:
        """An agent takes the words out of the first message, as the vendor's redaction does."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            ticket.json["description"] = ticket.comments[0]["body"] = "▇▇▇▇▇▇"
            self._stamp(ticket, self.now())
            event = {"type": "CommentRedactionEvent", "comment_id": ticket.comments[0]["id"]}
            self.note(ticket, "person", author_id, event=event)
            self._changed(ticket, ticket.changed)

    def system_edit(
        self,
        ticket_id: int,
        *,
        add_tags: Iterable[str] = (),
        remove_tags: Iterable[str] = (),
        **values: str | None,
    ) -> Audit | None:
        """The vendor changes a ticket silently: ``generated_timestamp`` moves and ``updated_at`` does not.

        With nothing to change, ``generated_timestamp`` moves all the same.
        """
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            fields = self._edits(ticket, tuple(add_tags), tuple(remove_tags), values)
            values = self._set(ticket, fields)
            audit = self.note(ticket, "system", SYSTEM_ID, values=values, visible=False) if values else None
            self._changed(ticket, self.now())
            return audit

    def bot_comments(self, ticket_id: int, author_id: int = BOT_ID) -> list[dict[str, Any]]:
        """Comments on a ticket by one author, oldest first."""
        return [note for note in self.tickets[ticket_id].comments if note["author_id"] == author_id]

    def delete(self, ticket_id: int) -> None:
        """A person deletes a ticket."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            ticket.deleted = True
            self.change(ticket, {"status": "deleted"}, actor="person", author_id=PERSON_ID)


class BusyDesk(FreshdeskStore):
    """A Freshdesk account with rules, a trash and spam, and customers who write again."""

    audit = Judged
    rules = FreshdeskRules()

    def __init__(self, clock: SandboxClock, *, seed: int = 0) -> None:
        super().__init__(clock, seed=seed)
        self.translations: list[dict[str, Any]] = []

    def go_by(self, rules: FreshdeskRules) -> None:
        """Act as these rules say, from now on."""
        self.rules = rules

    def gone(self, ticket: StoredTicket) -> bool:
        return ticket.deleted or ticket.spam

    def _counts(self, values: Mapping[str, Any], row: Mapping[str, Any] | None) -> bool:
        if row is not None and (row["source"] != NOTE or self.rules.notes_move_stamp):
            return True
        return bool(set(values) - {"tags"}) or ("tags" in values and self.rules.tags_move_stamp)

    def customer_replies(self, ticket_id: int, text: str) -> Audit | None:
        """The requester writes again; a ticket that waits or is solved is open again."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            reopened = {"status": OPEN} if ticket.json["status"] in (PENDING, RESOLVED, CLOSED) else {}
            requester, said = ticket.json["requester_id"], Comment(text, None, True)
            return self.change(ticket, reopened, actor="customer", author_id=requester, comment=said)

    def edit_note(self, number: int, text: str) -> None:
        """An agent gives a note another text."""
        with self.lock:
            self.settle()
            ticket, row = self.conversation(number)
            self._say(ticket, Comment(text), PERSON_ID, "person")
            other, stamp = ticket.comments.pop(), iso(self.now())
            row.update(body=other["body"], body_text=other["body_text"], updated_at=stamp)
            row.update(last_edited_at=stamp, last_edited_user_id=PERSON_ID)
            if self._counts({}, row):
                self._stamp(ticket, self.now())
            self.note(ticket, "person", PERSON_ID, comment=row, comment_was="edited")
            self._changed(ticket, self.now())

    def delete(self, ticket_id: int) -> None:
        """A person puts a ticket into the trash."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            ticket.deleted = ticket.json["deleted"] = True
            self._hide(ticket, "deleted")

    def spam(self, ticket_id: int) -> None:
        """A person marks a ticket as spam."""
        with self.lock:
            self.settle()
            ticket = self.tickets[ticket_id]
            ticket.spam = ticket.json["spam"] = True
            self._hide(ticket, "spam")

    def bot_notes(self, ticket_id: int, author_id: int = BOT_ID) -> list[dict[str, Any]]:
        """Notes on a ticket by one author, oldest first."""
        rows = self.tickets[ticket_id].comments
        return [row for row in rows if row["source"] == NOTE and row["user_id"] == author_id]

    def _hide(self, ticket: StoredTicket, name: str) -> None:
        self._stamp(ticket, self.now())
        self.note(ticket, "person", PERSON_ID, values={name: (False, True)})
        self._changed(ticket, self.now())
