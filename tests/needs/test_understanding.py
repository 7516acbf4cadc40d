"""Needs 13 to 20: understanding. What is made of a ticket's words, by whom, at what cost, and how well."""

from __future__ import annotations

import html
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ticket_processor.sandbox.messages import Request, Response

from ..cli.conftest import Desk, OpenDesk, is_chat, rows
from ..dashboard.conftest import Pages, main_module, pages
from ..imitation import Sandbox

__all__ = ["main_module", "pages"]

AREA, SUPPORT, FINANCE = 2001, 8001, 8002
"""A drop-down field and the groups of the sandbox."""


def analyses(desk: Desk) -> dict[int, dict[str, Any]]:
    """What the last receipt of each ticket says about it."""
    return {line["ticket_id"]: line["analysis"] for line in desk.events("ticket") if line["outcome"] == "updated"}


def note(desk: Desk, number: int) -> str:
    (written,) = desk.notes(number)
    assert not written["public"]
    return html.unescape(written["plain_body"])


def categories(*names: str, more: str = "") -> str:
    """A table of categories with a description each; ``more`` belongs to the last one."""
    return "".join(f'[[categories]]\nname = "{name}"\ndescription = "About {name}."\n' for name in names) + more


SAID: dict[str, Any] = {
    "summary": "Wants one of two payments back before going to court.",
    "evidence": ["charged twice"],
    "category": "double_charge",
    "secondary": ["refund"],
    "urgency": "high",
    "urgent_tone": False,
    "sentiment": "negative",
    "risk": "medium",
    "language": "en",
    "confidence": 0.9,
    "root_cause": "The subscription was renewed twice.",
    "steps": ["Look up both payments.", "Refund the second one."],
    "resolution_likelihood": 0.8,
}


class Says(Sandbox):
    """Its model always answers :data:`SAID`."""

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        if is_chat(request) and response.status == 200:
            body = json.loads(response.body)
            body["choices"][0]["message"]["content"] = json.dumps(SAID)
            response.body = json.dumps(body).encode()
        return response


def test_all_that_is_understood_of_a_ticket_stands_in_receipt_note_and_tags(open_desk: OpenDesk) -> None:
    """Need 13: categories, urgency, sentiment, risk with reasons, language, summary, confidence, evidence, advice."""
    threat = "I was charged twice on my invoice, refund one payment. I will take legal action, my lawyer will sue you."
    desk = open_desk([{"subject": "Charged twice", "body": threat, "age": 7200.0}], kind=Says, model=True)
    tree = categories("billing", "refund", "general", "double_charge", more='parent = "billing"\n')
    desk.configure(f"[models]\nadvice = true\n[policy]\ntag_secondary = true\n{tree}")
    desk("run", "--since", "1d")
    found = analyses(desk)[1]
    expected = {**SAID, "category": "billing", "subcategory": "double_charge", "risk": "high", "alarms": ["legal"]}
    assert {name: found[name] for name in expected} == expected
    labels = ("billing", "double_charge", "also_refund", "urgency_high", "sentiment_negative", "escalated", "processed")
    assert {f"ai_{label}" for label in labels} == set(desk.ticket(1)["tags"])
    words = note(desk, 1)
    for part in (
        "Triage: billing / double_charge, urgency high, sentiment negative, risk high (legal), language en; ",
        "by sandbox-model, confidence 0.90.",
        "Summary: “Wants one of two payments back before going to court.”",
        "Also: refund.",
        "Because of: “charged twice”.",
        "Likely cause (model): “The subscription was renewed twice.” Likely solved by the first reply (model): yes.",
        "To try (model): 1. “Look up both payments.” 2. “Refund the second one.”",
    ):
        assert part in words, part


GOOD, UNKNOWN = "sandbox-model", "no-such-model"
SPENT_SOON = f"[budget]\nrun_usd = 0.002\n[models.prices]\n{GOOD} = [1, 1, 1]\n"
LINKS: dict[str, tuple[str, str | None, str, set[str | None], bool]] = {
    "the first model": (GOOD, None, "", {GOOD}, False),
    "the first model, after a retry": (GOOD, "error-before:POST:/v1/:times=1", "", {GOOD}, False),
    "the next model": (f"{UNKNOWN}, {GOOD}", None, "", {GOOD}, False),
    "rules, where a model failed": (GOOD, "error-before:POST:/v1/", "", {"rules"}, True),
    "rules, where there is no model": ("", None, "", {"rules"}, False),
    "rules, once the budget is spent": (GOOD, None, SPENT_SOON, {GOOD, "rules"}, True),
    "the classifier, where a model failed": (UNKNOWN, None, "", {"classifier"}, True),
}
"""Who answers: models, faults and settings, the names in the receipts, and whether there is the tag ai_fallback."""


@pytest.mark.parametrize("link", LINKS)
def test_the_next_link_of_the_chain_answers_and_a_fallback_is_tagged_only_where_a_model_failed(
    open_desk: OpenDesk, link: str
) -> None:
    """Need 14: first model, next model, classifier, keyword rules, with retries, breaker and budget."""
    models, faults, toml, expected, fallback = LINKS[link]
    desk = open_desk(20, faults=faults, model=True)
    desk.configure(toml)
    if "classifier" in link:
        taught = [{"id": f"r{n}", "body": f"{row['body']} {n}", "category": KINDS[n % 4]} for n, row in samples(40)]
        desk("train", write_rows(desk.folder, taught), "--own-desk", "--task", "category")
    desk("run", "--since", "1d", "--workers", "1", TICKETBOT_MODELS=models)
    desk.assert_done()
    found = analyses(desk)
    assert {one["model"] or one["source"] for one in found.values()} == expected
    for number, one in found.items():
        tagged = "ai_fallback" in desk.ticket(number)["tags"]
        assert tagged == (fallback and one["source"] != "model")
        if tagged:
            assert one["why_fallback"] not in (None, "no_model_configured")
    if link.startswith("the classifier"):
        late = desk.sandbox.store.create(subject="Late", body="My parcel has not arrived, the tracking page is empty.")
        desk.advance(120)
        desk("run", TICKETBOT_MODELS="")
        assert analyses(desk)[late.id]["source"] == "classifier"
        assert "ai_fallback" not in desk.ticket(late.id)["tags"]
    if link == "rules, where a model failed":
        asked = len(desk.model_requests())
        assert asked < 20, "the breaker opens"
        desk.sandbox.store.create(subject="Late", body="My order has not arrived yet.")
        desk.advance(120)
        desk("run")
        assert len(desk.model_requests()) == asked, "and the next run knows of it"


KINDS = ("billing", "technical", "order", "refund")


def samples(count: int) -> list[tuple[int, dict[str, Any]]]:
    """Texts whose category follows from them, numbered."""
    return list(enumerate(rows(count)))


def write_rows(folder: Path, given: list[dict[str, Any]], name: str = "rows.jsonl") -> str:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in given), encoding="utf-8")
    return name


ANSWER = json.dumps({**SAID, "category": "billing", "secondary": []})


@contextmanager
def model_server(knows: str, answer: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that knows these forms of answer and always says ``answer``; its address, and what it is asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            form = (body.get("response_format") or {"type": "words"})["type"]
            asked.append({"form": form, "path": self.path, "key": self.headers["Authorization"], **body})
            message = {"role": "assistant", "content": answer}
            said: dict[str, Any] = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            if form not in knows.split():
                said = {"error": {"message": f"response_format.type {form} is not supported"}}
            raw = json.dumps({"id": "x", "object": "chat.completion", "created": 0, "model": "m", **said}).encode()
            self.send_response(400 if "error" in said else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


SERVERS: dict[str, tuple[str, str, str]] = {
    "vLLM": ('preset = "vllm"\nbase_url = "URL/v1"', "json_schema", "/v1"),
    "Ollama": ('preset = "ollama"\nbase_url = "URL/v1"', "json_object words", "/v1"),
    "LM Studio": ('preset = "lm-studio"\nbase_url = "URL/v1"', "words", "/v1"),
    "llama.cpp": ('preset = "llama.cpp"\nbase_url = "URL/v1"', "json_schema", "/v1"),
    "OpenAI": ('preset = "openai"\nbase_url = "URL/v1"', "json_schema", "/v1"),
    "Azure": ('preset = "azure"\nbase_url = "URL"', "json_schema", "/openai/v1"),
    "Anthropic": ('base_url = "URL/v1/"', "words", "/v1"),
    "Gemini": ('base_url = "URL/v1beta/openai/"', "json_object", "/v1beta/openai"),
}
"""Settings, the forms of answer that the server knows, and the path that it is asked at."""


@pytest.mark.parametrize("name", SERVERS)
def test_any_compatible_server_is_asked_in_a_form_that_it_knows_and_a_broken_answer_is_repaired(
    open_desk: OpenDesk, name: str
) -> None:
    """Need 15: schema, then JSON object, then words, remembered; presets and other vendors' endpoints."""
    toml, knows, path = SERVERS[name]
    broken = f"Sure, here it is:\n```json\n{ANSWER[:-1]},}}\n```\nAnything else?"
    desk = open_desk(4)
    with model_server(knows, broken if "words" in knows else ANSWER) as (url, asked):
        desk.configure(f"[models]\nnames = ['m-1']\n{toml.replace('URL', url)}\n")
        desk("run", "--since", "1d", "--workers", "1", OPENAI_API_KEY="key-1")
    assert {(one["source"], one["category"]) for one in analyses(desk).values()} == {("model", "billing")}
    assert {(one["path"], one["key"], one["model"]) for one in asked} == {
        (f"{path}/chat/completions", "Bearer key-1", "m-1")
    }
    best = knows.split()[0]
    assert [one["form"] for one in asked[-4:]] == [best] * 4, "what a server refuses is not tried on the next ticket"
    limit = "max_completion_tokens" if name in ("OpenAI", "Azure") else "max_tokens"
    assert limit in asked[-1]


OWN = f"""
fallback_category = "general"
[policy]
preset = "tiers"
[policy.escalation]
group = {SUPPORT}
[policy.escalation.plans]
security = "Call the desk about {{category}}."
[policy.tiers]
groups = {{ 1 = {FINANCE} }}
[[categories]]
name = "money"
description = "Invoices and charges."
keywords = {{ en = ["charged ~ twice"] }}
tag = "finance"
group = {FINANCE}
fields = {{ {AREA} = "area_web_shop" }}
[[categories]]
name = "general"
description = "Everything else."
"""
HACKED = "We have been hacked and somebody is stealing our data. Please help at once!"


def test_own_categories_set_their_targets_and_what_cannot_wait_is_escalated_with_reason_and_plan(
    open_desk: OpenDesk,
) -> None:
    """Need 16: own categories and their faults, tiers, escalation, security words."""
    calm = "Hello, could you please send me the opening hours again? Thank you."
    texts = {1: rows(1)[0]["body"], 2: HACKED, 3: calm}
    desk = open_desk([{"subject": "Hello", "body": text, "age": 7000.0} for text in texts.values()])
    desk.configure(OWN)
    assert "0 problems" in desk("doctor").out
    desk("run", "--since", "1d")
    money, hacked, other = (desk.ticket(number) for number in texts)
    assert {"ai_money", "finance", "area_web_shop", "ai_tier_1"} <= set(money["tags"])
    assert money["group_id"] == FINANCE
    assert {"ai_escalated", "ai_tier_complex"} <= set(hacked["tags"])
    assert hacked["group_id"] == SUPPORT
    assert "Escalation: security" in note(desk, 2)
    assert "Call the desk about general." in note(desk, 2)
    assert "Summary: “" in note(desk, 2)
    assert analyses(desk)[2]["alarms"] == ["security"]
    assert {"ai_general", "ai_tier_2"} <= set(other["tags"])
    assert not {"ai_escalated", "finance"} & set(other["tags"])
    assert "Escalation" not in note(desk, 3)

    wrong = OWN.replace(f"group = {FINANCE}\nfields", "group = 4711\nfields").replace(f"{AREA} =", "99 =")
    desk.configure(wrong.replace('"finance"', '"area_app"') + 'keywords = { en = ["!!!"] }\n')
    told = desk("doctor", code=1).out
    for fault in ("no group 4711", "its field 99 does not exist", "the tag area_app is an option", "keyword '!!!'"):
        assert re.search(rf"(?m)^problem .*{re.escape(fault)}", told), fault


LETTER = """Hello,
Jürgen Groß here (juergen.gross@example.com, +49 30 901820), card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00.
My password is hunter2!Xy. I was charged twice for order 4711.

--
Jürgen Groß, Hauptstrasse 1
On Mon, 3 Nov 2026 at 10:00, Support <help@example.com> wrote:
> How can we help?
"""
PRIVATE = ("Jürgen", "Groß", "juergen.gross", "901820", "4111 1111", "DE89", "hunter2", "How can we help")


def test_a_text_is_cleaned_and_redacted_before_anything_leaves(open_desk: OpenDesk) -> None:
    """Need 17: what a model is sent, what note and log hold, and ``ticketbot redact``."""
    who = {"name": "Jürgen Groß", "email": "juergen.gross@example.com"}
    desk = open_desk([{"subject": "Charged twice", "body": LETTER, "age": 7200.0, "requester": who}], model=True)
    desk("run", "--since", "1d")
    (sent,) = [json.loads(request.body)["messages"][-1]["content"] for request in desk.model_requests()]
    for kind in ("[NAME_1]", "[EMAIL_1]", "[PHONE_1]", "[CARD_1]", "[IBAN_1]", "order 4711"):
        assert kind in sent, kind
    logged = "".join(path.read_text("utf-8") for path in desk.logs.iterdir())
    for words in PRIVATE:
        assert words not in sent, words
        assert words not in logged, words
        assert words not in note(desk, 1), words

    (desk.folder / "mail.txt").write_text(LETTER, encoding="utf-8")
    shown = desk("redact", "mail.txt", "--name", "Jürgen Groß").out
    assert "[NAME_1] here ([EMAIL_1], [PHONE_1]), card [CARD_1], IBAN [IBAN_1]" in shown
    assert "replaced at level standard: 1 ADDRESS, 1 CARD, 2 EMAIL, 1 IBAN, 1 NAME, 1 PHONE, 1 SECRET" in shown
    lax = desk("redact", "mail.txt", "--level", "secrets", "--json").object
    assert "juergen.gross@example.com" in lax["texts"][0]["text"]
    assert lax["counts"] == {"CARD": 1, "IBAN": 1, "SECRET": 1}


PRICED = '[models.prices]\n"sandbox-model" = [10.0, 40.0, 1.0]\n'


def test_an_exact_repeat_costs_nothing_and_costs_are_told_before_and_after(open_desk: OpenDesk) -> None:
    """Need 18: the cache, the forecast, and the true tokens and cost of a run and of a ticket."""
    asked = [{"subject": "Charged twice", "body": "I was charged twice.", "age": 7200.0 * n} for n in range(1, 5)]
    asked += [{"subject": "Parcel", "body": "Where is my parcel? It is late.", "age": 3600.0}]
    desk = open_desk(asked, model=True)
    desk.configure(PRICED)
    served: list[dict[str, int]] = []
    desk.sandbox.after_request.append(
        lambda request, response: served.append(json.loads(response.body)["usage"]) if is_chat(request) else None
    )

    def billed() -> tuple[int, int, float]:
        """Tokens in and out that the server has counted since the last call, and their price."""
        tokens_in, tokens_out = (sum(one[name] for one in served) for name in ("prompt_tokens", "completion_tokens"))
        served.clear()
        return tokens_in, tokens_out, (tokens_in * 10 + tokens_out * 40) / 1e6

    dry = desk("run", "--since", "10d", "--dry-run", "--workers", "1", "--json").object
    tokens_in, tokens_out, cost = billed()
    assert (desk.sandbox.openai.calls, dry["cached"]) == (2, 3)
    assert (dry["usage"]["input"], dry["usage"]["output"], dry["cost_usd"]) == (tokens_in, tokens_out, cost)
    assert dry["forecast"]["usd_per_ticket"] == pytest.approx(cost / 2)
    assert dry["forecast"]["tickets_per_day"] > 1

    new = desk.sandbox.store.create(subject="Password", body="I cannot log in, my password is refused.")
    desk.advance(120)
    shown = desk("run", "--since", "10d").out
    tokens_in, tokens_out, cost = billed()
    assert f"tokens: {tokens_in} in, {tokens_out} out, ${cost:.4f}" in shown
    assert "at no cost: 5" in shown
    costs = {line["ticket_id"]: line["cost_usd"] for line in desk.events("ticket") if line["outcome"] == "updated"}
    assert costs == {**dict.fromkeys(range(1, 6), 0), new.id: cost}
    assert re.search(rf"cost per ticket +\${cost / 6:.4f}", desk("report").out)


def test_one_tickets_way_through_the_chain_can_be_followed(open_desk: OpenDesk, pages: Pages) -> None:
    """Need 19: ``ticketbot analyse`` by number and from standard input, and the page to try it."""
    desk = open_desk(1, model=True)
    by_number = desk("analyse", "1").out
    for words in ("Asked sandbox-model (json_schema)", "sandbox-model: answered", "category: billing"):
        assert words in by_number
    assert "no answer: the model server refuses the key" in desk("analyse", "1", OPENAI_API_KEY="wrong").out
    assert (desk.marked(), desk.logs.exists()) == ([], False)

    mail = "I was charged twice, my card is 4111 1111 1111 1111.\n\n-- \nJane Doe"
    shown = desk("analyse", "-", "--no-llm", said=f"Charged twice\n{mail}").out
    page = pages.open("try_it")
    page.text_input[0].set_value("Charged twice")
    page.text_area[0].set_value(mail)
    page.button[0].click().run()
    for way in (shown, "\n".join(block.value for block in page.code)):
        assert "[CARD_1]" in way
        assert "+ tag ai_billing" in way
        assert "Triage: billing" in way
    for words in ("rules: answered", "category: billing", "note | Triage: billing"):
        assert words in shown
    told = desk("analyse", "-", "--no-llm", "--json", said=json.dumps({"body": mail})).object
    assert told["analysis"]["category"] == "billing"
    assert [link["link"] for link in told["chain"] if link["answered"]] == ["rules"]


ON_SOLVED = ("eval", "--from-helpdesk", "--since", "90d")
"""The command that measures analysers on solved tickets of the helpdesk."""
GATE = ("eval", "--gate", "--candidate", "new.toml")
WITHOUT_ORDER = categories("billing", "technical", "account", "refund", "general")


def test_analysers_are_measured_side_by_side_and_settings_that_do_worse_are_refused(
    open_desk: OpenDesk, tmp_path: Path
) -> None:
    """Need 20: figures on labelled files and on solved tickets, the vendor's own triage, and the gate."""
    priority = ("normal", "high", "normal", "low")
    labelled = [
        {"id": f"r{n}", "body": f"{row['body']} ({n})", "category": KINDS[n % 4], "priority": priority[n % 4]}
        | {"language": "de" if n % 4 == 3 else "en"}
        for n, row in samples(48)
    ]
    labelled[0]["category"] = "refund"  # which is wrong
    desk = open_desk(0, model=True)
    desk.configure(PRICED)
    file = write_rows(desk.folder, labelled)
    told = desk("eval", file, "--precision", "0.6", "--out", "page.html", "--json").object
    chain, rules = (one["sources"][0] for one in told["analysers"])
    assert (chain["answered_by"], rules["answered_by"]) == ({"sandbox-model": 48}, {"rules": 48})
    assert chain["tokens"]["input"] > chain["tokens"]["output"] > 0
    assert chain["cost_usd_per_ticket"] == pytest.approx(chain["cost_usd"] / 48)
    for one in (chain, rules):
        assert one["fields"].keys() >= {"category", "urgency"}
        found = one["fields"]["category"]
        assert found["accuracy"] == pytest.approx(sum(found["confusion"][name].get(name, 0) for name in KINDS) / 48)
        assert found["confusion"]["refund"]["billing"] == 1
        assert (found["labels"]["order"]["f1"], found["by_language"]["de"]["rows"]) == (1, 12)
        assert sum(part["rows"] for part in found["reliability"]) == 48
        assert found["abstention"][-1]["coverage"] == 1
        assert found["thresholds"]["labels"]["order"]["precision"] == 1
    page = (desk.folder / "page.html").read_text("utf-8")
    assert "<svg" in page
    assert "sandbox-model" in page
    assert "charged twice" not in page
    text = desk("eval", file, "--analyser", "rules").out
    for heading in ("per label", "confusion", "calibration", "abstention", "by language"):
        assert heading in text

    intents = ("intent__money", "intent__app", "intent__parcel", "intent__back")
    for n, row in samples(40):
        mark = intents[(n + (n % 10 == 0)) % 4]
        tags = [KINDS[n % 4], mark, "intent_confidence__high"]
        number = desk.sandbox.store.create(subject=row["subject"], body=row["body"], tags=tags).id
        desk.sandbox.store.person_edit(number, priority=priority[n % 4], status="solved")
    desk.advance(600)
    desk.seen.clear()
    told = desk(*ON_SOLVED, "--precision", "0.65", "--analyser", "rules", "--json").object
    assert {entry for entry in desk.helpdesk_requests() if not entry.startswith("GET ")} == {"POST /oauth/tokens"}
    assert (told["compared"], told["category_by"]) == (40, {"tag": 40})
    found = told["analysers"][0]["sources"][0]["fields"]["category"]
    assert (found["accuracy"], found["confusion"]["order"]["order"]) == (0.75, 10)
    assert "threshold" in told["policy"]["rules"]
    (theirs,) = (one for one in told["analysers"] if one["analyser"] == "intelligent triage")
    assert 0.5 < theirs["sources"][0]["fields"]["category"]["accuracy"] < 1

    desk.configure("")
    for settings, code in (("[policy]\nnote = 'never'\n", 0), (WITHOUT_ORDER, 1)):
        (desk.folder / "new.toml").write_text(settings, "utf-8")
        gate = desk(*GATE, file, "--json", code=code, TICKETBOT_MODELS="").object
        assert gate["passed"] is (code == 0)
    assert {f"r{n}" for n in range(2, 48, 4)} <= set(gate["changes"]["category"])
    desk("learn", "pin", "--ticket", "3", "--field", "category", "--value", "order")
    gate = desk(*GATE, "--json", code=1, TICKETBOT_MODELS="").object
    assert ([item["ticket"] for item in gate["broken"]], gate["passed"]) == ([3], False)
