"""Needs 21 to 31: what is learnt, articles and replies, and the doors through which people and programs come in."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from ticket_processor.sandbox import freshdesk_solutions
from ticket_processor.sandbox.fill import fill
from ticket_processor.sandbox.zendesk_help_center import fill_help_center

from ..cli.conftest import Command, OpenDesk, bare, is_chat, open_desk, rows
from ..cli.drafting import ARTICLES, DRAFT, KNOWLEDGE, PAID_BACK, TICKET, URL, with_articles
from ..cli.freshdesk_desk import freshdesk
from ..replies.articles import claim, said
from ..web.conftest import SECRET, TOKEN, Serve, serve, until
from .parts import answers, articles, labelled, lines, note_of, of_two_hours_ago, public, settings, solve

__all__ = ["bare", "open_desk", "serve"]

UNSEEN = {"zinnia tulip lupin": "billing", "trowel spade hoe": "technical", "whisk ladle skillet": "order"}


def test_a_classifier_learns_from_files_or_solved_tickets_and_answers_only_where_it_is_surely_better(
    open_desk: OpenDesk,
) -> None:
    """Need 21: `train` learns from labelled files or solved tickets; `--bench` compares six learners."""
    desk = open_desk(of_two_hours_ago([*UNSEEN]))
    desk.environ["OMP_NUM_THREADS"] = "1"  # threads of a busy machine wait for each other
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

    settings(desk, "[learning]\nexamples = 4\n")
    first, second, third = fill(desk.sandbox, of_two_hours_ago([f"gerbil hamster ferret {n}" for n in range(3)]))
    desk.seen.clear()
    desk("run", "--ticket", str(first))
    (asked,) = [request.body.decode() for request in desk.seen if is_chat(request)]
    assert "security: gerbil hamster vole" in asked, "corrected tickets are examples in the prompt"
    settings(desk, "")

    desk.environ["OMP_NUM_THREADS"] = "1"
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
    fill_help_center(desk.sandbox.store)
    articles(desk, cards="# Gift cards\nA gift card is valid for three years.\n")
    (desk.folder / "help" / "limits.md").write_text("# Limits\nAgents grant gift cards of 50 EUR.\n", encoding="utf-8")
    sources = '[knowledge]\nhelp_centers = ["zendesk"]\nfolders = ["help"]\n'
    settings(desk, sources)
    desk("kb", "sync")
    for question, words in {
        "When does a gift card expire?": "Gift cards",
        "Which tax is on my invoice?": "Understanding your invoice",
        "Wo steht der Tarif auf der Rechnung?": "Ihre Rechnung verstehen",
    }.items():
        assert words in desk("kb", "search", question).out.splitlines()[0], question
    assert "Limits" not in desk("kb", "search", "gift cards", "--audience", "customers").out
    assert "valid for three years" in desk("kb", "show", "folder:help/cards.md").out

    by_vectors = f'{sources}embeddings_model = "sandbox-embedding"\n[embeddings]\nbase_url = "{desk.url}/v1"\n'
    settings(desk, f'{by_vectors}api_key_variable = "OPENAI_API_KEY"\n')
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
        folder = freshdesk_solutions.add_folder(other.sandbox.desk, "Help")
        freshdesk_solutions.add_article(other.sandbox.desk, folder, "Refunds", "<p>Money is back in five days.</p>")
        settings(other, '[knowledge]\nhelp_centers = ["freshdesk"]\n')
        other("kb", "sync")
        assert "Refunds" in other("kb", "search", "When is my money back?").out


def test_search_is_measured_on_known_questions_and_articles_to_mend_are_listed(bare: Command) -> None:
    """Need 24: `kb eval` on questions with known articles; `kb doctor`: copies, stale ones, ones never found."""
    settings(bare, '[knowledge]\nfolders = ["help"]\n')
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

    (last,) = {*desk.tickets} - {*done}
    desk.sandbox.script = [said(*two_figures)]  # type: ignore[attr-defined]
    articles(desk, twice=f"# Charged twice by a card\nWho was charged twice need not call.\n{slow}\n")
    desk("kb", "sync")
    desk("run", "--ticket", str(last))
    note = note_of(desk, last)
    assert "[1]" not in note, "two articles with two figures make no draft"
    for words in (f"{URL}/charged", PAID_BACK, f"{URL}/twice", slow):
        assert words in note


def test_customers_hear_of_ticketbot_only_where_a_category_is_switched_on_and_thanks_leave_a_ticket_solved(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Need 26: public reply and status behind it only for a category that is switched on; thanks keep solved."""
    changed = "Open Settings and choose Change password."
    monkeypatch.setitem(ARTICLES, "password.md", f"---\naudience: everyone\n---\n# Change your password\n{changed}\n")
    on = (
        '[policy]\nthanks_keep_solved = "apply"\n[replies]\nmode = "draft"\ncategories = { account = "public" }\n'
        '[replies.public]\nthresholds = { account = 0.5 }\nthen = "solved"\nthen_hours = 1\n'
    )
    login = {"subject": "Password", "body": "How do I change my password? Where in the account is this?"}
    desk = with_articles(open_desk, said(claim(changed)), toml=on + KNOWLEDGE, tickets=(login, TICKET))
    desk("run", "--since", "7d")
    assert answers(desk) == {1: "account", 2: "billing"}
    for seconds, replies, status in ((0, 0, "new"), (601, 1, "new"), (3601, 1, "solved"), (3601, 1, "solved")):
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
