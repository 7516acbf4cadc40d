"""Measure the keyword rules on labelled data, each file in two halves: rows at even places, and those at odd places.

    python scripts/measure_rules.py DATA_DIR
    python scripts/measure_rules.py --replies       # the kinds of customers' replies, which need no files

``DATA_DIR`` holds ``*.jsonl.gz`` files: ticket sets (rows with ``subject``, ``body`` and labels that may be null), and
one with a ``label`` of ``injection`` or ``benign``. Halves show how much a figure varies; neither is blind: misses
were read in the even halves (for language and false alarms in both), and changes were kept by scores over both;
confidence was fitted on the whole files of :data:`LIKE_TICKETS`. Incidents and their look-alikes,
mails of machines and people's mail about such are this project's own (``tests/analysis/invented``,
``mails.py``). No ticket is printed, only labels and counts.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import development

from tests.analysis.invented import ALARMS, HARMLESS, half
from tests.analysis.invented import rows as reply_rows
from tests.analysis.mails import read as read_mails
from ticket_processor.analysis.rules.analyser import RulesAnalyser
from ticket_processor.analysis.rules.injection import signs_of
from ticket_processor.analysis.text.cleaning import clean
from ticket_processor.analysis.text.language import detect_language
from ticket_processor.analysis.text.redact import RedactedText, redact
from ticket_processor.core.models import Analysis, ReplyKind, Ticket
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.evaluation.scores import Scores, score
from ticket_processor.policy.reanalysis import reply_kind
from ticket_processor.policy.skip_rules import machine_mail

Row = dict[str, Any]
Answers = dict[str, list[tuple[Row, Analysis]]]

KNOWN_LANGUAGE_FROM = 40
HALVES = ("even", "odd")
SPEED_SAMPLE = 250
PRESSING = ("high", "critical")
LIKE_TICKETS = ("cfpb_complaints", "github_issues", "it_service", "tickets_german", "tickets_multilang")
"""Files whose rows are as long and as mixed as tickets are; the others hold single questions."""
LONG_FROM = ("github_issues", "tickets_multilang")
INCIDENT_TEXTS = development.ROOT / "tests" / "analysis" / "incident_texts"
NAIVE = re.compile(
    r"\b(?:urgent|asap|critical|down|outage|crash|crashes|data loss|hang|blocker|immediately|security breach|"
    r"emergency)\b",
    re.IGNORECASE,
)
"""Words that a naive tool takes for haste."""


def read(folder: Path) -> tuple[dict[str, list[Row]], list[Row]]:
    """The ticket sets by name, and the rows with injections."""
    tickets: dict[str, list[Row]] = {}
    injections: list[Row] = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        if rows and "body" in rows[0]:
            tickets[path.name.removesuffix(".jsonl.gz")] = rows
        elif rows and rows[0].get("label") in ("injection", "benign"):
            injections += rows
    return tickets, injections


def scores_of(pairs: list[tuple[Row, Analysis]], field: str) -> Scores | None:
    """The scores of one field; ``None`` where no row has a label. In three-level systems critical is high."""
    labelled = [(str(row[field]), a) for row, a in pairs if row.get(field)]
    if not labelled:
        return None
    gold = [label for label, _ in labelled]
    predicted = [str(getattr(a, "urgency" if field == "priority" else field)) for _, a in labelled]
    if field == "priority" and "critical" not in gold:
        predicted = ["high" if label == "critical" else label for label in predicted]
    return score(gold, predicted, [a.confidence for _, a in labelled] if field == "category" else None)


def print_labels(title: str, field: str, answers: Answers) -> None:
    """One table: a file per line with both halves, then the mean of the macro-F1s."""
    print(f"\n{title}: macro-F1 whole (even, odd half), accuracy; F1 per class")
    means: list[tuple[float, ...]] = []
    errors: list[float] = []
    for name, pairs in answers.items():
        whole = scores_of(pairs, field)
        if whole is None:
            continue
        halves = [found.macro_f1 for at in (0, 1) if (found := scores_of(pairs[at::2], field))]
        means.append((whole.macro_f1, *halves))
        detail = "  ".join(f"{label} {each.f1:.2f}" for label, each in sorted(whole.per_label.items()) if each.support)
        extra = ""
        if field == "priority" and "critical" in whole.per_label:
            extra = f"   recall of critical {whole.per_label['critical'].recall:.2f}"
        if field == "sentiment":
            extra = f"   recall of negative {whole.per_label['negative'].recall:.2f}"
        if field == "category":
            said = Counter(a.category for _, a in pairs).most_common(1)[0]
            extra = f"   most said: {said[0]} {said[1] / len(pairs):.0%}   ECE {whole.ece:.3f}"
            errors += [whole.ece] if name in LIKE_TICKETS else []
        parts = ", ".join(f"{value:.3f}" for value in halves)
        print(f"  {name:20} {whole.macro_f1:.3f} ({parts})  {whole.accuracy:.3f}   {detail}{extra}")
    if means:
        columns = [sum(column) / len(column) for column in zip(*means, strict=True)]
        print(f"  {'mean':20} {columns[0]:.3f} ({columns[1]:.3f}, {columns[2]:.3f})")
    if errors:
        print(f"  {'ECE, like tickets':20} {sum(errors) / len(errors):.3f} (mean of {len(errors)} files)")


def print_second(answers: Answers) -> None:
    """How often a second category is named, and what that gains."""
    print("\nSecond category: share of tickets with one, right among all named (the first alone), right when named")
    columns: list[tuple[float, ...]] = []
    for name, all_pairs in answers.items():
        pairs = [(row["category"], a) for row, a in all_pairs if row.get("category")]
        if not pairs:
            continue
        named = [(gold, a) for gold, a in pairs if a.secondary]
        first = sum(gold == a.category for gold, a in pairs) / len(pairs)
        among = sum(gold in (a.category, *a.secondary) for gold, a in pairs) / len(pairs)
        right = sum(gold in a.secondary for gold, a in named) / max(1, len(named))
        columns.append((len(named) / len(pairs), among, first, right))
        print("  {:20} {:.0%}  {:.3f} ({:.3f})  {:.2f}".format(name, *columns[-1]))
    if columns:
        means = [sum(column) / len(column) for column in zip(*columns, strict=True)]
        print("  {:20} {:.0%}  {:.3f} ({:.3f})  {:.2f}".format("mean", *means))


def print_haste(answers: Answers) -> None:
    """The highest level of each file: how often it is found, by the rules and by a list of a few English words."""
    print("\nHaste: recall of the highest level, by rules and by a naive word list (even, odd half); precision of both")
    for name, pairs in answers.items():
        labels = {row["priority"] for row, _ in pairs if row.get("priority")}
        if not labels:
            continue
        top = "critical" if "critical" in labels else "high"
        least = ("critical",) if top == "critical" else PRESSING
        rows = [
            (row["priority"] == top, str(a.urgency) in least, bool(NAIVE.search(f"{row['subject']}\n{row['body']}")))
            for row, a in pairs
            if row.get("priority")
        ]
        parts = []
        for which in (1, 2):
            recalls = [_share(row[which] for row in some if row[0]) for some in (rows, rows[::2], rows[1::2])]
            precision = _share(row[0] for row in rows if row[which])
            parts.append("{:.3f} ({:.3f}, {:.3f}) {:.2f}".format(*recalls, precision))
        print(f"  {name:20} {top:8} rules {parts[0]}   naive {parts[1]}")


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return sum(values) / max(1, len(values))


def print_tone_and_risk(answers: Answers) -> None:
    """What nobody labelled: how often the rules say it."""
    print("\nUrgent tone, negative mood and risk, share of tickets (no labels to compare with)")
    for name, pairs in answers.items():
        risks = Counter(str(a.risk) for _, a in pairs)
        shares = "  ".join(f"{risk} {risks[risk] / len(pairs):.0%}" for risk in ("low", "medium", "high"))
        tone, mood = _share(a.urgent_tone for _, a in pairs), _share(a.sentiment == "negative" for _, a in pairs)
        print(f"  {name:20} urgent tone {tone:.0%}   negative {mood:.1%}   risk: {shares}")


def print_alarms(analyser: RulesAnalyser) -> None:
    print("\nSecurity incidents and outages (own table, eight languages): recall of high or critical, false alarms")
    for at, which in enumerate(HALVES):
        for kind, texts in (("real", half(ALARMS, at)), ("alike", half(HARMLESS, at))):
            redacted = [redact(text) for _, text in texts]
            answers = [(analyser.analyse(text), analyser.stakes(text)) for text in redacted]
            named = Counter(analysis.category for analysis, _ in answers)
            print(
                f"  {which:5} {kind:6} urgency {_share(str(a.urgency) in PRESSING for a, _ in answers):.3f}  "
                f"floor {_share(stakes.incident for _, stakes in answers):.3f}  of {len(texts)}; "
                f"security {named['security']}, technical {named['technical']}"
            )


def print_long_mails(tickets: dict[str, list[Row]], analyser: RulesAnalyser) -> None:
    """Invented mails of a few lines, each before an ordinary ticket of its language; and such tickets, two by two."""
    print(
        "\nAlarms of incidents in mails of more than 120 words: own mails before an ordinary ticket; such tickets alone"
    )
    ordinary: dict[str, list[str]] = defaultdict(list)
    for row in (row for name in LONG_FROM for row in tickets.get(name, [])):
        if 70 < len(row["body"].split()) < 250 and row["native"].get("type") not in ("Incident", "Problem"):
            ordinary[row["language"]].append(row["body"])
    texts = {
        "ordinary": [
            f"{one}\n\n{each[at * 7 % len(each)]}" for each in ordinary.values() for at, one in enumerate(each)
        ]
    }
    for path in sorted(INCIDENT_TEXTS.glob("*.jsonl")):
        for at, row in enumerate(map(json.loads, path.read_text(encoding="utf-8").splitlines())):
            others = ordinary.get(detect_language(row["text"]), [])
            if others:
                kind = f"{path.stem}, {'look-alikes' if row['kind'] == 'none' else 'incidents'}"
                texts.setdefault(kind, []).append(f"{row['text']}\n\n{others[at % len(others)]}")
    for kind, mails in texts.items():
        raised = [analyser.stakes(redact(mail)).incident for mail in mails if len(mail.split()) > 120]
        print(f"  {kind:24} {_share(raised):.3f} of {len(raised)}")


def print_languages(tickets: dict[str, list[Row]]) -> None:
    print(f"\nLanguage: accuracy over {KNOWN_LANGUAGE_FROM} characters (without rows labelled hi), up to them; und")
    for name, rows in tickets.items():
        right: Counter[str] = Counter()
        total: Counter[str] = Counter()
        short: list[bool] = []
        unknown = 0
        for row in rows:
            text = f"{row['subject']}\n{row['body']}".strip()
            if not row.get("language"):
                continue
            answer = detect_language(text)
            if len(text) <= KNOWN_LANGUAGE_FROM:
                short.append(answer == row["language"])
                continue
            total[row["language"]] += 1
            right[row["language"]] += answer == row["language"]
            unknown += answer == "und"
        if not total:
            continue
        others = [language for language in total if language != "hi"]
        without = sum(right[each] for each in others) / max(1, sum(total[each] for each in others))
        brief = f"{sum(short) / len(short):.3f}" if short else "-"
        detail = (
            "  ".join(f"{each} {right[each] / total[each]:.2f}" for each in sorted(total)) if len(total) > 1 else ""
        )
        print(f"  {name:20} {right.total() / total.total():.4f} ({without:.4f})  {brief}   und {unknown}   {detail}")


def print_suspicion(tickets: dict[str, list[Row]], injections: list[Row]) -> None:
    print("\nSigns of instructions to a model: share of texts with one, by kind of text (even, odd half)")
    kinds: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for row in injections:
        kinds[row["label"], row["kind"]].append(bool(signs_of(row["text"])))
    for (label, kind), found in sorted(kinds.items()):
        halves = ", ".join(f"{sum(found[at::2]) / max(1, len(found[at::2])):.3f}" for at in (0, 1))
        print(f"  {label:9} {kind:22} {sum(found) / len(found):.3f} ({halves})  of {len(found)}")
    print("  false alarms on ordinary tickets:")
    for name, rows in tickets.items():
        hits = Counter(sign for row in rows for sign in signs_of(f"{row['subject']}\n{row['body']}"))
        texts = sum(bool(signs_of(f"{row['subject']}\n{row['body']}")) for row in rows)
        print(f"  {name:20} {texts / len(rows):.2%} of {len(rows)} {dict(hits) or ''}")


def print_machine_mail(tickets: dict[str, list[Row]]) -> None:
    hits: Counter[str] = Counter()
    seen = 0
    for rows in tickets.values():
        for row in rows:
            seen += 1
            stamp = "2026-01-01T00:00:00Z"
            subject = row["subject"] or row["body"][:80]
            mail = Ticket(id=1, subject=subject, description=row["body"], created_at=stamp, updated_at=stamp)
            hits[machine_mail(mail) or ""] += 1
    del hits[""]
    print(f"\nMachine mail: {hits.total()} hits among {seen} tickets that people wrote {dict(hits) or ''}")
    print("  own mails, headed like bounces and automatic replies: taken for a machine's (even, odd half)")
    for name in ("people", "machines"):
        found = [machine_mail(mail.ticket) is not None for mail in read_mails(name)]
        print(f"  {name:9} {sum(found)} ({sum(found[::2])}, {sum(found[1::2])}) of {len(found)}")


def print_replies() -> None:
    """Own replies in four languages: of those that got a kind, how many have it; and those that got none."""
    print("Kinds of customers' replies (own, en, de, fr, es): right of all that were said to be so (even, odd half)")
    ticket = Ticket(id=1, channel="email", created_at="2026-01-01T00:00:00Z", updated_at="2026-01-01T00:00:00Z")
    found = [(kind, reply_kind(ticket, text)) for kind, text in reply_rows("replies")]
    for kind in get_args(ReplyKind):
        halves = [[gold == kind for gold, said in found[at::2] if said == kind] for at in (0, 1)]
        each = ", ".join(f"{sum(half)} of {len(half)}" for half in halves)
        print(f"  {kind:16} {_share(halves[0] + halves[1]):.3f} ({each})")
    told = [said for gold, said in found if gold != "unclear"]
    print(f"  unclear although a person could tell: {_share(said == 'unclear' for said in told):.3f} of {len(told)}")


def print_speed(tickets: dict[str, list[Row]], analyser: RulesAnalyser) -> None:
    """Processor time, so that other work on the machine does not count."""
    rows = [row for rows in tickets.values() for row in rows[:SPEED_SAMPLE]]
    start = time.process_time()
    texts = [redact(clean(row["subject"] or "", row["body"])) for row in rows]
    middle = time.process_time()
    for text in texts:
        analyser.analyse(text)
    end = time.process_time()
    print(
        f"\nSpeed, a processor's seconds: rules alone {len(rows) / (end - middle):.0f} tickets a second, with cleaning "
        f"and redaction {len(rows) / (end - start):.0f}, on {len(rows)} tickets"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, nargs="?", help="folder with *.jsonl.gz files")
    parser.add_argument("--replies", action="store_true", help="only the kinds of customers' replies")
    given = parser.parse_args()
    if given.replies:
        print_replies()
        return
    if given.data_dir is None:
        parser.error("name the folder with the files")
    tickets, injections = read(given.data_dir)
    if not tickets:
        parser.error("no ticket files there")
    analyser = RulesAnalyser(default_taxonomy())
    texts: dict[str, list[tuple[Row, RedactedText]]] = {
        name: [(row, redact(clean(row["subject"] or "", row["body"]))) for row in rows]
        for name, rows in tickets.items()
    }
    answers = {name: [(row, analyser.analyse(text)) for row, text in pairs] for name, pairs in texts.items()}
    print_labels("Category", "category", answers)
    print_labels("Urgency", "priority", answers)
    print_labels("Sentiment", "sentiment", answers)
    print_second(answers)
    print_haste(answers)
    print_tone_and_risk(answers)
    print_alarms(analyser)
    print_long_mails(tickets, analyser)
    print_languages(tickets)
    print_suspicion(tickets, injections)
    print_machine_mail(tickets)
    print_speed(tickets, analyser)


if __name__ == "__main__":
    main()
