"""The policy's part of the configuration file: what is taken, and how a mistake is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ticket_processor.core.errors import ConfigError
from ticket_processor.core.models import Overwrite
from ticket_processor.policy.decide import Mode, Policy, Tier
from ticket_processor.policy.note import DEFAULT_PLANS, NoteWhen
from ticket_processor.settings.load import load
from ticket_processor.settings.schema import Settings


def settings(folder: Path, toml: str) -> Settings:
    (folder / "ticketbot.toml").write_text(toml, encoding="utf-8")
    return load(folder=folder, environ={}, need_helpdesk=False)


def test_everything_can_be_set(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        '[policy]\nnote = "when-useful"\npreset = "tiers"\n'
        'priority = { overwrite = "bot-set" }\ngroup = { overwrite = "always" }\n'
        '[policy.escalation]\non = ["suspicious"]\ncategories = ["security"]\ngroup = 7\nraise_priority = true\n'
        '[policy.escalation.plans]\nrefund = "Ask {category}."\ncritical = ""\n'
        "[policy.tiers]\ngroups = { 1 = 81, complex = 83 }\n",
    )
    policy, escalation = found.policy, found.policy.escalation
    assert (policy.note, policy.preset) == (NoteWhen.WHEN_USEFUL, "tiers")
    assert policy.priority.overwrite is Overwrite.BOT_SET
    assert policy.group.overwrite is Overwrite.ALWAYS
    assert policy.fields.overwrite is Overwrite.NEVER
    assert (escalation.on, escalation.categories, escalation.group) == (("suspicious",), ("security",), 7)
    assert escalation.raise_priority
    assert escalation.plans == {**DEFAULT_PLANS, "refund": "Ask {category}.", "critical": ""}
    assert policy.tiers.groups == {Tier.FIRST: 81, Tier.COMPLEX: 83}
    assert found.notices == ()


@pytest.mark.parametrize(("value", "note"), [("true", NoteWhen.ALWAYS), ("false", NoteWhen.NEVER)])
def test_a_note_that_is_true_or_false_means_always_or_never(tmp_path: Path, value: str, note: NoteWhen) -> None:
    assert settings(tmp_path, f"[policy]\nnote = {value}\n").policy.note is note


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[policy]\nnote = "seldom"', "policy.note: "),
        ('[policy]\nrules_may_set = ["status"]', "policy.rules_may_set, 1st entry: "),
        ('[policy]\npreset = "x"', "policy.preset: "),
        ('[policy]\npriority = { overwrite = "yes" }', "policy.priority.overwrite: "),
        ('[policy]\ntags = { overwrite = "always" }', "policy.tags: overwrite is for priority, group and fields"),
        ('[policy.escalation]\non = ["critical", "anger"]', "policy.escalation.on, 2nd entry: "),
        ("[policy.escalation]\ngroup = 0", "policy.escalation.group: "),
        (
            '[policy.escalation]\ncategories = ["security", "secrity"]',
            "policy.escalation.categories, 2nd entry: no such category",
        ),
        ('[policy.escalation.plans]\nanger = "Go."', "policy.escalation.plans.anger: neither a category nor a reason"),
        ('[policy.escalation.plans]\ncritical = "Tell {boss}."', "policy.escalation.plans.critical: has an unknown"),
        ("[policy.tiers]\ngroups = { 3 = 1 }", "policy.tiers.groups.3"),
        ("[policy.tiers]\ngroups = { 1 = 0 }", "policy.tiers.groups.1"),
    ],
)
def test_a_mistake_is_told_by_its_setting(tmp_path: Path, toml: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(tmp_path, toml)
    (problem,) = error.value.problems
    assert problem.replace(" (ticketbot.toml, line 2)", "").startswith(told)


@pytest.mark.parametrize(
    ("helpdesk", "here"), [("zendesk", Mode.APPLY), ("local", Mode.SUGGEST), ("freshdesk", Mode.SUGGEST)]
)
def test_a_ticket_is_solved_again_only_where_a_write_is_guarded(helpdesk: Any, here: Mode) -> None:
    settings = Settings(helpdesk=helpdesk, policy=Policy(thanks_keep_solved=Mode.APPLY))
    assert settings.policy_here.thanks_keep_solved is here
