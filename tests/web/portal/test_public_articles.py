"""Which articles a customer is offered: those that everybody may read and that share words with what was written."""

from __future__ import annotations

from ticket_processor.knowledge.model import Article, Audience
from ticket_processor.knowledge.search import KnowledgeSearch
from ticket_processor.knowledge.store import KnowledgeStore
from ticket_processor.web.portal.application import suggesting


def article(
    name: str, title: str, body: str, audience: Audience = "everyone", url: str = "https://help.example"
) -> Article:
    return Article(name, "folder", title, url, "en", audience, 0.0, body)


def test_only_what_everybody_may_read_is_offered_with_the_lines_that_matter() -> None:
    store = KnowledgeStore(None)
    texts = [
        article("1", "Invoices", "Hello. The invoice of each month is under Billing."),
        article("2", "Invoices, for agents", "An invoice may be sent again by an agent.", "agents"),
        article("3", "Invoices, for customers", "An invoice needs a signed-in customer.", "customers"),
        article("4", "Parcels", "A parcel takes three days."),
    ]
    store.put((each, "") for each in texts)
    found = suggesting(KnowledgeSearch(store))("My invoice has not come")
    assert [(each.title, each.lines) for each in found] == [
        ("Invoices", ("The invoice of each month is under Billing.",))
    ]


def test_an_address_that_is_no_web_page_s_is_no_link() -> None:
    store = KnowledgeStore(None)
    store.put([(article("1", "Invoices", "The invoice is under Billing.", url="javascript:alert(1)"), "")])
    assert [each.url for each in suggesting(KnowledgeSearch(store))("Where is my invoice?")] == [""]
