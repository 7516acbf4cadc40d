"""Freshdesk: fields, groups, agents, automation rules, the knowledge base."""

from __future__ import annotations

from ticket_processor.sandbox.articles import AGENTS, DRAFT, add_folder, add_solution, fill_solutions

from .freshdesk_helpers import FreshDesk


def test_ticket_fields_tell_the_values_of_each_drop_down() -> None:
    fields = {row["name"]: row for row in FreshDesk().get("ticket_fields")}
    assert fields["priority"]["choices"] == {"Low": 1, "Medium": 2, "High": 3, "Urgent": 4}
    assert fields["status"]["choices"]["6"][0] == "Waiting on Customer"
    assert fields["group"]["choices"] == {"Support": 8001, "Finance": 8002}
    assert (fields["cf_product_area"]["default"], fields["cf_product_area"]["type"]) == (False, "custom_dropdown")
    assert fields["cf_product_area"]["choices"] == ["Web shop", "App"]


def test_agents_and_contacts_are_found() -> None:
    desk = FreshDesk()
    assert [row["id"] for row in desk.get("agents", email="alex@example.com")] == [7001]
    assert desk.get("agents/7001")["contact"]["name"] == "Alex Agent"
    assert desk.ask("GET", "agents/5").status == 404
    assert [row["email"] for row in desk.get("contacts")] == ["customer@example.com"]


def test_automation_rules_are_shown_by_their_kind() -> None:
    desk = FreshDesk()
    desk.store.automations[1].append({"id": 5, "name": "ticketbot", "active": True, "actions": []})
    assert [row["name"] for row in desk.get("automations/1/rules")] == ["ticketbot"]
    assert desk.get("automations/4/rules") == []
    assert desk.ask("GET", "automations/2/rules").status == 404


def test_the_knowledge_base_is_walked_from_categories_to_articles() -> None:
    desk = FreshDesk()
    folder = add_folder(desk.store, "Bills")
    hidden = add_folder(desk.store, "For agents", visibility=AGENTS)
    number = add_solution(desk.store, folder, "Your invoice", "<p>Each <b>invoice</b></p>", tags=("billing",))
    add_solution(desk.store, hidden, "Refund limits", "<p>Up to 50</p>", status=DRAFT)
    categories = desk.get("solutions/categories")
    folders = desk.get(f"solutions/categories/{categories[0]['id']}/folders")
    assert [(row["id"], row["visibility"]) for row in folders] == [(folder, 1), (hidden, 3)]
    rows = desk.get(f"solutions/folders/{folder}/articles")
    assert [(row["id"], row["status"], row["description_text"]) for row in rows] == [(number, 2, "Each invoice")]
    assert desk.get(f"solutions/articles/{number}") == rows[0]
    assert [row["title"] for row in desk.get("search/solutions", term="refund")] == ["Refund limits"]
    found = desk.get("search/solutions", term="invoice limits")
    assert {row["title"]: row["folder_visibility"] for row in found} == {"Your invoice": 1, "Refund limits": 3}
    assert desk.ask("GET", "solutions/folders/5/articles").status == 404
    assert desk.ask("GET", "search/solutions").status == 400


def test_articles_are_searched_in_the_accounts_language_or_in_the_one_that_is_named() -> None:
    desk = FreshDesk()
    fill_solutions(desk.store)
    settings = desk.get("settings/helpdesk")
    assert (settings["primary_language"], settings["portal_languages"]) == ("en", ["de"])
    assert [row["title"] for row in desk.get("search/solutions/de", term="Rechnung")] == ["Ihre Rechnung verstehen"]
    assert desk.get("search/solutions", term="Rechnung") == []
    assert desk.ask("GET", "search/solutions/fr?term=x2").status == 404
