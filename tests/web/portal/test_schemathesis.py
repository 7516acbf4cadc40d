"""Whatever anybody sends to any page of the portal, none of them breaks: schemathesis looks for a server error."""

from __future__ import annotations

from typing import Any

import pytest

from ticket_processor.helpdesk.local_model import NewFile, NewTicket
from ticket_processor.web.portal.admin.accounts import COOKIE
from ticket_processor.web.portal.admin.edits import PARTS
from ticket_processor.web.portal.parts import Suggestion
from ticket_processor.web.portal.security import FORM_COOKIE, HEADERS

from .admin.conftest import AgentsDesk
from .conftest import Browser, MakePortal, PortalRig

WHO = ("nobody", "customer", "agent", "admin")
FREE_FIELDS = (*PARTS, *(f"seen_{part}" for part in PARTS), "add", "remove", "ticket", "undo", "reason")
"""Of the forms that may have any number of fields, which no schema names."""


class Visitor:
    """Somebody with a browser, a ticket of their own, and a session that a log-out ends only until the next request."""

    def __init__(self, rig: PortalRig, who: str) -> None:
        self.rig, self.who = rig, who
        self.desk = AgentsDesk(rig)
        self.browser: Browser = rig.browser()
        made = rig.store.create(NewTicket("Hi", "Where?", "ann@example.com", files=[NewFile("a.txt", b"x")]), rig.at)
        self.number, self.ticket_id = made.number, made.id
        self.other = self.desk.person("other@example.com", "agent")
        self.person = self.desk.person(f"{who}@example.com", who) if who in ("agent", "admin") else None  # type: ignore[arg-type]
        assert self.browser.get(f"/t/{made.number}?k={made.secret}" if who == "customer" else "/").status_code == 200

    def form_token(self) -> str:
        return self.rig.parts.forms.token(self.browser.cookies[FORM_COOKIE])  # type: ignore[no-any-return]

    def cookies(self) -> dict[str, str]:
        found = {each.name: str(each.value) for each in self.browser.cookies.jar}
        if self.person:
            found[COOKIE] = self.rig.store.open_session(self.person.id, self.rig.at + 3600)
        return found

    def real(self, name: str) -> Any:
        """What there is, for a parameter of an address or a hidden field of a form."""
        version, files = self.desk.now(self.ticket_id).version, self.rig.store.files(self.ticket_id)
        return {
            "number": self.number,
            "ticket_id": self.ticket_id,
            "person_id": self.other.id,
            "file_id": files[0].id,
            "version": version,
            "ticket": f"{self.ticket_id}:{version}",
        }[name]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", WHO)
def test_schemathesis_finds_no_server_error(make_rig: MakePortal, who: str) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    rig = make_rig(suggest=lambda _text: [Suggestion("Invoices", "https://help.example/1")])
    visitor = Visitor(rig, who)
    schema = schemathesis.openapi.from_dict(rig.app.openapi())
    schema.app = rig.app
    statuses: set[int] = set()
    of_agents: set[int] = set()
    labels = rig.store.labels
    sensible = ["", "-", "open", "resolved", "high", "low", "x", "1", *labels.category, *labels.sentiment]
    extras = st.dictionaries(st.sampled_from(FREE_FIELDS), st.sampled_from(sensible) | st.text(), max_size=4)
    for operation in [result.ok() for result in schema.get_all_operations()]:

        @settings(
            max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(operation.as_strategy(), extras, st.booleans())
        def play(case: Any, more: dict[str, str], is_real: bool) -> None:
            rig.at += 60
            if is_real:
                case.path_parameters.update({name: visitor.real(name) for name in case.path_parameters})
            if isinstance(case.body, dict):
                case.body["form_token"] = visitor.form_token()
                if is_real and case.path.startswith("/admin/"):
                    case.body |= {**more, "version": visitor.real("version") - ("reason" in more)}
                    if case.path == "/admin/bulk":
                        case.body["ticket"] = visitor.real("ticket")
            answer = case.call(cookies=visitor.cookies(), allow_redirects=False)
            statuses.add(answer.status_code)
            if case.path.startswith("/admin"):
                of_agents.add(answer.status_code)
            assert answer.status_code < 500
            assert answer.headers["content-security-policy"] == [HEADERS["Content-Security-Policy"]]

        play()
    assert {200, 303, 404, 422} <= statuses
    assert of_agents >= ({200, 303, 404, 422} if visitor.person else {303, 401})
