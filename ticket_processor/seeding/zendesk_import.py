"""Putting invented tickets into a Zendesk sandbox account, a hundred at a time and never twice.

Source: developer.zendesk.com, "Tickets" (create many), "Job Statuses", "Rate limits".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..core.clock import Deadline
from ..core.errors import CannotRun, HelpdeskDown, OutcomeUnknown
from ..helpdesk.http_messages import Effect, Reply
from ..helpdesk.transport import Transport
from ..helpdesk.zendesk_format import read_limits
from .accounts import SANDBOX_HEADER, SandboxVerdict, Seeded, judged, with_attachments
from .corpus import EXTERNAL_ID_PREFIX

BATCH = 100
POLL_S = 1.0
POLL_MAX_S = 4.0
JOBS_AT_ONCE = 5
LOW_FIELDS_LIMIT = 40
"""Zendesk allows 300 listings of ticket fields a minute, 40 in a sandbox and 20 in a trial."""


class SeedTarget:
    """An account to seed. Use from one thread."""

    def __init__(self, transport: Transport, deadline: Deadline) -> None:
        self._transport = transport
        self._deadline = deadline

    def judge(self) -> SandboxVerdict:
        """Look at the account before anything is written to it."""
        reply = self._get("/ticket_fields", {})
        if reply.headers.get(SANDBOX_HEADER):
            return SandboxVerdict(True, "it is ticketbot's own sandbox")
        limit = next(
            (limit.total for name, limit in read_limits(reply.headers).items() if name.startswith("ticket-fields")),
            None,
        )
        count_reply = self._get("/tickets/count", {})
        count = ((count_reply.body or {}).get("count") or {}).get("value")
        told = "limit for field listings"
        of_a_test = f"its limit of {limit} field listings a minute is that of a sandbox or trial"
        return judged(self._transport.base_url, count, limit, LOW_FIELDS_LIMIT, told, of_a_test)

    def existing(self) -> set[str]:
        """External ids of seeded tickets that the account holds already."""
        found: set[str] = set()
        params: dict[str, str | int] = {"page[size]": 100}
        while True:
            reply = self._get("/tickets", params)
            rows = (reply.body or {}).get("tickets") or ()
            ids = (str(row.get("external_id") or "") for row in rows)
            found.update(name for name in ids if name.startswith(EXTERNAL_ID_PREFIX))
            meta = (reply.body or {}).get("meta") or {}
            after = meta.get("after_cursor")
            if not meta.get("has_more") or not after or after == params.get("page[after]"):
                return found
            params["page[after]"] = str(after)

    def create(
        self, tickets: Iterator[Mapping[str, Any]], *, progress: Callable[[int], None] = lambda _n: None
    ) -> Seeded:
        """Create what is not there yet, in jobs of a hundred; ``progress`` hears of each hundred's size.

        ``tickets`` are payloads of :func:`payload`, read lazily.
        """
        known = self.existing()
        created = existing = failed = 0
        jobs: dict[str, int] = {}
        while True:
            batch = list(islice(tickets, BATCH)) if len(jobs) < JOBS_AT_ONCE else []
            new = [item for item in batch if item["external_id"] not in known]
            known.update(str(item["external_id"]) for item in new)
            existing += len(batch) - len(new)
            if len(batch) > len(new):
                progress(len(batch) - len(new))
            if new:
                jobs[self._start(new)] = len(new)
            if not batch and not jobs:
                return Seeded(created, existing, failed)
            if not batch or len(jobs) >= JOBS_AT_ONCE:
                for job, done in self._wait_for_some(jobs).items():
                    size = jobs.pop(job)
                    created += done
                    failed += size - done
                    progress(size)

    def _start(self, batch: Sequence[Mapping[str, Any]]) -> str:
        """Queue a job that creates these tickets; its id."""
        # Whether the key holds for many tickets is not documented: after a lost reply the external ids tell.
        key = hashlib.sha256("\n".join(str(item["external_id"]) for item in batch).encode()).hexdigest()
        try:
            reply = self._transport.request(
                "POST",
                "/api/v2/tickets/create_many",
                json={"tickets": [_zendesk_row(item) for item in batch]},
                headers={"Idempotency-Key": f"ticketbot-seed-{key}"},
                effect=Effect.WRITE,
            )
        except OutcomeUnknown:
            raise HelpdeskDown(
                "no clear answer to a job of new tickets; wait a minute and seed again: what was created is found "
                "again by its external id, and nothing doubles"
            ) from None
        job = ((reply.body or {}).get("job_status") or {}).get("id")
        if not reply.ok or not job:
            raise CannotRun(f"Zendesk refuses to create tickets (HTTP {reply.status})")
        return str(job)

    def _wait_for_some(self, jobs: Mapping[str, int]) -> dict[str, int]:
        """Poll until at least one job has ended; how many tickets each ended one created."""
        wait = POLL_S / 4
        while True:
            reply = self._get("/job_statuses/show_many", {"ids": ",".join(jobs)})
            ended = {}
            for job in (reply.body or {}).get("job_statuses") or ():
                if job.get("status") in ("queued", "working"):
                    continue
                if job.get("status") != "completed":
                    raise HelpdeskDown(f"Zendesk's job ended as {job.get('status')}; seed again, nothing doubles")
                results = job.get("results") or ()
                ended[str(job["id"])] = sum(
                    1 for item in results if isinstance(item, dict) and item.get("id") and not item.get("error")
                )
            if ended:
                return ended
            self._deadline.wait(wait)
            wait = min(POLL_MAX_S, wait * 2)

    def _get(self, path: str, params: Mapping[str, str | int]) -> Reply:
        reply = self._transport.request("GET", "/api/v2" + path, params=params)
        if not reply.ok:
            raise CannotRun(f"Zendesk refuses {path} (HTTP {reply.status})")
        return reply


def _zendesk_row(item: Mapping[str, Any]) -> dict[str, Any]:
    comment = with_attachments(item)
    return {
        "subject": item["subject"],
        "comment": comment,
        "requester": item["requester"],
        "external_id": item["external_id"],
        "tags": item["tags"],
        "via": {"channel": item["channel"]},
    }
