"""``ticketbot eval``: figures for people, for programs and for a browser; no helpdesk needed, and none written to."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from .conftest import Command, OpenDesk

KINDS = (
    ("Charged twice", "I was charged twice for my subscription. Please check my invoice.", "billing", "high"),
    ("Error on login", "The app shows an error and crashes whenever I start it.", "technical", "high"),
    ("Where is my order?", "My parcel has not arrived, the tracking page says nothing.", "order", "medium"),
    ("Geld zurück", "Ich möchte mein Geld zurück, bitte erstatten Sie den Betrag.", "refund", "low"),
)
SECRET = "melody.maker@example.org"


def labelled(folder: Path, *, count: int = 12, name: str = "rows.jsonl", rename: Any = str) -> Path:
    rows = [
        {
            "id": f"r{n}",
            "subject": kind[0],
            "body": f"{kind[1]} ({n}) {SECRET}",
            "category": rename(kind[2]),
            "priority": kind[3],
            "language": "de" if n % 4 == 3 else "en",
        }
        for n, kind in ((n, KINDS[n % 4]) for n in range(count))
    ]
    path = folder / name
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def by_name(told: Any) -> dict[str, Any]:
    return {item["analyser"]: item["sources"] for item in told["analysers"]}


def test_rules_are_measured_without_any_setting(bare: Command, tmp_path: Path) -> None:
    ended = bare("eval", str(labelled(tmp_path)))
    for heading in ("category", "urgency", "per label", "confusion", "calibration", "abstention", "by language"):
        assert heading in ended.out, heading
    assert re.search(r"rules\s+rows\.jsonl\s+12\s+[01]\.\d{3}\s+[01]\.\d{3}", ended.out)
    assert ended.err == ""
    assert "\x1b" not in ended.out
    assert "charged twice" not in ended.out.lower()
    assert SECRET not in ended.out
    assert not bare.logs.exists()


def test_a_model_that_is_not_in_the_settings_can_be_named(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk = open_desk(0, model=True)
    path = str(labelled(tmp_path, count=4))
    environ = {"TICKETBOT_MODELS": "", "OPENAI_BASE_URL": f"{desk.url}/v1"}
    told = desk("eval", path, "--analyser", "model:sandbox-model", "--analyser", "rules", "--json", **environ).object
    assert by_name(told)["model sandbox-model"][0]["answered_by"] == {"sandbox-model": 4}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jsonl"], "missing.jsonl cannot be read"),
        (["rows.csv"], "read from .jsonl or .jsonl.gz"),
        (["rows.jsonl", "--analyser", "oracle"], "--analyser oracle: none of chain, rules, classifier, model:NAME"),
        (["rows.jsonl", "--analyser", "classifier"], "classifier"),
        (["rows.jsonl", "--show-errors"], "--out"),
    ],
)
def test_a_wrong_command_line_is_told_in_a_sentence(
    bare: Command, tmp_path: Path, arguments: Sequence[str], message: str
) -> None:
    labelled(tmp_path)
    ended = bare("eval", *arguments, code=2)
    assert message in ended.err
    assert ended.out == ""
