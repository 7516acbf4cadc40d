"""The imitation against recorded traffic: facts of public clients' recordings and of the vendors' documents.

Each row of the tables is one request or several, what the sandbox has to answer, and below them the fact with its
source in brackets. Where nothing is recorded the row says ``unknown``, and shows the rule of the sandbox that plays
each answer; where none does it says so.

Sources: ``zenpy`` is ``facetoe/zenpy``, its cassettes of 2023 and 2024 under ``tests/test_api/betamax``, by test;
``airbyte`` is ``airbytehq/airbyte``, ``integration_tests/expected_records.jsonl`` of ``source-zendesk-support`` and
``source-freshdesk``, by stream; ``OAS`` is Zendesk's OpenAPI document, by path or schema; ``page`` is a page of the
vendor's reference.

A request may begin with options: ``[agent]``, ``[trial]``, or rules of the sandbox by name. ``(?…)`` is asked with and
without; ``<…>`` is the body, as JSON or a name in ``NAMED``. An expectation is a path into the answer (``*`` for each
row, ``keys``, ``type``) and its value as JSON: equal to it (``=``), beginning with it (``^``), with it inside (``~``).
"""

from __future__ import annotations

import json
import re
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import pytest

from ticket_processor.sandbox.app import fill_articles
from ticket_processor.sandbox.messages import Response

from ..imitation import Rules
from .helpers import Desk

STALE = {"safe_update": True, "updated_stamp": "2020-01-01T00:00:00Z"}
NAMED: dict[str, Any] = {
    "grant": {"grant_type": "client_credentials", "client_id": "ticketbot", "client_secret": "sandbox-secret"},
    "subject": {"ticket": {"subject": "new"}},
    "stale": {"ticket": {"subject": "new", **STALE}},
    "note": {"ticket": {"comment": {"body": "x", "public": False}}},
    "later": {"ticket": {"subject": "new", **STALE, "updated_stamp": "2030-01-01T00:00:00Z"}},
    "batch": {"tickets": [{"id": 1, "subject": "new"}, {"id": 2, "subject": "new", **STALE}]},
    "webhook": {"webhook": dict.fromkeys(("name", "endpoint", "http_method", "request_format", "status"), "x")},
}

ZENDESK = """
POST /oauth/tokens <grant> | status = 201 & token_type = "bearer" & expires_in.type = "int" & scope.type = "str"
    a lifetime in seconds, and the scope that was granted (page OAuth Tokens for Grant Types)
GET users/me | keys = ["user"] & user.role = "admin" & user.id.type = "int"
    one object, and the role is a word (zenpy TestUserMe.test_users_me)
GET incremental/tickets/cursor.json?start_time=1 | tickets.*.id = [2, 3, 1]
    the last change comes last, by generated_timestamp and not by id (zenpy TicketsIncrementalTest.test_get_values)
GET incremental/tickets/cursor?start_time=1 | tickets.0.generated_timestamp.type = "int" & end_of_stream = true \
& keys = ["after_cursor", "after_url", "before_cursor", "before_url", "end_of_stream", "tickets"] \
& before_cursor = null & after_cursor.type = "str"
    cursors at the top without meta, at the end of the stream too (zenpy TicketsIncrementalTest.test_get_values)
GET search/export.json?filter[type]=ticket&page[size]=2 | results.*.id = [3, 2] & results.0.result_type = "ticket" \
& facets = null & links.prev = null & meta.before_cursor = null & meta.has_more = true & links.next.type = "str"
    the last creation comes first, and there is no way back (zenpy TestUserSearchExportApi.test_cbp_large_block)
GET search/export?filter[type]=ticket | meta.has_more = false & meta.after_cursor = null & links.next = null
    unknown: the last page, which no recording reaches; nothing plays another form, and the client trusts has_more alone
GET tickets.json?page[size]=2 | tickets.*.id = [1, 2] & tickets.0.custom_fields.type = "list" \
& tickets.0.fields = "absent"
    by id, and by cursor a row has custom_fields without fields (zenpy TestTicketsPagination.test_pagination)
GET tickets.json?page[size]=100 | meta.has_more = false & meta.after_cursor.type = "str" & links.next.type = "str" \
& links.prev.type = "str" & meta.before_cursor.type = "str"
    both links are there although nothing follows: has_more alone tells (zenpy TestTicketsPagination.test_values)
GET groups?page[size]=9&page[after]=WyJ6IiwgOTk5OTld | groups = [] & meta.has_more = false & meta.after_cursor = null \
& links.next = null & links.prev = null
    a page without rows has neither cursors nor links (zenpy TestActivities.test_pagination)
GET tickets.json?per_page=2 | keys = ["count", "next_page", "previous_page", "tickets"] & count = 3 \
& tickets.*.id = [1, 2] & tickets.0.fields.0.value = null & previous_page = null & next_page.type = "str"
    by offset there is a count, and a row has fields (zenpy TestTicketsPagination.test_pagination)
[trial] GET tickets | header.zendesk-ratelimit-tickets-index ^ "total=100; remaining=99; resets="
[trial] PUT tickets/1 <subject> | header.zendesk-rate-limit-tickets-update ^ "total=20; remaining=19; resets="
PUT tickets/1 <subject> | header.zendesk-ratelimit-per-ticket-updates ^ "total=30; remaining=29; resets="
GET tags | header.zendesk-rate-limit-tags-index ^ "total=100; remaining=99; resets="
    limits of their own, two on trial accounts (zenpy TestTicketsPagination, TestTicketCreateUpdateDelete, TestTags)
GET tickets/1 | header.x-rate-limit = "700" & header.rate-limit = "700" & header.rate-limit-remaining.type = "str" \
& header.ratelimit-limit = "700" & header.ratelimit-reset.type = "str" & header.x-zendesk-api-version = "v2"
    in rate-limit in 2023, in ratelimit-limit in 2024, in x-rate-limit always (zenpy, each test)
GET webhooks | header.x-rate-limit = "100" & header.ratelimit-limit = "absent" & header.rate-limit = "absent"
GET help_center/articles | header.x-rate-limit-remaining = "699" & header.ratelimit-reset = "absent"
    other services count apart, in x-rate-limit alone (zenpy TestWebhooks, CategoryTest)
GET tickets/show_many?ids=3,1,2 | tickets.*.id = [1, 2, 3] & tickets.0.generated_timestamp = "absent" \
& keys = ["count", "next_page", "previous_page", "tickets"]
    by id, however they are asked for (zenpy TestTicketCreateUpdateDelete.test_full_objects_create-create-multiple)
GET tickets/1.json | ticket.priority = null & ticket.type = null & ticket.group_id = null & ticket.assignee_id = null \
& ticket.external_id = null & ticket.due_at = null & ticket.tags = [] & ticket.from_messaging_channel = false \
& ticket.satisfaction_rating = null
    empty fields are null, and lists are empty (zenpy TestDeletedTickets.test_delete_and_restore)
PUT tickets/9223372036854775807.json <{"ticket":{}}> | status = 404 & error = "RecordNotFound" \
& description = "Not found"
    an id of nineteen digits (zenpy TestTicketCreateUpdateDelete.test_single_update_raises_recordnotfoundexception)
PUT tickets/1.json <subject> | keys = ["audit", "ticket"] & audit.events.*.type = ["Change"] \
& audit.events.0.keys = ["field_name", "id", "previous_value", "type", "value"] & audit.metadata.custom = {}
    the ticket and the audit, with what was there (zenpy TestTicketCreateUpdateDelete.test_single_object_update)
PUT tickets/1.json <{"ticket":{"nonsense":1}}> | status = 200 \
& header.x-zendesk-api-warn ~ ":unpermitted_keys=>[\\"ticket.nonsense\\"]" \
& header.x-zendesk-api-warn ^ "{:allowed_parameters=>{:controller=>\\"tickets\\", :action=>\\"update\\", "
    a dropped key is named in a header, and that is all (zenpy TestTicketCreateUpdateDelete.test_single_object_update)
GET tickets/2/comments/count | keys = ["count"] & count.keys = ["refreshed_at", "value"] & count.value = 2
    about how many comments there are (OAS GET /api/v2/tickets/{ticket_id}/comments/count)
[most_comments=1] PUT tickets/1 <note> | status = 422
[most_comments=1] PUT tickets/1 <subject> | status = 200
    a ticket of 5,000 comments refuses one more, and takes all else (OAS TicketObject.comment)
POST tickets <{"ticket":{"comment":{"body":"x"},"via":{"channel":"native_messaging"}}}> | status = 201 \
& ticket.from_messaging_channel = true & ticket.via.channel = "native_messaging"
    a flag says that the channel is one of messaging (OAS TicketObject.from_messaging_channel)
POST tickets <{"ticket":{"comment":{"body":"x"},"via":{"channel":"chat"}}}> | ticket.from_messaging_channel = false
    unknown: whether it is set for chat, which is routed as messaging (page Via Types); the client goes by either
PUT tickets/1 <later> | status = 409
    unknown: whether a stamp has to be the ticket's, or may be later; stamp_rule plays both
PUT tickets/1 <stale> | status = 409 & error = "UpdateConflict"
    unknown: how the 409 of a safe update is written; conflict_form plays others
PUT tickets/update_many.json <batch> | status = 200 & job_status.id ^ "V3-" & job_status.status = "queued" \
& job_status.progress = null & job_status.message = null & job_status.results = null & job_status.total = 2
    nothing is known yet (zenpy TestTicketCreateUpdateDelete.test_multiple_update; batch_… play what of an item counts)
GET job_statuses/show_many?ids={working} | job_statuses.0.status = "working" \
& job_statuses.0.message = "Updating ticket #1" & job_statuses.0.progress = 1 & job_statuses.0.results = null
    a job at work tells where it is (zenpy TestTicketCreateUpdateDelete.test_multiple_update_full_objects-update-many)
GET job_statuses/show_many?ids={done} | job_statuses.0.message ^ "Completed at " & job_statuses.0.status = "completed" \
& job_statuses.0.results.0 = {"action": "update", "id": 1, "status": "Updated", "success": true}
    a list in the order sent (zenpy TestTicketCreateUpdateDelete.test_multiple_update_full_objects-update-many)
[failed_item_form=recorded] GET job_statuses/show_many?ids={done} | \
job_statuses.0.results.1.keys = ["details", "error", "id", "index"]
[failed_item_form=schema] GET job_statuses/show_many?ids={done} | job_statuses.0.results.1.success = false \
& job_statuses.0.results.1.action = "update"
    unknown: a failed ticket; recorded are organizations (zenpy TestOrganizationCreateUpdateDelete; OAS FailedResult)
GET job_statuses/show_many?ids={done},V3-0 | keys = ["job_statuses"] & job_statuses.*.status = ["completed"]
    unknown: whether one that there is not is left out; a fault of jobs, found_for, plays those that are lost later
[max_jobs=1] PUT tickets/update_many <batch> | status = 429 & header.retry-after = "10" & error = "TooManyJobs"
    unknown: the answer to more jobs than the account may have; too_many_jobs_status and too_many_jobs_form play others
GET tickets/2/audits | audits.0.events.0.type = "Comment" & audits.1.events.3.field_name = "group_id" \
& audits.1.events.3.value = "8002" & audits.0.events.2.value.type = "str"
    oldest first, and ids are text in the events (zenpy TestTicketAudits.test_values)
GET tickets/1/audits | \
audits.0.events.*.field_name = ["absent", "subject", "requester_id", "priority", "type", "status"]
    of what is empty at creation only priority and type are told (zenpy TestTicketAudits.test_values)
GET tickets/1/audits?page[size]=1 | meta.has_more = true & header.zendesk-ratelimit-ticket-audits ^ "total=500; "
    unknown: the audits of an archived ticket come on one page (OAS), which nothing plays; the client trusts has_more
GET ticket_fields | ticket_fields.*.position = [0, 1, 2, 3, 4, 5, 6, 7, 8] & next_page = null
    all at once, by position (OAS GET /api/v2/ticket_fields)
GET tags | keys = ["count", "next_page", "previous_page", "tags"] & tags.*.name = ["vip", "late"]
GET tags.json?page[size]=1 | tags = [{"name": "vip", "count": 2}] & meta.has_more = true
    the most frequent first, in both ways of paging (zenpy TestTags.test_values)
GET groups(?page[size]=100) | groups.*.name = ["Finance", "Support"]
    by name (zenpy TestGroupCreateUpdateDelete.test_values)
GET triggers(?page[size]=100) | triggers.*.title = ["b", "z", "a", "c"]
    by position, and then by title (zenpy TestTriggers.test_values)
GET automations(?page[size]=100) | automations.*.position = [1, 1, 2, 10]
    by position (zenpy TestAutomations.test_values)
[agent] GET triggers | status = 200
[agent] GET incremental/tickets/cursor?start_time=1 | status = 403 & error.title = "Forbidden"
[agent] GET webhooks | status = 403
    what an agent may read (OAS by path; pages Incremental Exports and Webhooks)
POST triggers.json <{"trigger":{"title":"t","conditions":{"all":[],"any":[]},"actions":[{"field":"status"}]}}> | \
status = 201 & trigger.category_id.type = "str" & trigger.description = null \
& trigger.conditions = {"all": [], "any": []} & trigger.position.type = "int" & trigger.raw_title = "t"
    the number of its category is text (zenpy TestTriggers.test_single_object_creation)
GET webhooks | webhooks.*.id = ["newer", "older"] & keys = ["meta", "webhooks"] & meta = {"has_more": false}
    the newest first, without links (zenpy TestWebhooks.test_list_webhooks)
POST webhooks <webhook> | status = 201 & webhook.id ^ "01" & webhook.created_by.type = "str" \
& webhook.updated_at = "absent"
    ids are text, and nothing is updated yet (zenpy TestWebhooks.test_create_webhook_no_auth)
GET webhooks/newer/signing_secret | signing_secret = {"algorithm": "SHA256", "secret": "c2VjcmV0"}
    the algorithm in capitals (zenpy TestWebhooks.test_webhook_show_secret)
GET users/search?query=customer | keys = ["count", "next_page", "previous_page", "users"]
    by offset only (OAS GET /api/v2/users/search)
GET users/100001/tickets/requested | tickets.*.id = [1, 2, 3]
    unknown: its order without sort; nothing plays another than by id
GET help_center/articles?page[size]=100 | links.keys = ["first"] & meta.has_more = false
    the links tell the truth here: no next where nothing follows (zenpy CategoryTest.test_pagination, of categories)
GET help_center/user_segments | user_segments.*.id = [80001, 80002, 80003]
    unknown: its order; nothing plays another than by id
"""

FRESHDESK = """
GET tickets?include=requester | *.id = [2, 1] & 0.requester.keys = ["email", "id", "mobile", "name", "phone"] \
& 0.type = null & 0.priority.type = "int" & 0.status.type = "int" & 0.source.type = "int"
    a bare array, the newest first; type may be null, and the others are numbers (airbyte tickets)
GET tickets | 0.tags = []
    unknown: whether rows have tags; since_inclusive, notes_move_stamp and tags_move_stamp play what stamps do
GET tickets/99 | status = 404 & body = ""
    nothing at all in it (page Errors)
PUT tickets/1 <{"nonsense":1}> | status = 400 & errors.0.code = "invalid_field" & description = "Validation failed"
    an unknown key is refused (page Update a Ticket)
GET tickets/1/conversations | *.source = [2, 0] & *.category = [2, 3] & *.private = [true, false]
    oldest first: a note is of source and category 2, a reply of source 0 and category 3 (airbyte conversations)
POST tickets/1/notes <{"body":"x"}> | status = 201 & private = true
    private unless told otherwise (page Create a Note)
GET groups | *.name = ["Finance", "Support"]
    by name (airbyte groups)
GET agents | *.contact.name = ["Alex Agent", "Ticket Bot"] & 0.type = "support_agent" & 0.ticket_scope = 1
    by name, which stands in contact (airbyte agents)
GET ticket_fields | 4.choices.2 = ["Open", "Being Processed"] & 5.choices.Low = 1 & 2.choices.type = "list" \
& 6.choices.Support = 8001
    choices in four forms: lists, words by number as text, numbers by word, ids by name (airbyte ticket_fields)
GET settings/helpdesk | portal_languages = [] & primary_language = "en" & help_widget_languages = []
    the account's own language is not among the others (airbyte settings)
GET solutions/categories | body = "[]"
    a bare array (airbyte solution_categories)
[agent] GET ticket_fields | status = 403 & code = "access_denied"
    for admins (page Errors)
"""

Row = namedtuple("Row", "helpdesk options method path body expected fact")


def rows_of(helpdesk: str, table: str) -> Iterator[Row]:
    """The rows of a table; an indented line tells of all rows between it and the one before."""
    asked: list[str] = []
    for line in table.strip().splitlines():
        if not line.startswith(" "):
            asked.append(line)
            continue
        for text in asked:
            parts = re.fullmatch(r"(?:\[(.*?)\] )?(\w+) ([^\s(]+)(?:\((.*?)\))?(?: <(.+?)>)? \| (.*)", text)
            assert parts, text
            told, method, path, more, body, expected = parts.groups(default="")
            payload = NAMED[body] if body in NAMED else json.loads(body or "null")
            for end in dict.fromkeys(("", more)):
                yield Row(helpdesk, told, method, path + end, payload, expected, line.strip())
        asked = []


def options(told: str) -> dict[str, Any]:
    if "=" not in told:
        return {"agent": {"bot_role": "agent"}, "trial": {"plan": "sandbox"}, "": {}}[told]
    name, text = told.split("=")
    rules: Any = Rules(**{name: int(text) if text.isdigit() else text})  # type: ignore[arg-type]
    return {"rules": rules}


def zendesk(**options: Any) -> tuple[Desk, dict[str, str]]:
    """An account with something in each list, hardly any of it in the order it is shown in, and its jobs' names."""
    desk = Desk(3, **options)
    store = desk.store
    desk.clock.advance(5)
    store.person_edit(2, add_tags=["vip"], priority="high", group_id=8_002, comment="Looked at.", public=False)
    store.person_edit(3, add_tags=["vip", "late"])
    for number, (position, title) in enumerate(((2, "a"), (1, "z"), (1, "b"), (10, "c")), 1):
        row = {"id": number, "title": title, "position": position, "created_at": f"2026-01-0{5 - number}T00:00:00Z"}
        store.triggers[number] = row
        store.automations.append(row)
    for name in ("older", "newer"):
        store.webhooks[name] = {"id": name, "endpoint": name}
        store.signing_secrets[name] = "c2VjcmV0"
    fill_articles(store)
    jobs = {}
    for name, wait in (("{done}", 120.0), ("{working}", 1.03)):
        items = [{"id": 1, "subject": "old"}, {"id": 2, "subject": "old", **STALE}]
        jobs[name] = desk.ask("PUT", "tickets/update_many", {"tickets": items}).json()["job_status"]["id"]
        desk.clock.advance(wait)
    return desk, jobs


def freshdesk(**options: Any) -> tuple[Desk, dict[str, str]]:
    """An account with a conversation."""
    desk = Desk(2, helpdesk="freshdesk", **options)
    assert desk.ask("POST", "tickets/1/notes", {"body": "<p>seen</p>"}).status == 201
    desk.sandbox.store.person_edit(1, comment="Hello", public=True)
    return desk, {}


def shown(answer: Response, place: str) -> Any:
    """What stands at a place of an answer; ``absent`` where there is nothing."""
    steps = place.split(".")
    if place in ("status", "body"):
        return answer.status if place == "status" else answer.body.decode()
    if steps[0] == "header":
        return found_in({name.lower(): text for name, text in answer.headers.items()}, steps[1:])
    return found_in(answer.json(), steps)


def found_in(value: Any, steps: list[str]) -> Any:
    for place, step in enumerate(steps):
        if step == "*":
            return [found_in(row, steps[place + 1 :]) for row in value]
        if isinstance(value, list) and step.isdigit():
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        elif step == "keys":
            return sorted(value)
        else:
            return type(value).__name__ if step == "type" else "absent"
    return value


FACTS = [*rows_of("zendesk", ZENDESK), *rows_of("freshdesk", FRESHDESK)]


@pytest.mark.parametrize("row", FACTS, ids=lambda row: f"{row.options} {row.method} {row.path}: {row.fact[:60]}")
def test_the_sandbox_answers_as_recorded(row: Row) -> None:
    account = zendesk if row.helpdesk == "zendesk" else freshdesk
    desk, jobs = account(**options(row.options))
    path = row.path
    for name, job in jobs.items():
        path = path.replace(name, job)
    answer = desk.ask(row.method, path, row.body)
    for expected in row.expected.split(" & "):
        place, how, value = expected.strip().split(" ", 2)
        told, wanted = shown(answer, place), json.loads(value)
        good = {"=": told == wanted, "^": str(told).startswith(str(wanted)), "~": str(wanted) in str(told)}[how]
        assert good, f"{row.fact}: {expected}, but {told!r} in {answer.status} {answer.body[:600]!r}"
