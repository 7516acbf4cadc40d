"""What cron gets to know: every exit code, through the real command."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable

import filelock
import pytest

from ticket_processor.sandbox.access import PLANS
from ticket_processor.sandbox.faults import KINDS

from .conftest import Command, Desk, OpenDesk


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


def test_without_settings_every_problem_is_told_at_once_and_it_is_2(bare: Command) -> None:
    ended = bare("run", "--since", "1d", code=2, TICKETBOT_STATEDIR="x", TICKETBOT_MODEL="secret-looking-value")
    assert ended.out == ""
    problems = lines(ended.err)
    assert all(line.startswith("ticketbot: ") for line in problems)
    for word in ("ZENDESK_SUBDOMAIN", "no credentials", "TICKETBOT_STATEDIR", "did you mean TICKETBOT_MODELS"):
        assert sum(word in line for line in problems) == 1, word
    assert "secret-looking-value" not in ended.err
    assert list(bare.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("run --dryrun", ["Usage: "]),
        ("triage", ["Usage: "]),
        ("run --limit 0", ["Usage: "]),
        ("run --workers many", ["Usage: "]),
        ("seed --count -1", ["Usage: "]),
        ("sandbox --port 65536", ["--port"]),
        ("sandbox --tickets -1", ["--tickets"]),
        ("sandbox --plan gold", PLANS["zendesk"]),
        ("sandbox --helpdesk freshdesk --plan professional", PLANS["freshdesk"]),
        ("sandbox --helpdesk jira", ["zendesk", "freshdesk"]),
        ("sandbox --faults gremlins=0.5", KINDS),
        ("sandbox --faults slow=often", ["slow", "probability"]),
        ("eval missing.jsonl", ["missing.jsonl cannot be read"]),
        ("eval rows.csv", ["read from .jsonl or .jsonl.gz"]),
        ("eval rows.jsonl --analyser oracle", ["--analyser oracle: none of chain, rules, classifier, model:NAME"]),
        ("eval rows.jsonl --analyser classifier", ["classifier"]),
        ("train", ["name a file of labelled tickets, or say --from-helpdesk"]),
        ("train rows.jsonl --task mood", ["--task: 'mood' is none of category, urgency, sentiment"]),
        ("train rows.jsonl --own-desk", ["say --folder FOLDER"]),
        ("train rows.jsonl", ["say --own-desk if these are your own"]),
        ("train missing.jsonl --folder learnt", ["cannot be read"]),
        ("train rows.jsonl --task sentiment --folder learnt", ["sentiment cannot be learnt: no ticket has a label"]),
        ("report", ["there is no log in"]),
        ("report --since soonish", ["--since: not understood"]),
        ("report --since 1d --until 2d", ["--since must lie before --until"]),
        ("report --mail", ["put a mailtos:// address into TICKETBOT_ALERT_URLS"]),
        ("report --overrides", ["which account is it?"]),
        ("alerts --test", ["TICKETBOT_ALERT_URLS"]),
        ("init elsewhere --offline", ["no folder"]),
        ("redact rows.jsonl --level all", ["'all' is not one of 'secrets', 'standard', 'strict'"]),
        (
            "seed --llm --out x.jsonl --category gardening --language Klingon",
            ["--category gardening: none of billing", "--language Klingon", "TICKETBOT_MODELS"],
        ),
    ],
)
def test_what_cannot_work_is_2_and_told_in_a_sentence(bare: Command, command: str, told: Iterable[str]) -> None:
    rows = [json.dumps({"id": n, "body": f"Charged twice, case {n}.", "category": "billing"}) for n in range(12)]
    (bare.folder / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    ended = bare(*command.split(), code=2, TICKETBOT_STATE_DIR="")
    assert ended.out.removeprefix("12 different labelled tickets, 0 repeated or empty ones left out\n") == ""
    assert [words for words in told if words not in ended.err] == []
    assert [path.name for path in bare.folder.iterdir()] == ["rows.jsonl"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("run --since 2d --out f", ["--out belongs to --dry-run"]),
        ("run --details", ["--details belongs to --dry-run"]),
        ("run --sandbox --dry-run --out f", ["--sandbox does not go with --out"]),
        ("run --cluster tcp://127.0.0.1:8786 --sandbox", ["--sandbox does not go with --cluster"]),
        ("run --cluster-optional --insecure", ["--cluster-optional belongs to --cluster", "--insecure belongs to"]),
        ("run --split 10", ["--split belongs to --candidate"]),
        ("run --again", ["--again belongs to --ticket"]),
        ("run --ticket 1 --since 1d --retry-fallbacks", ["not go with --since", "not go with --retry-fallbacks"]),
        ("run --again-run latest --sandbox", ["--again-run does not go with --sandbox"]),
        ("report --period week --since 1d", ["--period does not go with --since"]),
        ("report --escalated --out e.csv --mail --json", ["--escalated does not go with --out", "with --mail"]),
        ("report --escalated --overrides --replies", ["with --overrides", "with --replies"]),
        ("report --escalated --knowledge --limit 200", ["with --knowledge", "with --limit"]),
        ("eval f --candidate c.toml", ["--candidate belongs to --gate"]),
        ("train f --since 30d", ["--since belongs to --from-helpdesk"]),
        ("train f --from-corrections --folder f", ["--from-corrections does not go with --folder"]),
        ("seed --language de", ["--language belongs to --llm"]),
        ("seed --llm --file f", ["--llm does not go with --file"]),
        ("learn pin 1 --value high", ["--value belongs to --ticket", "--value belongs to --field"]),
        ("learn pin 1 --at-least", ["--at-least belongs to --value"]),
    ],
)
def test_options_that_do_not_go_together_are_2_and_all_told_at_once(
    bare: Command, command: str, told: list[str]
) -> None:
    ended = bare(*command.split(), code=2)
    assert [words for words in told if words not in ended.err] == []
    assert len(lines(ended.err)) == len(told)
    assert json.loads(ended.out)["exit_code"] == 2 if "--json" in command else ended.out == ""
    assert list(bare.folder.iterdir()) == []


WRONG = "Wrong-Secret-1"
NO_CLIENT = {"ZENDESK_OAUTH_CLIENT_ID": "", "ZENDESK_OAUTH_CLIENT_SECRET": ""}


def test_wrong_credentials_are_3_and_are_not_shown(desk: Desk) -> None:
    for wrong in (
        {"ZENDESK_OAUTH_CLIENT_SECRET": WRONG},
        {**NO_CLIENT, "ZENDESK_OAUTH_TOKEN": WRONG},
        {**NO_CLIENT, "ZENDESK_EMAIL": "bot@example.com", "ZENDESK_API_TOKEN": WRONG},
    ):
        ended = desk("run", "--since", "1d", code=3, **wrong)
        assert "credentials" in ended.err or "OAuth client" in ended.err, wrong
        assert "nothing done" in ended.out
        assert WRONG not in ended.out + ended.err
    assert desk.marked() == []
    assert all(WRONG.encode() not in path.read_bytes() for path in desk.folder.rglob("*") if path.is_file())


def test_a_helpdesk_that_says_come_back_later_is_3_and_is_not_asked_before(open_desk: OpenDesk) -> None:
    desk = open_desk(faults="rate-limit:GET:seconds=1800")
    desk("run", "--since", "1d", code=3)
    assert desk.helpdesk_requests() != []
    ended = desk("run", code=3)
    assert "asked us to wait another" in ended.err
    assert desk.helpdesk_requests() == []


@pytest.mark.parametrize(
    ("name", "variable", "words"),
    [
        ("log_dir", "TICKETBOT_LOG_DIR", "cannot be written"),
        ("state_dir", "TICKETBOT_STATE_DIR", "state folder"),
    ],
)
def test_a_folder_that_is_a_file_is_3_and_nothing_is_asked(desk: Desk, name: str, variable: str, words: str) -> None:
    in_the_way = desk.folder / "a-file"
    in_the_way.write_text("", encoding="utf-8")
    ended = desk("run", "--since", "1d", code=3, **{variable: str(in_the_way)})
    for part in (words, f"{in_the_way} is a file, not a folder", f"{name} ({variable})"):
        assert part in ended.err
    assert "receipts:" not in ended.out
    ended = desk("run", "--since", "1d", "--json", code=3, **{variable: str(in_the_way / "deeper")})
    assert f"{in_the_way} is a file, not a folder" in ended.err
    assert name != "log_dir" or ended.object["log"] is None
    assert desk.helpdesk_requests() == []


def test_the_state_of_another_account_is_2(desk: Desk) -> None:
    desk("run", "--since", "1d")
    ended = desk("run", code=2, ZENDESK_URL="https://another.zendesk.invalid")
    assert "belongs to" in ended.err


@pytest.mark.parametrize("name", ["127.0.0.1", "no-such-name.invalid"])
def test_a_helpdesk_that_is_not_there_is_3_at_its_first_request_with_address_cause_and_what_to_check(
    desk: Desk, name: str
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://{name}:{free.getsockname()[1]}"  # bound, and nobody listens
        ended = desk("run", "--since", "1d", code=3, ZENDESK_URL=url)
    (said,) = lines(ended.err)
    for words in (
        url,
        "the connection is refused" if name == "127.0.0.1" else "the name is unknown",
        "check the address",
    ):
        assert words in said
    (last,) = desk.events("run_finished")
    assert list(last["requests"].values()) == [1]


def test_another_run_is_75_and_a_dry_run_may_look_meanwhile(desk: Desk) -> None:
    desk.state.mkdir()
    with filelock.FileLock(desk.state / "run.lock"):
        ended = desk("run", "--since", "1d", code=75)
        assert "another run is active" in ended.err
        quiet = desk("run", "--since", "1d", "--quiet", code=75)
        assert (quiet.out, quiet.err) == ("", "")
        assert "another run is active" in desk("undo", "latest", code=75).err, "which a person has typed"
        assert desk.helpdesk_requests() == []
        desk("run", "--since", "1d", "--dry-run")
    desk("run", "--since", "1d")
    desk.assert_done()


def test_an_unexpected_error_is_3_and_tells_its_type_and_place_alone(bare: Command) -> None:
    script = (
        "import sys\n"
        "from ticket_processor import cli\n"
        "from ticket_processor.settings import load\n"
        "def broken(*_, **__):\n"
        "    raise ZeroDivisionError('CANARY of a customer')\n"
        "load.load = broken\n"
        "sys.argv = ['ticketbot', 'run']\n"
        "cli.main()\n"
    )
    ended = bare.end(bare.python("-c", script), code=3)
    assert "unexpected ZeroDivisionError" in ended.err
    assert "line 5" in ended.err
    assert "CANARY" not in ended.out + ended.err


def test_whoever_stops_reading_gets_no_complaint(bare: Command) -> None:
    (bare.folder / "mail.txt").write_text("Hello", encoding="utf-8")
    script = (
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'ticket_processor', 'redact', 'mail.txt']\n"
        "reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n"
        "reader.stdout.close()\n"
        "print(reader.stderr.read().decode(), reader.wait())\n"
    )
    assert bare.end(bare.python("-c", script)).out == " 0\n"
