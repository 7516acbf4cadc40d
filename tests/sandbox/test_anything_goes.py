"""Whatever a client sends, the sandbox answers; it never raises."""

from __future__ import annotations

from typing import Any, get_args

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_processor.sandbox.messages import Request
from ticket_processor.sandbox.zendesk_writes import CREATABLE

from ..imitation import Rules
from ..imitation.faults import JOB_KINDS
from ..imitation.rules import ErrorForm
from .helpers import BASIC, Desk

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["2026-11-21T03:20:00Z", "closed", "a@b", "0001-01-01T00:00:00+23:59", "high", "true"]),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["id", "value", "body", "html_body", "public", "email", "x"]), inner, max_size=4
        ),
    ),
    max_leaves=6,
)
TICKETS = st.dictionaries(
    st.sampled_from([*sorted(CREATABLE), "id", "additional_tags", "remove_tags"]), JSON, max_size=6
)
BODIES = st.one_of(
    JSON,
    st.builds(lambda ticket: {"ticket": ticket}, TICKETS),
    st.builds(lambda tickets: {"tickets": tickets}, st.lists(TICKETS, max_size=3)),
    st.builds(lambda tags: {"tags": tags}, JSON),
)
QUERIES = st.dictionaries(
    st.sampled_from(
        [
            *("page", "per_page", "page[size]", "page[after]", "page[before]", "sort", "sort_by", "ids", "query"),
            *("start_time", "cursor", "external_id", "async", "filter[type]", "locale", "label_names"),
        ]
    ),
    st.one_of(
        st.text(max_size=10),
        st.integers(-5, 10**20).map(str),
        st.sampled_from(["1,2,3", "true", "ticket", "WzFd", "MS4wfHwxfA==", "-updated_at", "created>2020-01-01"]),
        st.sampled_from(["-tags:x status<solved", '"open', "created>0001-01-01T00:00:00+23:59", "nan", "inf"]),
    ),
    max_size=4,
)
ROUTES = sorted(Desk(0).sandbox.zendesk.routes)
FUZZ = settings(suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(
    calls=st.lists(
        st.tuples(st.sampled_from(ROUTES), QUERIES, BODIES, st.sampled_from(["1", "2", "99"])), min_size=1, max_size=4
    ),
    rules=st.builds(
        Rules,
        conflict_form=st.sampled_from(get_args(ErrorForm)),
        batch_comment=st.booleans(),
        batch_private=st.booleans(),
        batch_stamps=st.booleans(),
    ),
    faults=st.lists(st.sampled_from(sorted(JOB_KINDS)), max_size=3),
)
def test_the_imitated_api_answers_any_call(
    calls: list[tuple[str, dict[str, str], Any, str]], rules: Rules, faults: list[str]
) -> None:
    desk = Desk(2, plan="unlimited", search_lag=5.0, replica_lag=4.0, rules=rules, faults=",".join(faults))
    for route, query, payload, number in calls:
        method, _, path = route.partition(" ")
        path = path.replace("{id}", number).replace("{job}", "V3-x").replace("{locale}", "de")
        headers = {"Authorization": BASIC, "Content-Type": "application/json"}
        request = Request(method, f"/api/v2/{path}", query, headers, orjson.dumps(payload))
        answer = desk.sandbox.handle(request)
        assert 200 <= answer.status < 500
        desk.clock.advance(3)
    for path in ("/", "/tickets/1", "/tickets/2"):
        assert desk.ask("GET", path).status == 200


@FUZZ
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]),
    path=st.one_of(st.text(max_size=20), st.text(max_size=20).map(lambda text: f"/api/v2/{text}")),
    headers=st.dictionaries(
        st.sampled_from(["Authorization", "Content-Type", "Idempotency-Key"]), st.text(max_size=20)
    ),
    body=st.binary(max_size=30),
)
def test_any_path_with_any_headers_is_answered(method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    desk = Desk(1, plan="unlimited")
    for target in (path, "/oauth/tokens", f"/v1/{path}"):
        answer = desk.sandbox.handle(Request.from_target(method, target, headers, body))
        assert 200 <= answer.status < 500


SCHEMAS = st.recursive(
    st.one_of(
        SCALARS,
        st.fixed_dictionaries(
            {"type": st.sampled_from(["string", "number", "integer", "boolean", "null", "array", "object", "x"])},
            optional={"minLength": SCALARS, "maxLength": SCALARS, "minimum": SCALARS, "enum": JSON, "$ref": SCALARS},
        ),
    ),
    lambda inner: st.one_of(
        st.builds(
            lambda properties: {"type": "object", "properties": properties}, st.dictionaries(st.text(max_size=4), inner)
        ),
        st.builds(lambda items: {"type": "array", "items": items, "minItems": 1}, inner),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, max_size=2)),
    ),
    max_leaves=6,
)


@FUZZ
@given(schema=SCHEMAS, content=JSON, limit=SCALARS)
def test_the_imitated_model_answers_any_schema(schema: Any, content: Any, limit: Any) -> None:
    body = {
        "model": "sandbox-model",
        "messages": [{"role": "user", "content": content}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
        "max_tokens": limit,
    }
    answer = Desk(0).ask("POST", "/v1/chat/completions", body, auth="Bearer sandbox-key")
    assert answer.status in (200, 400)
