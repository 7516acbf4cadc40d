"""Every answer of the imitated API against the shapes that the vendor's own OpenAPI document declares.

The document is not part of this repository, so these tests are skipped where it is not at hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from ticket_processor.sandbox.messages import Response

from ..imitation import Rules
from .helpers import Desk

DOCUMENT = Path(__file__).resolve().parents[3] / "shared" / "reference" / "zendesk-oas.yaml"

pytestmark = pytest.mark.skipif(not DOCUMENT.is_file(), reason="the vendor's OpenAPI document is not here")

# Recorded traffic has null in these, which the document forgets to allow.
NULL_IN_LIFE = (
    *("assignee_id", "external_id", "priority", "type", "recipient", "organization_id", "group_id"),
    *("forum_topic_id", "problem_id", "satisfaction_rating"),
)


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads a bare ``=`` as text."""


Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with DOCUMENT.open(encoding="utf-8") as file:
        loaded: dict[str, Any] = yaml.load(file, Loader=Loader)
    schemas = loaded["components"]["schemas"]
    ticket = schemas["TicketObject"]["properties"]
    for name in NULL_IN_LIFE:
        ticket[name]["nullable"] = True
        if "enum" in ticket[name]:
            ticket[name]["enum"].append(None)
    # An empty field of the account's own is null as well.
    ticket["custom_fields"]["items"]["properties"]["value"]["nullable"] = True
    # The incremental export shows deleted tickets, and a change of tags has lists as its values.
    ticket["status"]["enum"].append("deleted")
    schemas["AuditObject"]["properties"]["events"]["items"]["properties"]["value"] = {"nullable": True}
    return loaded


class Checker:
    """Validates an answer against what the document says about its operation and status."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.registry = Registry().with_resource("urn:oas", DRAFT4.create_resource(document))
        self.seen: set[str] = set()

    def check(self, method: str, path: str, response: Response) -> Any:
        declared = self.document["paths"][path][method.lower()]["responses"]
        assert str(response.status) in declared, (method, path, response.status, response.body)
        self.seen.add(f"{method} {path}")
        content = declared[str(response.status)].get("content")
        if content is None:
            assert response.body == b""
            return None
        schema = content["application/json"]["schema"]
        payload = response.json()
        target = {"$ref": f"urn:oas{schema['$ref']}"} if "$ref" in schema else schema
        errors = list(OAS30Validator(target, registry=self.registry).iter_errors(payload))
        assert not errors, [(list(error.absolute_path), error.message[:200]) for error in errors[:5]]
        return payload


@pytest.fixture
def checker(document: dict[str, Any]) -> Checker:
    return Checker(document)


def test_every_endpoint_answers_in_its_declared_shape(checker: Checker) -> None:
    desk = Desk(3, plan="unlimited")

    def visit(method: str, call: str, declared: str, payload: object = None) -> Any:
        return checker.check(method, declared, desk.ask(method, call, payload))

    creation = {"ticket": {"subject": "s", "comment": {"body": "b"}, "external_id": "e", "tags": ["a"]}}
    visit("POST", "tickets", "/api/v2/tickets", creation)
    one = "/api/v2/tickets/{ticket_id}"
    change = {
        "ticket": {
            "tags": ["x", "y", "area_app"],
            "group_id": 8_001,
            "priority": "high",
            "status": "open",
            "custom_fields": [{"id": 2_001, "value": "area_app"}],
            "comment": {"body": "note", "public": False},
            "metadata": {"k": "v"},
            "safe_update": True,
            "updated_stamp": desk.stamp(1),
        }
    }
    updated = visit("PUT", "tickets/1.json", one, change)
    assert len(updated["audit"]["events"]) == 6
    visit("PUT", "tickets/1", one, {"ticket": {"status": "open"}})
    visit("GET", "tickets/1", one)
    visit("GET", "tickets/count", "/api/v2/tickets/count")
    for query in ("", "?page[size]=2", "?page=2&per_page=2"):
        visit("GET", f"tickets{query}", "/api/v2/tickets")
    visit("GET", "tickets/show_many?ids=1,2,99", "/api/v2/tickets/show_many")
    desk.store.person_edit(2, add_tags=["vip"], comment="public words", public=True)
    desk.store.delete(3)
    desk.clock.advance(61)
    export = visit("GET", "incremental/tickets/cursor?start_time=1&per_page=2", "/api/v2/incremental/tickets/cursor")
    cursor = export["after_cursor"]
    rest = visit("GET", f"incremental/tickets/cursor?cursor={cursor}", "/api/v2/incremental/tickets/cursor")
    assert "deleted" in {row["status"] for row in rest["tickets"]}
    for size in (1, 100):
        visit("GET", f"search/export?filter[type]=ticket&page[size]={size}", "/api/v2/search/export")
    for query in ("", "?page[size]=1"):
        visit("GET", f"tickets/1/audits{query}", f"{one}/audits")
    visit("GET", "tickets/1/comments/count", f"{one}/comments/count")
    visit("GET", "tags", "/api/v2/tags")
    visit("GET", "ticket_fields", "/api/v2/ticket_fields")
    for query in ("", "?page[size]=1", "?per_page=1&page=2"):
        visit("GET", f"groups{query}", "/api/v2/groups")
    visit("GET", "users/me", "/api/v2/users/me")
    visit("GET", "users/search?query=customer", "/api/v2/users/search")
    grant = {"grant_type": "client_credentials", "client_id": "ticketbot", "client_secret": "sandbox-secret"}
    checker.check("POST", "/oauth/tokens", desk.ask("POST", "/oauth/tokens", grant, auth=None))
    jobs = [
        visit("PUT", "tickets/update_many", "/api/v2/tickets/update_many", {"tickets": [{"id": 1, "type": "task"}]}),
    ]
    stale = {"id": 1, "safe_update": True, "updated_stamp": "2020-01-01T00:00:00Z"}
    jobs.append(visit("PUT", "tickets/update_many", "/api/v2/tickets/update_many", {"tickets": [stale]}))
    names = [job["job_status"]["id"] for job in jobs]
    for seconds in (0.0, 1.03, 30.0):
        desk.clock.advance(seconds)
        visit("GET", f"job_statuses/show_many?ids={','.join(names)}", "/api/v2/job_statuses/show_many")
    assert len(checker.seen) == 18


def test_a_failed_item_in_the_declared_form_is_a_failed_result(checker: Checker) -> None:
    desk = Desk(1, rules=Rules(failed_item_form="schema"))
    stale = {"id": 1, "safe_update": True, "updated_stamp": "2020-01-01T00:00:00Z"}
    job = desk.finish(desk.ask("PUT", "tickets/update_many", {"tickets": [stale]}))
    answer = desk.ask("GET", f"job_statuses/show_many?ids={job['id']}")
    checker.check("GET", "/api/v2/job_statuses/show_many", answer)
    schema = {"$ref": "urn:oas#/components/schemas/FailedResult"}
    assert OAS30Validator(schema, registry=checker.registry).is_valid(job["results"][0])


def test_a_ticket_has_no_keys_that_the_document_and_recorded_traffic_do_not_know(document: dict[str, Any]) -> None:
    declared = set(document["components"]["schemas"]["TicketObject"]["properties"])
    ticket = Desk(1).get("tickets/1")["ticket"]
    assert set(ticket) - declared == {"fields"}


def test_the_writable_keys_are_the_declared_ones_and_metadata(document: dict[str, Any]) -> None:
    from ticket_processor.sandbox.zendesk_writes import UPDATABLE

    declared = document["components"]["schemas"]["TicketUpdateInput"]
    keys: set[str] = set()
    for part in [declared, *declared.get("allOf", ())]:
        keys |= set(part.get("properties", ()))
    assert keys - UPDATABLE == set()
    assert UPDATABLE - keys == {"metadata"}
