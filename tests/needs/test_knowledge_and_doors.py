"""Needs 21 to 31: what is learnt, articles and replies, and the doors through which people and programs come in."""

from __future__ import annotations

import csv
import html
import io
import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.clock import SystemClock
from ticket_processor.dashboard.server import DashboardOptions, give
from ticket_processor.sandbox.app import fill, fill_articles
from ticket_processor.settings.schema import Settings

from ..cli.conftest import Command, OpenDesk, bare, is_chat, open_desk, rows
from ..cli.drafting import ARTICLES, DRAFT, KNOWLEDGE, PAID_BACK, TICKET, URL, with_articles
from ..cli.freshdesk_desk import freshdesk
from ..cli.mailbox import mailbox
from ..dashboard.conftest import Pages, app_test, main_module, pages
from ..replies.articles import claim, said
from ..web.conftest import SECRET, TOKEN, Serve, serve, until
from ..web.portal.site import LEAST_S, Site, site
from .parts import answers, articles, labelled, lines, note_of, of_two_hours_ago, public, solve

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

__all__ = ["bare", "main_module", "open_desk", "pages", "serve", "site"]

PASSWORD = "correct horse battery staple"

UNSEEN = {"zinnia tulip lupin": "billing", "trowel spade hoe": "technical", "whisk ladle skillet": "order"}


@pytest.mark.timeout(300)
def test_a_classifier_learns_from_files_or_solved_tickets_and_answers_only_where_it_is_surely_better(
    open_desk: OpenDesk,
) -> None:
    """Need 21: `train` learns from labelled files or solved tickets; `--bench` compares six learners."""
    desk = open_desk(of_two_hours_ago([*UNSEEN]))
    file = lines(desk, "labelled.jsonl", labelled(40))
    told = desk("train", file, "--own-desk", "--task", "category", "--bench").out.lower()
    for learner in ("logistic regression", "linear svm", "naive bayes", "random forest", "xgboost", "catboost"):
        assert learner in told
    desk("run", "--since", "1d")
    assert [*answers(desk).values()] == [*UNSEEN.values()]
    assert {*answers(desk, "source").values()} == {"classifier"}

    known = ("billing", "account", "order", "refund")  # which the keyword rules tell as well
    past = [{**row, "tags": [known[place % 4]], "status": "solved"} for place, row in enumerate(rows(40))]
    numbers = fill(desk.sandbox, past)
    desk("train", "--from-helpdesk", "--since", "30d", "--task", "category")
    (new,) = fill(desk.sandbox, rows(1))
    desk("run", "--ticket", str(new))
    assert (answers(desk)[new], answers(desk, "source")[new]) == ("billing", "rules")
    assert not any("ai_processed" in desk.ticket(number)["tags"] for number in numbers)


@pytest.mark.timeout(300)
def test_what_people_correct_is_collected_approved_learnt_pinned_and_taken_back(open_desk: OpenDesk) -> None:
    """Need 22: `learn` collects and shows changes; a person approves; classifier and examples learn; undo of it all."""
    taught = {"gerbil hamster vole": "security", "spaniel beagle poodle": "order"}
    desk = open_desk(of_two_hours_ago([f"{text} {n}" for n in range(8) for text in taught]), model=True)
    desk("run", "--since", "1d", "--no-llm")
    assert not {*answers(desk).values()} & {*taught.values()}
    for number, ours in answers(desk).items():
        theirs = next(label for text, label in taught.items() if text in desk.ticket(number)["subject"])
        solve(desk, number, remove_tags=[f"ai_{ours}"], add_tags=[f"ai_{theirs}"])
    desk("learn", "collect")
    assert "16 tickets collected, 16 of them touched by a person" in desk("learn", "show").out
    waiting = desk("learn", "review").out
    assert all(label in waiting for label in taught.values())
    for label in taught.values():
        desk("learn", "approve", "--field", "category", "--theirs", label)
    desk("learn", "pin", "--all")
    assert desk("learn", "pins").out.count("security") == 8

    desk.configure("[learning]\nexamples = 4\n")
    first, second, third = fill(desk.sandbox, of_two_hours_ago([f"gerbil hamster ferret {n}" for n in range(3)]))
    desk.seen.clear()
    desk("run", "--ticket", str(first))
    (asked,) = [request.body.decode() for request in desk.seen if is_chat(request)]
    assert "security: gerbil hamster vole" in asked, "corrected tickets are examples in the prompt"
    desk.configure("")

    file = lines(desk, "labelled.jsonl", labelled(60))
    asked_for = ("train", file, "--own-desk", "--from-corrections", "--task", "category", "--json")
    change = desk(*asked_for).object["change"]
    desk("run", "--ticket", str(second), "--no-llm")
    assert (answers(desk)[second], answers(desk, "source")[second]) == ("security", "classifier")
    desk("learn", "undo", str(change))
    desk("run", "--ticket", str(third), "--no-llm")
    assert answers(desk, "source")[third] == "rules"
    assert "taken back" in desk("learn", "log").out


def test_articles_of_every_source_are_found_by_words_and_by_vectors_where_there_are_some(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    """Need 23: `kb sync`, `search` and `show`: Help Center, solutions, folders; words alone where vectors fail."""
    desk = open_desk(0, model=True)
    fill_articles(desk.sandbox.store)
    articles(desk, cards="# Gift cards\nA gift card is valid for three years.\n")
    (desk.folder / "help" / "limits.md").write_text("# Limits\nAgents grant gift cards of 50 EUR.\n", encoding="utf-8")
    sources = '[knowledge]\nhelp_centers = ["zendesk"]\nfolders = ["help"]\n'
    desk.configure(sources)
    desk("kb", "sync")
    for question, words in {
        "When does a gift card expire?": "Gift cards",
        "Which tax is on my invoice?": "Understanding your invoice",
        "Wo steht der Tarif auf der Rechnung?": "Ihre Rechnung verstehen",
    }.items():
        assert words in desk("kb", "search", question).out.splitlines()[0], question
    assert "Limits" not in desk("kb", "search", "gift cards", "--audience", "customers").out
    assert "valid for three years" in desk("kb", "show", "folder:help/cards.md").out

    by_vectors = f'{sources}[embeddings]\nmodel = "sandbox-embedding"\nbase_url = "{desk.url}/v1"\n'
    desk.configure(f'{by_vectors}api_key_variable = "OPENAI_API_KEY"\n')
    desk("kb", "sync")
    piece = ("kb", "search", "giftcards")  # a piece of a word is near by its vector alone
    known = [{"id": n, "text": f"giftcards {n}", "gold": ["folder:help/cards.md"]} for n in range(30)]
    desk("kb", "eval", "--queries", lines(desk, "questions.jsonl", known))
    assert "Gift cards" in desk(*piece).out
    desk.environ["OPENAI_API_KEY"] = "wrong"
    assert "Gift cards" not in desk(*piece).out
    assert "Gift cards" in desk("kb", "search", "When does a gift card expire?").out

    (tmp_path / "freshdesk").mkdir()
    with freshdesk(tmp_path / "freshdesk") as other:
        other.sandbox.store.add_folder("Help")
        other.sandbox.store.add_article("Refunds", "<p>Money is back in five days.</p>")
        other.configure('[knowledge]\nhelp_centers = ["freshdesk"]\n')
        other("kb", "sync")
        assert "Refunds" in other("kb", "search", "When is my money back?").out


def test_search_is_measured_on_known_questions_and_articles_to_mend_are_listed(bare: Command) -> None:
    """Need 24: `kb eval` on questions with known articles; `kb doctor`: copies, stale ones, ones never found."""
    bare.configure('[knowledge]\nfolders = ["help"]\n')
    parts = {f"part{n}": f"# Part{n}\nThe part number{n}x breaks when it is cold outside.\n" for n in range(30)}
    long = "Open the menu, choose your account, press the button that says reset and wait for our mail. " * 4
    articles(bare, **parts, one=f"# Reset one\n{long}\n", two=f"# Reset two\n{long}\n")
    old = bare.folder / "help" / "part3.md"
    os.utime(old, times=(1_600_000_000, 1_600_000_000))
    bare("kb", "sync")
    known = [{"id": n, "text": f"number{n if n else 1}x broke", "gold": [f"folder:help/part{n}.md"]} for n in range(30)]
    told = bare("kb", "eval", "--queries", lines(bare, "questions.jsonl", known), "--json").object
    assert round(told["scores"]["lexical"]["hit_1"], 3) == round(29 / 30, 3), "one question names another part"

    for _ in range(6):
        bare("kb", "search", "number3x")
    listed = bare("kb", "doctor").out
    copies = re.search(r"^\w*duplicate: .*\n.*(one|two)\.md.*\n.*(one|two)\.md", listed, re.MULTILINE)
    assert copies, listed
    assert re.search(r"^stale: .*\n.*part3\.md", listed, re.MULTILINE), listed
    never = set(re.findall(r"^never_found: .*\n.*/(\w+)\.md", listed, re.MULTILINE))
    assert {"part0", "one"} <= never
    assert "part3" not in never


def offers(told: Any) -> dict[str, int]:
    """How many drafts were used, edited and ignored, wherever a report says so."""
    if isinstance(told, dict) and {"used", "edited", "ignored"} <= told.keys():
        return {name: told[name] for name in ("used", "edited", "ignored")}
    parts = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return next((found for part in parts if (found := offers(part))), {})


def test_the_note_offers_articles_and_a_draft_that_only_repeats_them_and_what_became_of_it_is_counted(
    open_desk: OpenDesk,
) -> None:
    """Need 25: articles in the note, a draft of sentences of theirs, counted as used, edited or ignored."""
    slow = "The second payment is released within 14 working days."
    tickets = [{**TICKET, "body": f"{TICKET['body']} My order is number {n}."} for n in range(4)]
    made_up = said(claim(PAID_BACK), claim("A technician will visit you.", PAID_BACK), verdict="partial")
    two_figures = [claim(text, source=label) for text in (PAID_BACK, slow) for label in ("A1", "A2")]
    desk = with_articles(open_desk, made_up, toml=DRAFT, tickets=tickets)
    desk("run", "--since", "7d", "--limit", "3")
    done = desk.marked()
    for number in done:
        note = note_of(desk, number)
        assert f"{PAID_BACK} [1]" in note
        assert f"{URL}/charged" in note
        assert "technician" not in note
        assert public(desk, number) == []
    assert "voucher" not in note_of(desk, done[0]).partition("Articles that may help")[0], "agents alone may read it"

    desk.advance(60)
    draft = f"Hello,\n\n{PAID_BACK}\n\nKind regards"
    other = "Hello Ada,\n\nThe second payment is released by Monday, as our bank told me.\n\nYours, Bo"
    for number, sent in zip(done, (draft, other, "We have closed our shop."), strict=True):
        desk.sandbox.store.person_edit(number, comment=sent, public=True)
    assert offers(desk("report", "--since", "1d", "--replies", "--json").object) == {
        "used": 1, "edited": 1, "ignored": 1,
    }  # fmt: skip
    told = desk("report", "--since", "1d", "--replies", "--details", "--out", "replies.html").out
    for form in (told, (desk.folder / "replies.html").read_text("utf-8")):
        assert "as our bank told me" in form
        assert "Ada," not in form
    assert "as our bank" not in "".join(path.read_text("utf-8", "replace") for path in desk.state.glob("*.json"))

    (last,) = {*desk.tickets} - {*done}
    desk.sandbox.script = [said(*two_figures)]  # type: ignore[attr-defined]
    articles(desk, twice=f"# Charged twice by a card\nWho was charged twice need not call.\n{slow}\n")
    desk("kb", "sync")
    desk("run", "--ticket", str(last))
    note = note_of(desk, last)
    assert "[1]" not in note, "two articles with two figures make no draft"
    for words in (f"{URL}/charged", PAID_BACK, f"{URL}/twice", slow):
        assert words in note


def test_what_people_keep_changing_in_drafts_says_which_article_or_category_to_mend(open_desk: OpenDesk) -> None:
    """Need 46: differences of drafts and replies make proposals: article, category description, rule; with tickets."""
    tickets = [{**TICKET, "body": f"{TICKET['body']} My order is number {n}."} for n in range(6)]
    desk = with_articles(open_desk, said(claim(PAID_BACK), verdict="partial"), toml=DRAFT, tickets=tickets)
    desk("run", "--since", "7d")
    first, second, third, fourth, fifth, sixth = sorted(desk.marked())
    desk.advance(60)
    asked = ("report", "--since", "1d", "--replies", "--details")
    mend = "What to mend, by what people change in drafts"
    assert mend not in desk(*asked).out, "nobody has answered"
    for number, sent in {
        first: "Hello Ada,\n\nThe second payment is released within nine days, says Zebulon.",
        second: "Hello,\n\nThe second payment comes back within nine days.\n\nKind regards",
        fifth: f"Hello,\n\n{PAID_BACK}\n\nKind regards",
    }.items():
        desk.sandbox.store.person_edit(number, comment=sent, public=True)
    for number in (third, fourth):
        moved = {"remove_tags": ["ai_billing"], "add_tags": ["ai_refund"]}
        desk.sandbox.store.person_edit(number, comment="Hi, I have sent a voucher to you.", public=True, **moved)
    forms = [f"replies.{name}" for name in ("html", "md", "csv", "json")]
    told = [desk(*asked, *(word for name in forms for word in ("--out", name))).out]
    told += [(desk.folder / name).read_text("utf-8") for name in forms]
    for form in told:
        for words in ("Charged twice", PAID_BACK, "people ignore the draft and choose refund"):
            assert words in form
        assert "Zebulon" not in form.partition(mend)[2]
    assert f"{first}, {second}" in told[0]
    assert "nine days" in told[0].partition(mend)[2]
    found = json.loads(told[-1])["replies"]["proposals"]
    assert [(one["kind"], one["tickets"]) for one in found] == [
        ("article", [first, second]), ("category description", [third, fourth]),
    ]  # fmt: skip
    assert "nine days" not in told[-1]
    with mailbox() as box:
        desk("report", "--since", "1d", "--replies", "--mail", TICKETBOT_ALERT_URLS=box.url)
        (mail,) = box.mails
    sent = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    assert any(mend in text and PAID_BACK in text for text in sent)
    assert not any("nine days" in text for text in sent)
    assert sixth not in [number for one in found for number in one["tickets"]]


def test_customers_hear_of_ticketbot_only_where_a_category_is_switched_on_and_thanks_leave_a_ticket_solved(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Need 26: public reply and status behind it only for a category that is switched on; thanks keep solved."""
    changed = "Open Settings and choose Change password."
    monkeypatch.setitem(ARTICLES, "password.md", f"---\naudience: everyone\n---\n# Change your password\n{changed}\n")
    on = (
        '[policy]\nthanks_keep_solved = "apply"\n[replies]\nmode = "draft"\ncategories = { account = "public" }\n'
        '[replies.public]\nthresholds = { account = 0.5 }\nthen = "solved"\n'
    )
    login = {"subject": "Password", "body": "How do I change my password? Where in the account is this?"}
    desk = with_articles(open_desk, said(claim(changed)), toml=on + KNOWLEDGE, tickets=(login, TICKET))
    desk("run", "--since", "7d")
    assert answers(desk) == {1: "account", 2: "billing"}
    for seconds, replies, status in ((0, 0, "new"), (601, 1, "new"), (86_401, 1, "solved"), (3601, 1, "solved")):
        desk.advance(seconds)
        desk("run")
        assert (len(public(desk, 1)), desk.ticket(1)["status"]) == (replies, status), seconds
    assert changed in public(desk, 1)[0]
    assert (public(desk, 2), desk.ticket(2)["status"]) == ([], "new")

    for words, status in (("Thank you very much, it works now!", "solved"), ("Thank you, but it fails again.", "open")):
        customer = desk.ticket(1)["requester_id"]
        desk.sandbox.store.person_edit(1, comment=words, public=True, author_id=customer, status="open")
        desk.advance(120)
        desk("run")
        assert desk.ticket(1)["status"] == status, words


def test_webhooks_and_programs_have_tickets_triaged_within_seconds_and_forgers_have_nothing(
    open_desk: OpenDesk, serve: Serve, tmp_path: Path
) -> None:
    """Need 27: `serve`: signed webhooks, replay window, durable queue, REST API, health, metrics, install-webhook."""
    desk = open_desk(5)
    desk("run", "--since", "2020-01-01", "--limit", "1")
    serving = serve(desk, "--metrics", TICKETBOT_API_TOKEN=TOKEN)
    now = time.time()
    assert serving.deliver(3, secret="another").status_code == 401
    assert serving.deliver(3, at=now - 600).status_code == 401
    assert serving.deliver(3, at=now).status_code == 202
    assert serving.deliver(3, at=now).status_code == 200, "the same delivery again is no work"
    until(lambda: desk.marked() == [1, 3])

    def ask(token: str, **body: Any) -> requests.Response:
        head = {"Authorization": f"Bearer {token}"}
        return requests.post(f"{serving.url}/process-ticket", json=body, headers=head, timeout=60)

    told = ask(TOKEN, subject="Refund", description="I want my money back.").json()
    assert (told["analysis"]["category"], "ai_refund" in told["decision"]["tags"]) == ("refund", True)
    assert ask(TOKEN, ticket=2).json()["ticket_id"] == 2
    assert [ask("wrong", ticket=2).status_code, ask(TOKEN, ticket=99).status_code] == [401, 404]
    assert desk.marked() == [1, 3], "what a program asks is not written"
    until(lambda: serving.get("/health")["queue"]["tickets"] == 0)
    assert 'result="analyses"' in requests.get(f"{serving.url}/metrics", timeout=30).text

    (desk.state / "STOP").touch()
    assert serving.deliver(4).status_code == 202
    serving.process.kill()
    serving.process.wait(30)
    (desk.state / "STOP").unlink()
    again = serve(desk)
    until(lambda: desk.marked() == [1, 3, 4])
    assert again.stop() == 0
    assert [len(desk.notes(number)) for number in (3, 4)] == [1, 1]

    url = "https://bot.example.com"
    for _ in range(2):
        desk("serve", "install-webhook", "--url", url)
    (webhook,), (trigger,) = desk.sandbox.store.webhooks.values(), desk.sandbox.store.triggers.values()
    assert webhook["endpoint"] == f"{url}/webhooks/zendesk"
    assert "{{ticket.id}}" in str(trigger["actions"])

    (tmp_path / "freshdesk").mkdir()
    with freshdesk(tmp_path / "freshdesk") as other:
        other.add("Refund", "I want my money back.")
        other("run", "--since", "2020-01-01")
        new = other.add("Error", "The app crashes whenever I log in. Please help.")
        rule = serve(other, FRESHDESK_WEBHOOK_SECRET=SECRET)
        assert [rule.tell(new, secret=secret).status_code for secret in (TOKEN, SECRET)] == [401, 202]
        until(lambda: "ai_processed" in other.ticket(new)["tags"])
        assert rule.stop() == 0


class Visitor:
    """A browser without JavaScript on the portal's pages."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def get(self, path: str = "/") -> requests.Response:
        return self.session.get(self.url + path, timeout=30)

    def send(self, page: str, path: str, values: Any, **files: tuple[str, bytes]) -> requests.Response:
        """Send a form of ``page`` to ``path`` as a browser would; gives the page that it leads to."""
        form = self.get(page).text
        token = re.search(r'name="form_token" value="([^"]+)"', form)
        version = re.search(r'name="version" value="([^"]+)"', form)
        assert token, form
        data = {"form_token": html.unescape(token[1]), **({"version": version[1]} if version else {}), **values}
        given = [("files", file) for file in files.values()]
        return self.session.post(self.url + path, data=data, files=given or None, timeout=30)


def unlabelled(page: str) -> list[str]:
    """Fields of a page that have no name for somebody who only hears it."""
    fields = re.findall(r"<(?:input|select|textarea)\b[^>]*>", page)
    shown = [field for field in fields if 'type="hidden"' not in field and "aria-label=" not in field]
    named = set(re.findall(r'<label[^>]* for="([^"]+)"', page))
    inside = re.findall(r"<label[^>]*>\s*(<input[^>]*>)", page)
    return [field for field in shown if field not in inside and not named & set(re.findall(r' id="([^"]+)"', field))]


def test_a_portal_takes_a_ticket_from_the_form_to_the_rating_and_agents_work_on_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Need 28: `portal`: form, articles, tracking, rating; agents' list, answers, bulk change, files, mail."""
    desk = site.command
    desk.configure(f'helpdesk = "local"\nlog_dir = "logs"\n[portal]\nmail_from = "help@example.com"\n{KNOWLEDGE}')
    articles(desk, invoices="# Invoices\nThe invoice of each month is under Billing, as a file.\n")
    monkeypatch.chdir(desk.folder)
    for arguments, typed in ((["portal", "create-admin", "ada@example.com"], f"{PASSWORD}\n"), (["kb", "sync"], "")):
        assert CliRunner().invoke(app, arguments, input=typed, env=desk.environ).exit_code == 0
    desk("seed", "--count", "30")
    url = site.serve()

    customer = Visitor(url)
    form = customer.get().text
    assert 'lang="en"' in form
    assert unlabelled(form) == []
    invoice = {"subject": "Where is my invoice?", "description": "The invoice of May has not come."}
    suggested = customer.send("/", "/articles", invoice).text
    assert "under Billing, as a file" in suggested
    assert invoice["description"] in suggested, "what was typed is kept"
    hacked = {"subject": "Hacked", "description": "We have been hacked and somebody is stealing our data. Help!"}
    token = html.unescape(re.findall(r'name="form_token" value="([^"]+)"', form)[0])
    time.sleep(LEAST_S)
    typed = {**hacked, "email": "carla@example.org", "form_token": token}
    file = ("files", ("screen.txt", b"what was on the screen"))
    tracked = customer.session.post(f"{url}/", data=typed, files=[file], timeout=30)
    path = tracked.url.removeprefix(url).partition("?")[0]
    assert path.startswith("/t/"), tracked.text
    (screen,) = re.findall(r'href="([^"]+/files/\d+)"', tracked.text)
    assert customer.get(screen).content == b"what was on the screen"
    assert Visitor(url).get(path).status_code in (403, 404), "the link alone opens it"
    until(lambda: "passed on to a person" in customer.get(path).text)

    agent = Visitor(url)
    assert agent.get("/admin").url.startswith(f"{url}/admin/login")
    login = {"email": "ada@example.com", "password": PASSWORD}
    assert "Log in" in agent.send("/admin/login", "/admin/login", {**login, "password": "wrong"}).text
    first = agent.send("/admin/login", "/admin/login", login).text
    assert unlabelled(first) == []
    assert "31 found" in first
    (further,) = re.findall(r'rel="next" href="([^"]+)"', first)
    seen = [
        re.findall(r'href="/admin/tickets/(\d+)"', page) for page in (first, agent.get(html.unescape(further)).text)
    ]
    assert ([*map(len, seen)], len({*seen[0], *seen[1]})) == ([25, 6], 31)
    (number,) = re.findall(r'href="/admin/tickets/(\d+)"', agent.get("/admin?q=stealing").text)
    assert f'href="/admin/tickets/{number}"' in agent.get("/admin?escalated=yes&category=security").text
    assert "No ticket fits" in agent.get("/admin?q=stealing&category=order").text
    assert len(list(csv.reader(io.StringIO(agent.get("/admin/tickets.csv").text)))) == 32
    assert [">Hacked<" in agent.get(f"/admin?sort={order}").text for order in ("created", "oldest")] == [True, False]

    page = f"/admin/tickets/{number}"
    until(lambda: "Escalation" in agent.get(page).text)  # the internal note
    assert "Escalation:" not in customer.get(path).text
    reply = {"to": "customer", "body": "We have **locked** it.", "status": ""}
    agent.send(page, f"{page}/reply", reply, report=("report.txt", b"how it was done"))
    agent.send(page, f"{page}/reply", {"to": "note", "body": "A word among agents.", "status": ""})
    told = customer.get(path).text
    assert "We have <strong>locked</strong> it." in told
    assert "report.txt" in told
    assert "A word among agents" not in told
    mails = desk.state / "outbox"

    def sent(to: str, words: str) -> bool:
        texts = [mail.read_text("utf-8") for mail in mails.glob("*.eml")]
        return any(f"To: {to}" in text and words in text for text in texts)

    until(lambda: sent("carla@example.org", "locked") and sent("ada@example.com", "Subject: Escalated:"))

    agent.send(page, f"{page}/change", {"category": "account", "seen_category": "security"})
    assert "Category: account" in agent.get(page).text
    listed = agent.get("/admin").text
    picked = re.findall(r'name="ticket" value="([^"]+)"', listed)[-2:]
    changed = agent.send("/admin", "/admin/bulk", {"ticket": picked, "status": "resolved", "back": ""}).text
    assert "2 tickets changed" in changed
    undo = [html.unescape(one) for one in re.findall(r'name="undo" value="([^"]*)"', changed)]
    assert "2 tickets changed back" in agent.send("/admin", "/admin/bulk/undo", {"undo": undo}).text

    customer.send(path, f"{path}/reply", {"body": "It works again."})
    assert "It works again." in agent.get(page).text
    customer.send(path, f"{path}/solved", {})
    assert "Resolved" in agent.get(page).text
    customer.send(path, f"{path}/rating", {"stars": "5", "comment": "Quick"})
    assert "rated 5 of 5" in agent.get(page).text
    assert site.stop() == 0


def test_the_local_helpdesk_leaves_and_comes_as_a_file_and_a_customer_is_erased_everywhere(bare: Command) -> None:
    """Need 29: `local export`, `import` and `erase`: JSON lines out and in; a customer erased everywhere."""
    place = {"TICKETBOT_HELPDESK": "local", "TICKETBOT_LOCAL_PATH": str(bare.folder / "desk.sqlite3")}
    other = {**place, "TICKETBOT_LOCAL_PATH": str(bare.folder / "other.sqlite3")}
    own = [
        {"id": n, "subject": f"{words} zxcanary{n}", "body": f"I was charged twice, zxcanary{n}.", "requester": person}
        for n, words, person in (
            (1, "Charged twice", {"name": "Ada Quist", "email": "ada@example.com"}),
            (2, "Charged twice", {"name": "Bob Marsh", "email": "bob@example.com"}),
        )
    ]
    bare("seed", "--file", lines(bare, "own.jsonl", own), **place)
    bare("run", "--since", "1d", **place)
    bare("local", "export", "out.jsonl", **place)
    out = (bare.folder / "out.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["kind"] for line in out.splitlines()].count("ticket") == 2
    assert all(words in out for words in ("ai_billing", "Ref tb-", "Bob Marsh"))
    for _ in range(2):
        bare("local", "import", "out.jsonl", **other)
    assert bare("local", "export", "-", **other).out == out, "twice is once"

    def holding(word: str) -> set[str]:
        files = (path for path in bare.folder.rglob("*") if path.is_file() and path.suffix != ".jsonl")
        logs = [*bare.logs.glob("*.jsonl")]
        return {path.name for path in [*files, *logs] if word.encode() in path.read_bytes()}

    (bare.folder / "other.sqlite3").unlink()
    assert all(holding(word) for word in ("zxcanary1", "ada@example.com", "Quist"))
    bare("local", "erase", "ada@example.com", "--dry-run", **place)
    assert holding("zxcanary1")
    told = bare("local", "erase", "ada@example.com", "--yes", **place).out
    (of_the_log,) = re.findall(r"ticketbot (audit erase --ticket \d+)", told)
    bare(*of_the_log.split(), "--yes", **place)
    for word in ("zxcanary1", "ada@example.com", "Quist"):
        assert holding(word) == set(), word
    rest = bare("local", "export", "-", **place).out
    assert "zxcanary2" in rest
    assert "bob@example.com" in rest
    bare("audit", "verify", **place)


def cells(page: AppTest, column: str) -> list[Any]:
    """The values under this heading, in any of the page's tables."""
    return [value for table in page.dataframe if column in table.value for value in table.value[column].tolist()]


def tiles(page: AppTest) -> dict[str, str]:
    """What the tiles say, by what stands over them."""
    return {tile.label: tile.value for tile in page.metric}


def test_the_dashboard_shows_tickets_runs_costs_quality_and_a_try_on_pages_of_its_own(
    open_desk: OpenDesk, pages: Pages
) -> None:
    """Need 30: `dashboard`: overview, tickets, runs, health, costs, quality, review, try it; charts; sign-in."""
    desk = open_desk(8, model=True)
    desk.configure('[models.prices]\n"sandbox-model" = [10.0, 40.0, 1.0]\n')
    desk("run", "--since", "1d")
    billed = [number for number, category in answers(desk).items() if category == "billing"]
    solve(desk, *billed, remove_tags=["ai_billing"], add_tags=["ai_refund"])
    desk("learn", "collect")
    made = Settings(log_dir=desk.logs, state_dir=desk.state)
    give(DashboardOptions(made, SystemClock(), private=True))

    overview = pages.open("overview")
    assert tiles(overview)["Tickets"] == "8"
    assert len(overview.get("vega_lite_chart")) > 2
    refresh = next(one for one in overview.get("button_group") if one.label == "Refresh")
    assert len(refresh.options) > 1
    by_category = next(box for box in overview.multiselect if box.label == "Category")
    by_category.set_value(["billing"]).run()
    assert tiles(overview)["Tickets"] == str(len(billed))

    table = pages.open("tickets")
    assert sorted(cells(table, "Ticket")) == [*desk.tickets]
    table.text_input(key="q").set_value("billing").run()
    assert sorted(cells(table, "Ticket")) == billed
    story = pages.open("tickets", {"ticket": str(billed[0])})
    assert {"ai_processed", "ai_billing"} <= {*cells(story, "After")}

    for name, column, value in (
        ("runs", "Exit code", "0"),
        ("costs", "Answered by", "sandbox-model"),
        ("review", "People say", "refund"),
    ):
        assert value in cells(pages.open(name), column), name
    assert "$" in tiles(pages.open("costs"))["Cost"]
    assert tiles(pages.open("runs"))["Success rate"] == "100.0%"
    assert any("free" in str(text) for text in cells(pages.open("runs"), "Found")), "how much room the disk has"

    review = pages.open("review")
    next(button for button in review.button if button.label == "Approve").click().run()
    assert f"{len(billed)} corrections approved" in desk("learn", "log").out

    trying = pages.open("try_it")
    trying.text_area[0].set_value("I was charged twice, my card is 4111 1111 1111 1111.")
    trying.button[0].click().run()
    shown = "\n".join(block.value for block in trying.code)
    assert "ai_billing" in shown
    assert "4111" not in shown

    assert "dashboard.auth" in desk("dashboard", "--port", "0", "--host", "0.0.0.0", code=2).err
    auth = {
        "metadata_url": "https://id.example.com",
        "client_id": "x",
        "client_secret": "x",
        "allow": ["a@example.com"],
    }
    locked = Settings.model_validate({"log_dir": desk.logs, "state_dir": desk.state, "dashboard": {"auth": auth}})
    give(DashboardOptions(locked, SystemClock()))
    door = app_test().run()
    assert [button.label for button in door.button] == ["Sign in"]
    assert not door.metric


def test_a_report_tells_a_period_in_every_form_with_what_people_changed_gaps_and_open_escalations(
    open_desk: OpenDesk,
) -> None:
    """Need 31: `report` as text, HTML, Markdown, CSV, JSON and mail; changes by people; gaps; open escalations."""
    hacked = {
        "subject": "Hacked",
        "body": "We have been hacked and somebody is stealing our data. Please help at once!",
    }
    odd = [f"Do you like my vintage gramophone? It is number {n}." for n in range(6)]
    desk = open_desk([*rows(8), {**hacked, "age": 7000.0}, *of_two_hours_ago(odd)])
    fill_articles(desk.sandbox.store)
    desk("run", "--since", "1d")
    period = ("report", "--since", "1d")
    assert ["tickets", "15"] in [line.split() for line in desk(*period).out.splitlines()]
    files = [desk.folder / f"week.{ending}" for ending in ("md", "csv", "html", "json")]
    desk(*period, *(part for file in files for part in ("--out", file.name)))
    markdown, table, page, data = (file.read_text(encoding="utf-8") for file in files)
    assert "| tickets | 15 |" in markdown
    assert ["Overview", "tickets", "15"] in [row[:3] for row in csv.reader(io.StringIO(table))]
    assert desk(*period, "--json").object["totals"]["tickets"] == json.loads(data)["totals"]["tickets"] == 15
    assert page.startswith("<!doctype html>")
    assert re.search(r"tickets</t[hd]>\s*<td[^>]*>15<", page), "the figure is on the page"
    empty = desk("report", "--since", "2020-01-01", "--until", "2020-02-01").out
    assert ["tickets", "0"] in [line.split() for line in empty.splitlines()]
    assert "15" not in empty.split(), "as a word, since the sandbox's port may hold these digits"
    with mailbox() as box:
        desk(*period, "--mail", TICKETBOT_ALERT_URLS=box.url)
        (mail,) = box.mails
    assert mail["To"] == "team@example.com"
    body = mail.get_body(("plain",))
    assert body is not None
    assert ["tickets", "15"] in [line.split() for line in body.get_content().splitlines()]

    (urgent,) = [number for number in desk.tickets if desk.ticket(number)["subject"] == "Hacked"]
    assert re.search(rf"^{urgent}\b.*Hacked", desk("report", "--escalated").out, re.MULTILINE)
    billed = [number for number, category in answers(desk).items() if category == "billing"]
    solve(desk, *billed, remove_tags=["ai_billing"], add_tags=["ai_refund"])
    solve(desk, urgent)
    assert "Hacked" not in desk("report", "--escalated").out
    told = desk(*period, "--overrides", "--knowledge", "--details").out
    assert re.search(r"billing\s+.*refund", told), told
    assert "gramophone" in told
    desk(*period, "--knowledge", "--out", "gaps.md")
    assert "gramophone" in (desk.folder / "gaps.md").read_text(encoding="utf-8")


def test_what_customers_say_is_grouped_counted_quoted_linked_and_told_when_it_has_shipped(open_desk: OpenDesk) -> None:
    """Need 44: `report --themes`: wordings merged; count, trend, mood, quotes; issues linked, shipped ones told."""
    wishes = ("Telephonenumber", "Telephonenumber!", "Telephone number", "Telephone number!")
    texts = [*wishes, *(f"The {word} is loose" for word in "pedal saddle window hinge antenna bumper".split())]
    desk = open_desk([{**row, "body": "Write to ada@example.com"} for row in of_two_hours_ago(texts)], model=True)
    desk("run", "--since", "1d", "--no-llm")
    asking = {number for number in desk.tickets if "Telephone" in desk.ticket(number)["subject"]}
    desk.seen.clear()
    period = ("report", "--since", "1d", "--themes")

    def theme(*options: str) -> Any:
        (found,) = [
            each for each in desk(*period, "--json", *options).object["themes"]["themes"] if "telephone" in each["name"]
        ]
        return found

    by_words = desk(*period, "--json").object["themes"]
    assert not by_words["vectors"]
    assert all(set(each["tickets"]) != asking for each in by_words["themes"])
    desk.configure(f'''[embeddings]\nmodel = "sandbox-embedding"\nbase_url = "{desk.url}/v1"\n
api_key_variable = "OPENAI_API_KEY"\n''')
    found = theme()
    assert (set(found["tickets"]), found["count"], found["count_before"]) == (asking, 4, 0)
    assert 2 <= len(found["quotes"]) <= 3
    assert all(f"{desk.url}/agent/tickets/{each['ticket_id']}" == each["url"] for each in found["quotes"])
    assert "ada@" not in json.dumps(found)
    assert {request.path for request in desk.seen} == {"/v1/embeddings"}, "the helpdesk is not asked"

    assert theme("--link", f"{found['name']}=SHOP-7")["issues"][0]["issue"] == "SHOP-7"
    desk("audit", "erase", "--ticket", str(min(asking)), "--yes")
    told = desk("report", "--shipped", "SHOP-7").out.splitlines()
    assert [int(line.split()[0]) for line in told[:-1]] == sorted(asking)[1:], "nobody tells whom they have erased"
    assert "SHOP-7 (shipped" in desk(*period).out
