"""``ticketbot run --split``: two settings files share a run's tickets, and are set side by side."""

from __future__ import annotations

import pytest

from ticket_processor.policy.skip_rules import in_share

from .conftest import Desk, OpenDesk

CANDIDATE = '[policy]\nnote = "never"\n'
SPLIT = ("run", "--split", "50", "--candidate", "new.toml")


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    desk = open_desk(12)
    (desk.folder / "new.toml").write_text(CANDIDATE, encoding="utf-8")
    return desk


def test_the_candidate_decides_its_share_of_tickets_the_same_ones_in_every_run(desk: Desk) -> None:
    assert "the candidate decides 50% of tickets" in desk(*SPLIT, "--since", "1d", "--limit", "5").err
    desk(*SPLIT)
    assert sorted(desk.marked()) == sorted(desk.tickets)
    candidates = {number for number in desk.tickets if in_share("split", number, 50)}
    assert 0 < len(candidates) < len(desk.tickets)
    assert {number for number in desk.tickets if not desk.notes(number)} == candidates
    assert all(line["split"]["settings_file"] == "new.toml" for line in desk.events("run_started"))
    for line in desk.events("ticket"):
        expected = "new.toml" if line["ticket_id"] in candidates else "ticketbot.toml"
        assert line["analysis"]["settings_file"] == expected


def test_report_and_learn_show_count_what_people_keep_of_both_side_by_side(open_desk: OpenDesk) -> None:
    desk = open_desk(40)
    (desk.folder / "new.toml").write_text(CANDIDATE, encoding="utf-8")
    desk(*SPLIT, "--since", "1d")
    candidates = {number for number in desk.tickets if in_share("split", number, 50)}
    for number in desk.tickets:
        wrong = {"add_tags": ["ai_security"]} if number in candidates else {}
        desk.sandbox.store.person_edit(number, status="solved", **wrong)
    desk("learn", "collect")
    others, both = 40 - len(candidates), {"new.toml": len(candidates), "ticketbot.toml": 40 - len(candidates)}
    shown, report = desk("learn", "show", "--json").object, desk("report", "--json").object
    for parts in (shown["parts"], report["scoreboard"]["parts"]):
        (category,) = (part for part in parts if part["part"] == "category")
        kept = {one["settings_file"]: (one["kept"], one["judged"]) for one in category["settings_files"]}
        assert kept == {"ticketbot.toml": (others, others), "new.toml": (0, len(candidates))}
    assert {one["label"]: one["tickets"] for one in report["by"]["settings_file"]} == both
    assert "By settings file" in desk("learn", "show", "--details").out
    assert "By settings file" in desk("report", "--details").out


def test_both_settings_share_one_budget(open_desk: OpenDesk) -> None:
    desk = open_desk(12, model=True)
    common = "[cache]\ndays = 0\n[models.prices]\nsandbox-model = [1, 1, 1]\n[budget]\nrun_usd = 0.006\n"
    for name, text in (("ticketbot", common), ("new", CANDIDATE + common)):
        (desk.folder / f"{name}.toml").write_text(text, encoding="utf-8")
    dry = ("--since", "1d", "--dry-run", "--workers", "1", "--json")
    alone, shared = desk("run", *dry).object["usage"], desk(*SPLIT, *dry).object["usage"]
    assert 0 < shared["input"] + shared["output"] <= 6000
    assert shared["input"] == alone["input"]


def test_a_candidate_whose_model_fails_costs_later_runs_no_answer_of_theirs(open_desk: OpenDesk) -> None:
    desk = open_desk(30, model=True)
    del desk.environ["OPENAI_BASE_URL"]
    for name, path in (("ticketbot", "v1"), ("new", "nothing")):
        text = f'[models]\nbase_url = "{desk.url}/{path}"\n'
        (desk.folder / f"{name}.toml").write_text(text, encoding="utf-8")
    desk(*SPLIT, "--since", "1d", "--limit", "24")
    before = len(desk.events("ticket"))
    assert {line["analysis"]["source"] for line in desk.events("ticket")} == {"model", "rules"}
    desk("run")
    assert {line["analysis"]["source"] for line in desk.events("ticket")[before:]} == {"model"}


def test_a_candidate_that_differs_in_more_than_decisions_is_refused_naming_each(desk: Desk) -> None:
    policy = '[policy]\ntag_prefix = "bot_"\nnote = "when-useful"\nthanks_keep_solved = "apply"\n'
    text = f'{policy}[run]\nlimit_share = 0.4\n[zendesk]\noauth_scope = "read tickets:write"\n'
    (desk.folder / "new.toml").write_text(text, encoding="utf-8")
    told = desk(*SPLIT, "--since", "1d", code=2).err
    named = ("policy.tag_prefix", "policy.thanks_keep_solved", "run.limit_share", "zendesk.oauth_scope")
    assert all(name in told for name in named)
    assert "policy.note" not in told
    (desk.folder / "next").mkdir()
    (desk.folder / "next" / "ticketbot.toml").write_text(CANDIDATE, encoding="utf-8")
    told = desk("run", "--split", "50", "--candidate", "next/ticketbot.toml", "--since", "1d", code=2).err
    assert "call this one other than ticketbot.toml" in told
    assert desk.marked() == []


def test_a_scheduled_split_goes_on_once_its_candidate_is_in_place(desk: Desk) -> None:
    desk.configure(CANDIDATE)
    told = desk(*SPLIT, "--since", "1d").err
    assert "the candidate decides as the settings do" in told
    assert "the candidate decides 50%" not in told
    assert sorted(desk.marked()) == sorted(desk.tickets)
    assert "split" not in desk.events("run_started")[0]
    assert not any("settings_file" in line["analysis"] for line in desk.events("ticket"))
