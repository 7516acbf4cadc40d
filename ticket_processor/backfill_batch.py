"""The walk over history by way of batches: handed in once, found again by a later command, answered for half the price.

What is under way stands in a file beside the results. Texts are redacted before anything else is done with them, and
answers go through the same gate as any other. No text is kept here in the meantime: tickets are read again.
"""

from __future__ import annotations

import hashlib
import random
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain
from typing import IO

import orjson

from .analysis import Understanding
from .answer_store import normalised
from .backfill import Backfill, HistoryDesk, Task
from .batch_answers import BatchModel, FromBatch, Given, places
from .batch_plan import Part, PlanFile
from .budget import Budget, Hold
from .chat_server import AnswerUnusable, retrying
from .clock import Clock, Deadline, iso
from .errors import AnalysisFailed, CannotRun, ConfigError
from .models import Analysis, Ticket, Usage
from .openai_batch import ENDPOINT, HALF, MAX_BYTES, MAX_REQUESTS, BatchStatus
from .redact import RedactedText
from .second_look import in_vain

FETCH = 100
FIRST_POLL_S = 2.0
LONGEST_POLL_S = 60.0
TRIALS = 3
"""So many tickets are put to a model directly, until one of them shows how it wants to be asked."""


@dataclass
class _Building:
    """Requests that are gathered for the next batch, in a file without a name."""

    file: IO[bytes]
    fence: str
    tickets: dict[int, str] = field(default_factory=dict)
    repeats: dict[int, str] = field(default_factory=dict)
    size: int = 0
    hold: Hold | None = None


@dataclass(frozen=True)
class UnderWay:
    """A batch that is not ended, as far as it is known."""

    id: str
    model: str
    requests: int
    status: str
    answered: int
    handed_in: str


class Batches:
    """Hands in what a walk finds, and puts the answers into its file. For one thread.

    ``offered`` gives the first model of the list whose server takes batches, ``named`` the one of a name; both may
    raise :class:`ConfigError`. ``no_repeats`` says that answers are kept, so that a text that comes again need not be
    asked about twice.
    """

    def __init__(
        self,
        walk: Backfill,
        plan: PlanFile,
        desk: HistoryDesk,
        understanding: Understanding,
        budget: Budget,
        clock: Clock,
        deadline: Deadline,
        *,
        offered: Callable[[], BatchModel],
        named: Callable[[str], BatchModel],
        no_repeats: bool,
        most_requests: int = MAX_REQUESTS,
        most_bytes: int = MAX_BYTES,
    ) -> None:
        self._walk = walk
        self._plan = plan
        self._desk = desk
        self._understanding = understanding
        self._budget = budget
        self._clock = clock
        self._deadline = deadline
        self._offered = offered
        self._named = named
        self._no_repeats = no_repeats
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._model: BatchModel | None = None
        self._trials = 0
        self._proved = False
        self._building: _Building | None = None
        self._texts: set[bytes] = set()
        self._direct: list[Task] = []
        self.under_way: list[UnderWay] = []
        """What a later command has to come back for."""
        self.remarks: list[str] = []
        self.refused = False
        """Whether a server made nothing of a whole batch."""

    def go_on(self, since: float, *, wait: bool) -> None:
        """Collect what is answered, and hand in what is not yet; with ``wait`` stay until everything is answered.

        While batches of an earlier command are under way that saw the whole history, nothing is handed in.
        Raises ``CannotRun``, ``ConfigError``, ``Stopping``.
        """
        begun = bool(self._plan.plan.parts)
        self._collect_ended()
        if not (begun and self._plan.plan.walked) and not self._walk.spent and not self.refused:
            self._hand_in(since)
        self._wait(wait)

    def cancel(self, *, wait: bool) -> None:
        """Give up what is under way; what was answered by then is paid for, and collected as it comes."""
        for part in self._plan.plan.parts:
            model = self._named(part.model)
            status = self._status(model, part)
            if status is not None and not status.ended:
                model.api.cancel(status.id)
        self._plan.walked(False)
        self._collect_ended()
        self._wait(wait)

    def _wait(self, wait: bool) -> None:
        pause = FIRST_POLL_S
        while wait and self.under_way and not self._walk.spent:
            self._clock.wait(pause)
            pause = min(1.5 * pause, LONGEST_POLL_S)
            self._collect_ended()
        if not self._plan.plan.parts:
            self._plan.walked(False)  # the next command begins anew, with what was solved meanwhile

    # Coming back

    def _collect_ended(self) -> None:
        self.under_way = []
        for part in self._plan.plan.parts:
            model = self._named(part.model)
            status = self._status(model, part)
            if status is None:
                self._give_up(part, "its server does not know it (any more)")
            elif not status.ended:
                self.under_way.append(
                    UnderWay(status.id, part.model, len(part.tickets), status.status, status.answered, part.handed_in)
                )
            elif status.status == "failed" or (status.status == "completed" and not status.output):
                self.refused = True
                why = ", ".join(status.codes) or "none of its requests was answered"
                self._give_up(part, f"its server made nothing of it ({why}); --limit hands in fewer at a time")
                model.api.forget(*status.files)
            else:
                self._collect(model, part, status)

    def _status(self, model: BatchModel, part: Part) -> BatchStatus | None:
        # Without an id a command ended just as it handed the batch in: it may be there, or not.
        return model.api.find(part.name) if part.batch is None else model.api.status(part.batch)

    def _give_up(self, part: Part, why: str) -> None:
        self._plan.drop(part)
        self._plan.walked(False)
        self.remarks.append(
            f"a batch of {len(part.tickets)} tickets came to nothing: {why}; the same command asks about them anew"
        )

    def _collect(self, model: BatchModel, part: Part, status: BatchStatus) -> None:
        with tempfile.TemporaryFile() as answers:
            answered: Mapping[int, tuple[int, int]] = {}
            if status.output is not None:
                model.api.download(status.output, answers)
                answered = places(answers)

            def answer_to(ticket: Ticket) -> FromBatch | None:
                place = answered.get(ticket.id)
                if place is None:
                    return None
                answers.seek(place[0])
                body = orjson.loads(answers.read(place[1]))["response"]["body"]
                return FromBatch(model, orjson.dumps(body), part.fence)

            wanted = [number for number in part.tickets if number in answered]
            if status.status == "cancelled":
                self._plan.walked(False)  # who cancels has no wish to pay the whole price for the rest
            else:
                wanted += [number for number in part.tickets if number not in answered]
                wanted += part.repeats
            self._walk.run(self._tasks(wanted, {**part.tickets, **part.repeats}, answer_to))
        if not self._walk.spent:
            self._plan.drop(part)
            model.api.forget(*status.files)

    def _tasks(
        self, wanted: list[int], stamps: Mapping[int, str], answer_to: Callable[[Ticket], FromBatch | None]
    ) -> Iterator[Task]:
        for start in range(0, len(wanted), FETCH):
            missing = [number for number in wanted[start : start + FETCH] if number not in self._walk.file]
            tickets = self._desk.fetch(missing) if missing else {}
            for ticket in tickets.values():
                task = self._walk.task(ticket, answer_to(ticket), clean_stamp=stamps[ticket.id])
                if task is not None:
                    yield task

    # Handing in

    def _hand_in(self, since: float) -> None:
        self._model = self._offered()
        self._plan.walked(False)
        under_way = frozenset(chain.from_iterable((*part.tickets, *part.repeats) for part in self._plan.plan.parts))
        try:
            self._walk.each(self._until_spent(self._walk.history(since, under_way)), self._prepared, self._take)
            self._walk.run(iter(self._direct))
            self._send()
        finally:
            self._drop_building()
        self._plan.walked(self._walk.walked and not self._walk.spent)

    def _until_spent(self, tasks: Iterator[Task]) -> Iterator[Task]:
        for task in tasks:
            if self._walk.spent:
                return
            yield task

    def _prepared(self, task: Task) -> tuple[Analysis, int] | RedactedText:
        """What a model has to be asked about a ticket, or its analysis where there is nothing to ask."""
        model = self._batch_model()
        text = self._understanding.readable(task.ticket, model.target.redaction)
        known = model.link.known(text)
        if known is None and any(map(str.isalpha, text.text)):
            return text
        first = None if known is None else Given(model.target.name, model.target.redaction, known)
        return self._understanding(task.ticket, first=first), 0

    def _take(self, task: Task, future: Future[tuple[Analysis, int] | RedactedText]) -> None:
        found = self._walk.result(task, future)
        if isinstance(found, RedactedText):
            if not self._walk.spent:
                self._add(task, found)
        elif found is not None:
            self._walk.settle(task, *found)

    def _add(self, task: Task, text: RedactedText) -> None:
        model = self._batch_model()
        if not self._proved:
            self._try(model, task, text)
            return
        if self._building is None:
            self._building = _Building(tempfile.TemporaryFile(), secrets.token_hex(6))  # noqa: SIM115 - closed later
        building = self._building
        digest = hashlib.sha256(normalised(text.text).encode("utf-8", "surrogatepass")).digest()
        if self._no_repeats and digest in self._texts:
            building.repeats[task.ticket.id] = task.ticket.updated_at
            return
        messages, form = model.analyser.request(text, building.fence)
        request = {
            "custom_id": str(task.ticket.id),
            "method": "POST",
            "url": ENDPOINT,
            "body": model.server.body(model.target.model, messages, form),
        }
        line = orjson.dumps(request) + b"\n"
        if building.tickets and building.size + len(line) > self._most_bytes:
            self._send()
            self._add(task, text)
            return
        if not self._set_aside(model, text, building):
            return
        building.file.write(line)
        building.size += len(line)
        building.tickets[task.ticket.id] = task.ticket.updated_at
        self._texts.add(digest)
        if len(building.tickets) >= self._most_requests:
            self._send()

    def _try(self, model: BatchModel, task: Task, text: RedactedText) -> None:
        """Ask about one ticket directly: what the server wants is known then, before it is asked for thousands."""
        hold = self._budget.reserve(model.target.name, *model.analyser.estimate(text))
        if isinstance(hold, str):
            self._walk.budget_is_spent(hold)
            return
        again = retrying(self._deadline, random.Random(), attempts=TRIALS, longest_wait_s=LONGEST_POLL_S)
        try:
            analysis = again(model.analyser.analyse, text)
        except AnalysisFailed as error:
            spent = error.usage if isinstance(error, AnswerUnusable) else Usage()
            cost = error.cost_usd if isinstance(error, AnswerUnusable) else None
            self._budget.settle(hold, spent, cost, answered=isinstance(error, AnswerUnusable))
            self._trials += 1
            if self._trials >= TRIALS or not in_vain(error.reason):
                raise CannotRun(
                    f"the model {model.target.name} was asked about a ticket directly, to see how it wants to be "
                    f"asked, and gave no answer ({error.reason.replace('_', ' ')}): nothing was handed in"
                ) from error
            self._direct.append(task)
            return
        self._budget.settle(hold, analysis.usage, analysis.cost_usd)
        self._proved = True
        model.link.keep(text, analysis)
        given = Given(model.target.name, model.target.redaction, analysis)
        self._walk.settle(task, self._understanding(task.ticket, first=given), 0)

    def _set_aside(self, model: BatchModel, text: RedactedText, building: _Building) -> bool:
        """Hold what the batch may cost with this request; False when a limit does not allow it."""
        tokens, usd = model.analyser.estimate(text, once=True)
        before = building.hold or Hold(0, 0.0)
        self._budget.settle(before, Usage(), None, answered=False)
        more = Hold(before.tokens + tokens, before.usd + (usd or 0.0) * HALF)
        held = self._budget.reserve(model.target.name, more.tokens, more.usd)
        if isinstance(held, str):
            again = self._budget.reserve(model.target.name, before.tokens, before.usd)
            building.hold = again if isinstance(again, Hold) else None
            self._walk.budget_is_spent(held)
            return False
        building.hold = held
        return True

    def _send(self) -> None:
        """Hand in what is gathered. It is in the plan before it is on the server, so that nothing is paid for twice."""
        building, model = self._building, self._model
        if building is None or model is None or not building.tickets:
            return
        part = Part(
            name=secrets.token_hex(12),
            model=model.target.name,
            fence=building.fence,
            tickets=building.tickets,
            repeats=building.repeats,
            handed_in=iso(self._clock.now()),
        )
        hold, building.hold = building.hold, None
        self._plan.add(part)
        status = model.api.submit(building.file, part.name)  # in doubt what is set aside for it stays so
        self._plan.handed_in(part, status.id)
        if hold is not None:  # at the most that it may cost: the bill comes when it is collected
            self._budget.settle(hold, Usage(input=hold.tokens), hold.usd)
        self._texts.clear()
        self.under_way.append(UnderWay(status.id, part.model, len(part.tickets), status.status, 0, part.handed_in))
        self._drop_building()

    def _drop_building(self) -> None:
        building, self._building = self._building, None
        if building is not None:
            building.file.close()
            if building.hold is not None:
                self._budget.settle(building.hold, Usage(), None, answered=False)

    def _batch_model(self) -> BatchModel:
        if self._model is None:
            raise ConfigError("no model was chosen for batches")
        return self._model
