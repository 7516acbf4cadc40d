"""One or two examples for each command, at the end of its ``--help``. A test parses every one."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": ("ticketbot run --dry-run --limit 10 --verbose", "ticketbot run --split 10 --candidate new.toml"),
    "apply": ("ticketbot apply planned.jsonl",),
    "seed": ("ticketbot seed --count 40", "ticketbot seed --file tickets.jsonl"),
    "analyse": ("ticketbot analyse 4711 --details", "ticketbot analyse - --no-llm < mail.txt"),
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
    "train": ("ticketbot train labelled.jsonl", "ticketbot train --from-helpdesk --since 180d"),
    "undo": ("ticketbot undo latest --dry-run", "ticketbot undo 20261122T081500Z-3fa2c1 --ticket 4711"),
    "init": ("ticketbot init", "ticketbot init desk --offline"),
    "local export": ("ticketbot local export desk.jsonl", "ticketbot local export -"),
    "local import": ("ticketbot local import desk.jsonl", "ticketbot local import - < desk.jsonl"),
    "local erase": (
        "ticketbot local erase jane@example.com --dry-run",
        "ticketbot local erase jane@example.com --yes",
    ),
    "kb sync": ("ticketbot kb sync",),
    "kb search": (
        'ticketbot kb search "how long does a refund take"',
        "ticketbot kb search refund --audience customers",
    ),
    "kb show": ("ticketbot kb show zendesk:360001/en-us",),
    "kb eval": ("ticketbot kb eval --queries questions.jsonl",),
    "kb doctor": ("ticketbot kb doctor",),
    "learn collect": ("ticketbot learn collect", "ticketbot learn collect --limit 500"),
    "learn show": ("ticketbot learn show", "ticketbot learn show --details"),
    "learn review": ("ticketbot learn review --texts", "ticketbot learn review --json"),
    "learn approve": ("ticketbot learn approve 12 13", "ticketbot learn approve --field category --theirs refund"),
    "learn reject": ("ticketbot learn reject 14", "ticketbot learn reject --field urgency --ours high --theirs low"),
    "learn log": ("ticketbot learn log",),
    "learn undo": ("ticketbot learn undo 3",),
    "learn pin": (
        "ticketbot learn pin 12 13",
        "ticketbot learn pin --ticket 4711 --field urgency --value high --at-least",
    ),
    "learn pins": ("ticketbot learn pins", "ticketbot learn pins --json"),
    "report": (
        "ticketbot report --since 30d --only risk=high",
        "ticketbot report --period week --out week.md",
    ),
    "dashboard": ("ticketbot dashboard", "ticketbot dashboard --port 8600"),
    "serve": (
        "ticketbot serve --every 10",
        "ticketbot serve install-webhook --url https://ticketbot.example.com",
    ),
    "worker": ("ticketbot worker --scheduler tcp://127.0.0.1:8786 --insecure",),
    "scheduler": ("ticketbot scheduler --insecure", "ticketbot scheduler --insecure --port 0 --health-port 8080"),
    "portal": ("ticketbot portal --demo", "ticketbot portal create-admin ada@example.com"),
    "doctor": ("ticketbot doctor", "ticketbot doctor --offline --details"),
    "health": ("ticketbot health", "ticketbot health --json"),
    "schedule install": ("ticketbot schedule install", "ticketbot schedule install cron --every 15 --config accounts"),
    "schedule show": ("ticketbot schedule show", "ticketbot schedule show systemd"),
    "schedule remove": ("ticketbot schedule remove",),
    "alerts": ("ticketbot alerts", "ticketbot alerts --test"),
    "audit verify": ("ticketbot audit verify",),
    "audit show": ("ticketbot audit show 4711", "ticketbot audit show 2026-11-22"),
    "audit erase": ("ticketbot audit erase --requester jane@example.com --dry-run",),
}


def epilog(command: str) -> str | None:
    """The end of the command's help; its lines are not joined."""
    lines = EXAMPLES.get(command)
    return (
        None
        if lines is None
        else "\n".join(("\b", f"Example{'s' * (len(lines) > 1)}:", *(f"  {one}" for one in lines)))
    )
