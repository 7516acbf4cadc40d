"""Learning: what waits for a person, and whether it may be learnt."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ticket_processor.cli import app
from ticket_processor.core.clock import Deadline, SystemClock, parse_iso
from ticket_processor.core.errors import DeadlineReached
from ticket_processor.learning.collect import LINES_AT_ONCE, PendingTickets
from ticket_processor.learning.gate import Mark, MarkPair, PinnedCase, chances_of_falls, pin
from ticket_processor.learning.store import FILE_NAME, LearningStore, Reaction

KINDS = (
    ("I was charged twice for my subscription. Please check my invoice.", "billing"),
    ("The app shows an error and crashes whenever I start it.", "technical"),
    ("My parcel has not arrived, the tracking page says nothing.", "order"),
    ("I want my money back, please refund the amount.", "refund"),
)
WITHOUT_TECHNICAL = "".join(
    f'[[categories]]\nname = "{name}"\ndescription = "{name}"\n' for name in ("billing", "order", "refund", "general")
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETBOT_STATE_DIR", str(tmp_path))
    rows = [{"id": f"r{n}", "body": f"{KINDS[n % 4][0]} ({n})", "category": KINDS[n % 4][1]} for n in range(80)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path


def gate(folder: Path, settings: str, *more: str, code: int) -> dict[str, object]:
    (folder / "new.toml").write_text(settings, encoding="utf-8")
    ended = CliRunner().invoke(app, ["eval", "--gate", "--candidate", "new.toml", "--json", *more])
    assert ended.exit_code == code, ended.output
    return dict(json.loads(ended.output))


def test_a_change_that_loses_a_category_is_refused(folder: Path) -> None:
    told = gate(folder, WITHOUT_TECHNICAL, "rows.jsonl", code=1)
    assert told["changes"]["category"] == [f"r{n}" for n in range(1, 80, 4)]  # type: ignore[index]


@pytest.mark.parametrize("settings", ["", '[policy]\nnote = "never"', "[policy]\nreview_below = 0.6"])
def test_a_harmless_change_passes(folder: Path, settings: str) -> None:
    told = gate(folder, settings, "rows.jsonl", code=0)
    assert told["passed"] is True
    assert "answered by a model" not in json.dumps(told)  # there is none


def test_a_pinned_case_that_breaks_refuses_a_change_that_no_test_would(folder: Path) -> None:
    store = LearningStore(folder / FILE_NAME)
    text = "Someone hacked my account right now."
    pin(store, [PinnedCase(0, 7, "escalated", "is", "yes", text)], "ana", 1.0)
    store.close()
    assert gate(folder, "", code=0)["wrong_before"] == 0
    told = gate(folder, "[policy.escalation]\non = []", code=1)
    assert [item["ticket"] for item in told["broken"]] == [7]  # type: ignore[attr-defined]
    assert "hacked" not in json.dumps(told)


@pytest.mark.parametrize("formerly", ["technical", "nothing"])
def test_a_category_under_a_new_name_breaks_nothing_where_it_says_the_former_one(folder: Path, formerly: str) -> None:
    store = LearningStore(folder / FILE_NAME)
    pin(store, [PinnedCase(0, 7, "category", "is", "technical", KINDS[1][0])], "ana", 1.0)
    store.close()
    words = f'formerly = ["{formerly}"]\nkeywords = {{ en = ["error", "crashes"] }}\n'
    settings = WITHOUT_TECHNICAL + f'[[categories]]\nname = "it_fault"\ndescription = "It does not work."\n{words}'
    gate(folder, settings, "rows.jsonl", code=0 if formerly == "technical" else 1)


def test_a_category_that_takes_in_another_one_keeps_its_own_tickets(folder: Path) -> None:
    words = 'formerly = ["refund"]\nkeywords = { en = ["charged"] }\n'
    settings = WITHOUT_TECHNICAL.replace('description = "billing"\n', f'description = "billing"\n{words}')
    settings = settings.replace('[[categories]]\nname = "refund"\ndescription = "refund"\n', "")
    told = gate(folder, settings, "rows.jsonl", code=1)
    assert "r0" not in told["changes"]["category"]  # type: ignore[index]


@pytest.mark.slow
def test_changed_settings_have_the_credentials_and_models_of_the_account_that_they_are_for(folder: Path) -> None:
    (folder / "acme.toml").write_text("[models]\ntimeout_s = 1\n", encoding="utf-8")
    variables = ("TICKETBOT_MODELS=local", "OPENAI_BASE_URL=http://127.0.0.1:9/v1", "OPENAI_API_KEY=key")
    (folder / "acme.env").write_text("\n".join(variables), encoding="utf-8")
    (folder / "few.jsonl").write_text(json.dumps({"body": KINDS[0][0], "category": "billing"}), encoding="utf-8")
    told = gate(folder, "[models]\ntimeout_s = 1\n", "few.jsonl", "--config", "acme.toml", code=0)
    [answered] = [test for test in told["tests"] if test["field"] == "answered by a model"]  # type: ignore[attr-defined]
    assert answered["precision"] == [0.0, 0.0]


def test_a_gate_with_nothing_to_compare_on_does_not_pass(folder: Path) -> None:
    (folder / "new.toml").write_text("", encoding="utf-8")
    assert CliRunner().invoke(app, ["eval", "--gate", "--candidate", "new.toml"]).exit_code == 2


def marks(**counts: int) -> list[MarkPair]:
    names: dict[str, Mark] = {"r": "right", "w": "wrong", "n": "none"}
    return [(names[pair[0]], names[pair[1]]) for pair, count in counts.items() for _ in range(count)]


def chance(**counts: int) -> float:
    return chances_of_falls({"category": marks(**counts)})["category"]


def test_the_chance_of_a_fall_is_mcnemars_where_both_write_on_the_same_tickets() -> None:
    assert chance(rr=100, rw=5) == pytest.approx(0.5**6, abs=1e-9)  # ties count half
    assert chance(rr=100, rw=8, wr=2) == pytest.approx((11 + 45 / 2) / 1024, abs=1e-9)


def test_writing_less_or_more_is_no_fall_where_precision_stays() -> None:
    assert chance(rr=90, ww=10, rn=45, wn=5) == 1.0
    assert chance(rr=90, ww=10, rn=40, wn=0) == 1.0
    assert chance(rr=90, ww=10, nr=89, nw=11) > 0.2
    assert chance(rr=90, ww=10, nr=20, nw=80) < 0.001


def test_fields_that_stay_cost_nothing_and_those_that_change_cost_something() -> None:
    changed = marks(rr=40, wr=1, rw=6)
    alone = chance(rr=40, wr=1, rw=6)
    stays = chances_of_falls({"category": changed, "sentiment": marks(rr=47)})
    assert stays == {"category": alone, "sentiment": 1.0}
    assert chances_of_falls({"category": changed, "urgency": changed})["category"] == pytest.approx(2 * alone)


# The log is read for tickets that we wrote on, each line once, however long that takes


def a_line(number: int, day: int) -> str:
    line = {"event": "ticket", "outcome": "updated", "run_id": "r", "intent": f"r-{number}", "ticket_id": number}
    analysis = {"analysis": {"summary": "", "category": "billing"}}
    return json.dumps({**line, **analysis, "ts": f"2026-05-{day:02}T10:00:00Z"}) + "\n"


def test_who_asks_for_earlier_days_gets_them_and_no_settled_ticket_twice(tmp_path: Path) -> None:
    def settle(number: int) -> None:
        with store.transaction() as db:
            db.execute("DELETE FROM pending WHERE ticket_id=?", (number,))

    def read(first_day: str) -> list[int]:
        pending.read_log(tmp_path, None, Deadline(SystemClock(), 60.0), first_day=first_day)
        return sorted(item.ticket_id for item in pending.next(9, 1.0))

    for day in (1, 2, 3):
        (tmp_path / f"ticketbot-2026-05-0{day}.jsonl").write_text(a_line(day, day), encoding="utf-8")
    settled = parse_iso("2026-05-02T12:00:00Z")
    with closing(LearningStore(None)) as store:
        pending = PendingTickets(store)
        assert read("2026-05-02") == [2, 3]
        store.keep([Reaction(2, "category", "billing", "billing", None, "kept", "person", 1, 1.0, settled)])
        settle(2)
        assert read("2026-05-03") == [3]
        assert read("2026-05-01") == [1, 3]
        settle(1)
        assert read("2026-05-01") == [3]
        with (tmp_path / "ticketbot-2026-05-03.jsonl").open("a", encoding="utf-8") as file:
            file.write(a_line(2, 3))
        assert read("2026-05-03") == [2, 3], "it was written on again since"


def test_a_log_that_is_too_long_for_one_run_is_read_on_in_the_next(tmp_path: Path) -> None:
    line = {"event": "ticket", "outcome": "updated", "run_id": "r", "intent": "r-1", "ts": "2026-05-01T10:00:00Z"}
    analysis = {"analysis": {"summary": "", "category": "billing"}}
    numbers = range(1, LINES_AT_ONCE + 2)
    text = "".join(json.dumps({**line, **analysis, "ticket_id": number}) + "\n" for number in numbers)
    (tmp_path / "ticketbot-2026-05-01.jsonl").write_text(text, encoding="utf-8")
    with closing(LearningStore(None)) as store:
        pending = PendingTickets(store)
        with pytest.raises(DeadlineReached):
            pending.read_log(tmp_path, None, Deadline(SystemClock(), 0.0))
        assert pending.count() == LINES_AT_ONCE
        pending.read_log(tmp_path, None, Deadline(SystemClock(), 60.0))
        assert pending.count() == LINES_AT_ONCE + 1
