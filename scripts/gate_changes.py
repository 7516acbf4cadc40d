"""Changes of settings that harm or do no harm, in two sets: a gate was made with the first; the second is fresh."""

from __future__ import annotations

from collections.abc import Mapping

import development  # noqa: F401 - for its effect

from ticket_processor.core.taxonomy import default_taxonomy

NAMES = default_taxonomy().names


def categories(
    *without: str,
    floor: str = "",
    words: tuple[str, str] = ("", ""),
    language: str = "en",
    describe: str = "",
    more: tuple[str, str] = ("", ""),
) -> str:
    """The default categories as settings, changed in one way."""
    lines = []
    for item in default_taxonomy().categories:
        if item.name in without:
            continue
        lines += ["[[categories]]", f'name = "{item.name}"', f'description = "{describe}{item.description}"']
        if floor.partition("=")[0] == item.name:
            lines.append(f'priority_floor = "{floor.partition("=")[2]}"')
        if words[0] == item.name:
            lines.append(f"keywords = {{ {language} = [{words[1]}] }}")
        if more[0] == item.name:
            lines.append(more[1])
    return "\n".join(lines)


FIRST_BAD = {
    **{f"without {name}": categories(name) for name in NAMES if name != "general"},
    **{
        f"{name} is critical at least": categories(floor=f"{name}=critical") for name in ("billing", "order", "general")
    },
    **{
        f"everyday words mean {name}": categories(words=(name, '"the", "please", "my", "you", "your", "have"'))
        for name in ("feature_request", "security", "refund", "order")
    },
    "nothing is escalated": "[policy.escalation]\non = []",
    "security is not escalated, nor is critical": '[policy.escalation]\non = ["negative_and_urgent"]',
    "order words mean billing": categories(words=("billing", '"order", "delivery", "parcel", "package", "shipping"')),
    "error words mean account": categories(words=("account", '"error", "crash", "app", "not work", "broken", "bug"')),
    "money words mean general": categories(words=("general", '"invoice", "charged", "refund", "payment", "money"')),
    "technical is critical at least": categories(floor="technical=critical"),
}
FIRST_GOOD = {
    "no change": "",
    "the default categories, written out": categories(),
    "longer descriptions": categories(describe="Tickets about this: "),
    "no note": '[policy]\nnote = "never"',
    "a note when useful": '[policy]\nnote = "when-useful"',
    **{f"review below {value}": f"[policy]\nreview_below = {value}" for value in (0.3, 0.4, 0.6, 0.7)},
    **{f"labels from {value}": f"[policy.tags]\nthreshold = {value}" for value in (0.3, 0.4, 0.5, 0.6)},
    "priority is only suggested": '[policy.priority]\nmode = "suggest"',
    "escalated is high at least": "[policy.escalation]\nraise_priority = true",
    "suspicious is escalated too": (
        '[policy.escalation]\non = ["critical", "high_risk", "security", "negative_and_urgent", "suspicious"]'
    ),
    "tiers": '[policy]\npreset = "tiers"',
    "second categories": "[policy]\ntag_secondary = true",
    "a rare product word means technical": categories(words=("technical", '"zorbl sync"')),
    "security is high at least": categories(floor="security=high"),
}
FRESH_BAD = {
    **{f"{name} is the fallback": f'fallback_category = "{name}"' for name in ("technical", "billing", "order")},
    **{
        f"{name} is high at least": categories(floor=f"{name}=high")
        for name in ("billing", "order", "feature_request", "general")
    },
    "without refund and order": categories("refund", "order"),
    "without account and security": categories("account", "security"),
    "everyday words mean account": categories(words=("account", '"the", "and", "for", "with", "this"')),
    "everyday words mean billing": categories(words=("billing", '"is", "not", "can", "it", "we"')),
    "German everyday words mean order": categories(words=("order", '"ich", "die", "und", "bitte"'), language="de"),
    "return words mean order": categories(words=("order", '"refund", "return", "money back", "exchange"')),
    "login words mean technical": categories(words=("technical", '"password", "log in", "login", "account"')),
    "theft words mean account": categories(words=("account", '"fraud", "stolen", "hacked", "phishing", "card"')),
    "wish words mean technical": categories(words=("technical", '"feature", "would be", "wish", "suggestion"')),
    "contract words mean feature_request": categories(
        words=("feature_request", '"subscription", "plan", "invoice", "upgrade"')
    ),
    "delivery words mean general": categories(words=("general", '"delivery", "tracking", "shipped", "parcel"')),
    "only suspicious is escalated": '[policy.escalation]\non = ["suspicious"]',
    "only high risk is escalated": '[policy.escalation]\non = ["high_risk"]',
}
FRESH_GOOD = {
    **{f"labels from {value}": f"[policy.tags]\nthreshold = {value}" for value in (0.2, 0.35, 0.45, 0.7)},
    **{f"review below {value}": f"[policy]\nreview_below = {value}" for value in (0.2, 0.45, 0.55, 0.8)},
    "groups are only suggested": '[policy.group]\nmode = "suggest"',
    "other tags": '[policy]\ntag_prefix = "bot_"',
    "urgent by a model": "[policy]\nmodel_may_set_urgent = true",
    "our own priorities are replaced": '[policy.priority]\noverwrite = "bot-set"',
    "a group for billing": categories(more=("billing", "group = 42")),
    "one more tag for refunds": categories(more=("refund", 'tag = "money_back"')),
    "general only when sure": categories(more=("general", "threshold = 0.6")),
    "invoice words mean billing": categories(words=("billing", '"invoice", "direct debit"')),
    "return words mean refund": categories(words=("refund", '"refund", "money back"')),
    "tracking words mean order": categories(words=("order", '"tracking number", "courier"')),
    "password words mean account": categories(words=("account", '"password", "verification code"')),
    "phishing words mean security": categories(words=("security", '"phishing", "malware"')),
}
SETS: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "first": (FIRST_BAD, FIRST_GOOD),
    "fresh": (FRESH_BAD, FRESH_GOOD),
}
"""By name, the changes that harm and those that do not."""
