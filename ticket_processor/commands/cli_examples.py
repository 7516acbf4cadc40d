"""One or two examples for each command, at the end of its ``--help``. A test parses every one."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": ("ticketbot run --dry-run --limit 10 --verbose", "ticketbot run --split 10 --candidate new.toml"),
    "apply": ("ticketbot apply planned.jsonl",),
    "seed": ("ticketbot seed --count 40", "ticketbot seed --file tickets.jsonl"),
    "analyse": ("ticketbot analyse 4711", "ticketbot analyse - --no-llm < mail.txt"),
    "eval": (
        "ticketbot eval labelled.jsonl --analyser rules --out page.html",
        "ticketbot eval --from-helpdesk --since 90d",
    ),
    "redact": ("ticketbot redact mail.txt", "ticketbot redact - --level strict --name Jürgen"),
    "sandbox": (
        "ticketbot sandbox --helpdesk freshdesk --plan growth",
        "ticketbot sandbox --port 0 --faults lost-reply=0.05",
    ),
    "retry list": ("ticketbot retry list",),
    "retry run": ("ticketbot retry run", "ticketbot retry run --ticket 4711"),
    "retry drop": ("ticketbot retry drop --ticket 4711", "ticketbot retry drop --all-dead"),
    "taxonomy check": ("ticketbot taxonomy check", "ticketbot taxonomy check --offline"),
    "taxonomy show": ("ticketbot taxonomy show",),
    "train": ("ticketbot train labelled.jsonl", "ticketbot train --from-helpdesk --since 180d --out training.json"),
    "undo": ("ticketbot undo latest --dry-run", "ticketbot undo 20261122T081500Z-3fa2c1 --ticket 4711"),
    "init": ("ticketbot init", "ticketbot init desk --offline"),
    "local export": ("ticketbot local export desk.jsonl", "ticketbot local export -"),
    "local import": ("ticketbot local import desk.jsonl", "ticketbot local import - < desk.jsonl"),
    "local erase": (
        "ticketbot local erase jane@example.com --dry-run",
        "ticketbot local erase jane@example.com --yes",
    ),
    "kb sync": ("ticketbot kb sync", "ticketbot kb sync --whole"),
    "kb search": (
        'ticketbot kb search "how long does a refund take"',
        "ticketbot kb search refund --lang de",
    ),
    "kb show": ("ticketbot kb show zendesk:360001/en-us",),
    "kb eval": (
        "ticketbot kb eval --queries questions.jsonl",
        "ticketbot kb eval --corpus articles.jsonl --queries questions.jsonl --out ranked.jsonl",
    ),
    "kb doctor": ("ticketbot kb doctor",),
    "learn collect": ("ticketbot learn collect", "ticketbot learn collect --since 30d --limit 500"),
    "learn show": ("ticketbot learn show", "ticketbot learn show --since 30d --json"),
    "learn review": ("ticketbot learn review --texts", "ticketbot learn review --field category --json"),
    "learn approve": ("ticketbot learn approve 12 13", "ticketbot learn approve --field category --theirs refund"),
    "learn reject": ("ticketbot learn reject 14", "ticketbot learn reject --field urgency --ours high --theirs low"),
    "learn log": ("ticketbot learn log",),
    "learn undo": ("ticketbot learn undo 3",),
    "learn pin": (
        "ticketbot learn pin 12 13",
        "ticketbot learn pin --ticket 4711 --field urgency --value high --at-least",
    ),
    "learn pins": ("ticketbot learn pins", "ticketbot learn pins --out pins.jsonl"),
    "learn unpin": ("ticketbot learn unpin 3",),
    "report": (
        "ticketbot report --since 30d --only risk=high",
        "ticketbot report --period week --out week.md",
    ),
    "escalated": ("ticketbot escalated", "ticketbot escalated --since 30d --all --json"),
    "dashboard": ("ticketbot dashboard", "ticketbot dashboard --port 8600 --no-browser"),
    "serve": (
        "ticketbot serve --every 10",
        "ticketbot serve install-webhook --url https://ticketbot.example.com",
    ),
    "worker": ("ticketbot worker --scheduler tcp://127.0.0.1:8786 --threads 32",),
    "scheduler": ("ticketbot scheduler", "ticketbot scheduler --host 0.0.0.0 --health-port 8080"),
    "portal": ("ticketbot portal --demo", "ticketbot portal create-admin ada@example.com"),
    "doctor": ("ticketbot doctor", "ticketbot doctor --offline --details"),
    "health": ("ticketbot health", "ticketbot health --json"),
    "schedule install": ("ticketbot schedule install", "ticketbot schedule install cron --every 15 --config accounts"),
    "schedule show": ("ticketbot schedule show", "ticketbot schedule show systemd"),
    "schedule remove": ("ticketbot schedule remove",),
    "alerts test": ("ticketbot alerts test",),
    "alerts list": ("ticketbot alerts list --json",),
    "audit verify": ("ticketbot audit verify",),
    "audit show": ("ticketbot audit show 4711",),
    "audit erase": ("ticketbot audit erase --requester jane@example.com --dry-run",),
    "audit cat": ("ticketbot audit cat 2026-11-22",),
}


def epilog(command: str) -> str | None:
    """The end of the command's help; its lines are not joined."""
    lines = EXAMPLES.get(command)
    return (
        None
        if lines is None
        else "\n".join(("\b", f"Example{'s' * (len(lines) > 1)}:", *(f"  {one}" for one in lines)))
    )
