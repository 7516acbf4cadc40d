"""``policy.tag_secondary``: the second category as one of our tags, by the real command."""

from __future__ import annotations

from .conftest import Desk, OpenDesk

ON = "[policy]\ntag_secondary = true\n"
BOTH = "I was charged twice on my invoice this month, I want my money back. Please refund one of the two payments."


def second(desk: Desk, toml: str, *arguments: str) -> tuple[list[str], str]:
    """The tags for second categories on the ticket after a run, and the one that the last answer names."""
    desk.configure(toml)
    desk("run", *arguments)
    desk.advance(600)
    name = [line["analysis"] for line in desk.events("ticket") if line["analysis"]][-1]["secondary"][0]
    return [tag for tag in desk.ticket(1)["tags"] if tag.startswith("ai_also_")], f"ai_also_{name}"


def test_only_where_it_is_wanted_and_triaged_anew_it_is_replaced_and_what_a_person_took_off_stays_off(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk([{"subject": "Invoice and refund", "body": BOTH, "age": 7200.0}])
    desk.sandbox.store.person_edit(1, add_tags=("ai_also_order",))
    desk.advance(600)
    tags, named = second(desk, ON, "--since", "1d")
    assert tags == ["ai_also_order", named]
    again = ("--ticket", "1", "--again")
    assert second(desk, "", *again) == (["ai_also_order"], named), "a person's stays"
    assert second(desk, ON, *again) == (["ai_also_order", named], named)
    desk.sandbox.store.person_edit(1, remove_tags=(named,))
    desk.advance(600)
    assert second(desk, ON, *again)[0] == ["ai_also_order"]
