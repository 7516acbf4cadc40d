"""The gate on a helpdesk whose tickets ticketbot has labelled: those that people decided about are compared."""

from __future__ import annotations

from .conftest import OpenDesk

KINDS = (
    ("Charged twice", "Hello, I was charged twice for my subscription this month. Please check my invoice."),
    ("Error on login", "The app shows an error and crashes whenever I try to log in."),
    ("Where is my order?", "My parcel has not arrived, the tracking page says nothing. Thank you."),
    ("Refund please", "I want my money back, please refund the amount."),
)

CANDIDATE = "".join(
    f'[[categories]]\nname = "{name}"\ndescription = "{name}"\n' for name in ("billing", "order", "refund", "general")
)


def test_a_change_that_loses_a_category_is_refused_once_it_is_known_what_people_kept(open_desk: OpenDesk) -> None:
    rows = [{"subject": f"{KINDS[n % 4][0]} ({n})", "body": KINDS[n % 4][1], "age": 7200.0} for n in range(40)]
    desk = open_desk(rows)
    desk("run", "--since", "1d")
    wrong = max(desk.tickets)
    for number in desk.tickets:
        mistake = {"remove_tags": ["ai_refund"], "add_tags": ["ai_order"]} if number == wrong else {}
        desk.sandbox.store.person_edit(number, status="solved", comment="Done.", **mistake)
    (desk.folder / "new.toml").write_text(CANDIDATE, encoding="utf-8")
    asked = ("eval", "--gate", "--candidate", "new.toml", "--json")
    assert "nothing to compare on" in desk(*asked, code=2).err
    desk("learn", "collect")
    desk("learn", "reject", "1")
    told = desk(*asked, code=1).object
    assert (told["tickets"], told["passed"]) == (39, False)
