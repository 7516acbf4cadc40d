"""Everything that the doctor says: which rules would mail customers or fight us, and what else is not as it should be.

Pure: the account comes as plain data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

from ...core.models import Frozen
from ...core.sanitize import plain_line
from ...core.taxonomy import Taxonomy
from ...helpdesk.business_rules import AccountSetup, BusinessRule, RuleAction, RuleCondition
from ...policy.decide import Policy
from ...policy.taxonomy_check import check_labels
from .conditions import Truth, holds
from .effects import SEVERITIES, Severity, effects, fights
from .possible import TAG_ACTIONS, PossibleWrite, TooManyCases, possible_writes, removed_tags
from .triggers import SetOff, set_off, together
from .writes import PlannedWrites

FEW = 5
"""As many names stand in one sentence."""
_VISIBLE = ("customer", "status")


class SetupFinding(Frozen):
    """One thing about the account: which rule, what will happen, what to do.

    A conflict mails customers or fights us.
    """

    severity: Severity
    kind: str
    rule: str
    rule_kind: str = ""
    rule_id: str = ""
    text: str
    advice: str
    customers_see: bool = False


def examine(
    setup: AccountSetup, planned: PlannedWrites, policy: Policy, taxonomy: Taxonomy, *, before_first_run: bool = False
) -> list[SetupFinding]:
    """All findings, conflicts first."""
    works = set_off(setup, planned)
    of_rules = [finding for each in works for finding in _of_rule(each, setup, planned)]
    found = [
        *of_rules,
        *_same_tags(setup, planned, {finding.rule_id for finding in of_rules if finding.kind == "fight"}),
        *_quarrels(works, planned, setup.own_user),
        *_postponed(setup, planned),
        *_macros(setup, planned),
        *_views(setup, planned),
        *_targets(setup, planned),
        *_labels(setup, planned, policy, taxonomy),
        *(_marked(setup, planned) if before_first_run else ()),
    ]
    return sorted(dict.fromkeys(found), key=lambda finding: SEVERITIES.index(finding.severity))


def _of_rule(works: SetOff, setup: AccountSetup, planned: PlannedWrites) -> Iterator[SetupFinding]:
    rule, when = works.rule, _when(works, planned)
    said = False
    for action in rule.actions:
        for effect in effects(rule, action, planned.marker, setup.our_webhooks) if works.caused else ():
            if effect.kind == "status" and works.cases and not any(_moves_status(action, case) for case in works.cases):
                continue
            said = True
            yield _finding(
                rule, effect.severity, effect.kind, f"{effect.text} {when}", effect.advice, effect.kind in _VISIBLE
            )
        fight = next(filter(None, (fights(action, case) for case in works.cases)), None)
        if fight is not None:
            said = True
            advice = f"take that action out, or add the condition that the tags contain none of: {planned.marker}"
            severity: Severity = "conflict" if rule.kind == "trigger" else "warning"
            yield _finding(rule, severity, "fight", f"{fight} {when}", advice)
    if rule.kind == "trigger" and works.always and not said and not _asks(rule):
        text = "works on every update, and so on each of our writes"
        yield _finding(rule, "advice", "every_update", text, "give it a condition on what it is meant for")


def _moves_status(action: RuleAction, case: PossibleWrite) -> bool:
    return case.update.values["status"][1] != action.values[0]


def _asks(rule: BusinessRule) -> bool:
    return any(condition.field != "update_type" for condition in rule.conditions.conditions())


def _when(works: SetOff, planned: PlannedWrites) -> str:
    """In which cases, as the end of a sentence."""
    asked = {word for item in works.rule.conditions.conditions() if item.field == "current_tags" for word in item.words}
    tags = sorted(asked & frozenset().union(*(case.ours for case in works.cases)) - {planned.marker})
    priorities = {case.update.values["priority"][1] if "priority" in case.sets else "" for case in works.cases}
    if works.rule.kind == "automation":
        words = "later, because of what we wrote" if works.caused else "later"
    elif works.always:
        words = "on every write of ours"
    elif tags and all(case.ours & set(tags) for case in works.cases):
        words = f"when we write {_names(tags)}"
    elif priorities and "" not in priorities:
        words = f"when we set the priority to {' or '.join(sorted(priorities))}"
    else:
        words = "on some of our writes, as the ticket may be"
    if works.after:
        words += f", after {_names([_quoted(rule) for rule in works.after])}"
    if works.unknown:
        words += f"; perhaps, for its condition on {_names(works.unknown)} is not known here"
    return words


def _same_tags(setup: AccountSetup, planned: PlannedWrites, fighting: Collection[str]) -> Iterator[SetupFinding]:
    """Rules that set or remove our tags, whenever they work; ``fighting`` are those of which it is said already."""
    for rule in setup.of("trigger", "automation"):
        for action in rule.actions:
            ours = planned.tags & action.words if action.field in TAG_ACTIONS else frozenset()
            if planned.marker in ours:
                gone = action.field == "remove_tags"
                text = (
                    f"takes off {planned.marker}: the ticket looks as if we had never seen it"
                    if gone
                    else f"sets {planned.marker}: its tickets count as done, and are never triaged"
                )
                yield _finding(rule, "conflict", "marker", text, "take that action out, or set policy.tag_prefix")
            elif ours and action.field != "remove_tags":
                text = f"sets {_names(sorted(ours))}, which we set as well: nobody can tell who it was"
                yield _finding(rule, "warning", "same_tags", text, "use another tag, or set policy.tag_prefix")
            elif ours and rule.id not in fighting:
                text = f"takes off {_names(sorted(ours))} when its conditions hold"
                yield _finding(rule, "warning", "same_tags", text, "make sure that this is meant to be")


def _quarrels(works: Sequence[SetOff], planned: PlannedWrites, user: str | None) -> Iterator[SetupFinding]:
    """Two triggers that our write sets off, and that want different things."""
    triggers = [each.rule for each in works if each.rule.kind == "trigger"]
    for first, second in combinations(triggers, 2):
        over = next(filter(None, (_over(one, two) for one in first.actions for two in second.actions)), None)
        if over is not None and together(planned, first, second, user):
            text = f"and {_quoted(second)} ({second.id}) want different things of {over} on one write of ours"
            yield _finding(first, "warning", "quarrel", text, "give one of them a condition that leaves the other out")


def _over(one: RuleAction, two: RuleAction) -> str | None:
    if {one.field, two.field} == {"current_tags", "remove_tags"}:
        return f"the tag {sorted(one.words & two.words)[0]}" if one.words & two.words else None
    single = ("status", "priority", "group_id", "assignee_id", "type")
    fits = one.field == two.field and (one.field in single or one.field.startswith("custom_fields_"))
    return one.field.replace("_id", "") if fits and one.values != two.values else None


def _postponed(setup: AccountSetup, planned: PlannedWrites) -> Iterator[SetupFinding]:
    """Automations on tickets that we write to, and that wait for hours without an update: ours is one."""
    for rule in setup.of("automation"):
        waits = any(condition.field == "updated_at" for condition in rule.conditions.conditions())
        if waits and any(_may_hold(rule, case) for case in _cases(rule, setup, planned)):
            text = "counts the hours since the last update: our write starts them anew"
            yield _finding(rule, "advice", "postponed", text, "count from another event, if that matters")


def _macros(setup: AccountSetup, planned: PlannedWrites) -> Iterator[SetupFinding]:
    fields = planned.sets - {"priority", "group_id"}
    for rule in setup.of("macro"):
        for action in rule.actions:
            ours = sorted(planned.tags & action.words) if action.field in TAG_ACTIONS else []
            if ours and action.field != "remove_tags":
                yield _finding(
                    rule, "warning", "same_tags", f"sets {_names(ours)}, as we do", "use another tag in the macro"
                )
            elif ours or (action.field == "set_tags" and removed_tags(action, planned.tags)):
                what = _names(ours) if ours else "all tags, ours with them"
                yield _finding(rule, "warning", "same_tags", f"takes off {what}", "let the macro add tags instead")
            if action.field in fields:
                text = "fills a ticket field that we fill as well"
                yield _finding(rule, "advice", "same_field", text, "make sure that both use the same values")


def _views(setup: AccountSetup, planned: PlannedWrites) -> Iterator[SetupFinding]:
    asked: set[str] = set()
    for rule in setup.of("trigger", "automation", "view"):
        asked |= {word for item in rule.conditions.conditions() for word in item.words if item.field == "current_tags"}
    for view in setup.of("view"):
        if not any(_is_ours(item, planned) for item in view.conditions.conditions()):
            continue
        cases = _cases(view, setup, planned)
        if any(_leaves(view, case) for case in cases):
            text = "loses tickets as we write to them"
            yield _finding(view, "advice", "view", text, "tell those who work from it")
        elif any(_enters(view, case) for case in cases):
            yield _finding(view, "advice", "view", "shows tickets by what we write", "nothing")
    unused = sorted(planned.tags - asked)
    if setup.of("view") and not asked & planned.tags:
        text = f"no view, trigger or automation asks for any of our {len(unused)} tags"
        advice = f"make a view, such as of tickets tagged {planned.marker}, so that somebody sees them"
        yield SetupFinding(severity="advice", kind="unused_tags", rule="-", text=text, advice=advice)


def _cases(rule: BusinessRule, setup: AccountSetup, planned: PlannedWrites) -> list[PossibleWrite]:
    """The rule's cases; none where they are too many, since nothing here may be said without them."""
    try:
        return list(possible_writes(planned, [rule], setup.own_user))
    except TooManyCases:
        return []


def _may_hold(rule: BusinessRule, case: PossibleWrite) -> bool:
    return holds(rule.conditions, case.update) is not Truth.NO


def _is_ours(condition: RuleCondition, planned: PlannedWrites) -> bool:
    return (
        bool(condition.words & planned.tags) if condition.field == "current_tags" else condition.field in planned.sets
    )


def _leaves(view: BusinessRule, case: PossibleWrite) -> bool:
    return holds(view.conditions, case.before) is not Truth.NO and not _may_hold(view, case)


def _enters(view: BusinessRule, case: PossibleWrite) -> bool:
    return holds(view.conditions, case.before) is Truth.NO and _may_hold(view, case)


def _targets(setup: AccountSetup, planned: PlannedWrites) -> Iterator[SetupFinding]:
    """SLA policies whose targets begin to count as soon as a ticket has a priority."""
    given = {write.priority for write in planned.writes if write.priority}
    for rule in setup.of("SLA policy"):
        named = {word for action in rule.actions if action.field == "target_of_priority" for word in action.values}
        if named & given:
            text = f"starts targets for the priorities that we set ({_names(sorted(named & given))})"
            yield _finding(
                rule, "advice", "sla", text, 'nothing, if that is wanted; otherwise policy.priority mode = "suggest"'
            )


def _labels(setup: AccountSetup, planned: PlannedWrites, policy: Policy, taxonomy: Taxonomy) -> Iterator[SetupFinding]:
    """Groups, fields and values of the categories that are not there, fields that nobody fills, and required ones."""
    for finding in check_labels(taxonomy, policy, setup.labels):
        if finding.severity == "problem":
            yield SetupFinding(
                severity="warning",
                kind="target",
                rule=finding.category or "-",
                text=finding.text,
                advice="correct the settings; see 'ticketbot taxonomy check'",
            )
    own = [field for field in setup.labels.fields if field.active and not field.system]
    empty = [field for field in own if field.id not in setup.filled and f"custom_fields_{field.id}" not in planned.sets]
    if empty and setup.sampled:
        names = _names([f"'{plain_line(field.title, 60)}' ({field.id})" for field in empty])
        text = f"none of the newest {setup.sampled} tickets has a value in {names}"
        advice = "let a category fill them ([[categories]] fields), or retire them"
        yield SetupFinding(severity="advice", kind="empty_field", rule="-", text=text, advice=advice)
    needed = [field for field in own if field.required]
    if needed and planned.solves:
        names = _names([f"'{plain_line(field.title, 60)}' ({field.id})" for field in needed])
        text = f"a run that sets tickets to solved is refused where {names} is empty, which is required"
        advice = "let the categories fill it, or switch off replies.public.then and policy.thanks_keep_solved"
        yield SetupFinding(severity="warning", kind="required_field", rule="-", text=text, advice=advice)


def _marked(setup: AccountSetup, planned: PlannedWrites) -> Iterator[SetupFinding]:
    """Tickets that carry the marker though we have never run here."""
    number = (setup.labels.tags or {}).get(planned.marker, 0)
    if number:
        text = f"tickets that carry {planned.marker} already: {number}; they count as done, and are never triaged"
        advice = "if no run of ticketbot set it, choose another policy.tag_prefix"
        yield SetupFinding(severity="warning", kind="marker", rule="-", text=text, advice=advice)


def _finding(
    rule: BusinessRule, severity: Severity, kind: str, text: str, advice: str, customers_see: bool = False
) -> SetupFinding:
    return SetupFinding(
        severity=severity,
        kind=kind,
        rule=plain_line(rule.title, 80),
        rule_kind=rule.kind,
        rule_id=rule.id,
        text=text,
        advice=advice,
        customers_see=customers_see,
    )


def _quoted(rule: BusinessRule) -> str:
    return f"'{plain_line(rule.title, 80)}'"


def _names(names: Sequence[str]) -> str:
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")
