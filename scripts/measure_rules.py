"""Measure the text-understanding modules on labelled data.

    python scripts/measure_rules.py DATA_DIR

``DATA_DIR`` holds ``*.jsonl.gz`` files: ticket sets (rows with ``subject``, ``body`` and labels that may be null), and
any with annotated ``spans`` of personal data. Prints macro-F1 per file, language accuracy, redaction recall and
precision per type, machine-mail hits and speed. Scores are computed here, in plain Python.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from ticket_processor.cleaning import clean
from ticket_processor.language import detect_language
from ticket_processor.machine_mail import machine_mail
from ticket_processor.models import Analysis, Ticket
from ticket_processor.redact import RedactedText, redact, replaced_spans
from ticket_processor.rules import RulesAnalyser
from ticket_processor.taxonomy import default_taxonomy

Row = dict[str, Any]

KINDS = {
    "CREDIT_CARD": "CARD",
    "PHONE": "PHONE",
    "EMAIL": "EMAIL",
    "IBAN": "IBAN",
    "SSN": "SSN",
    "IP_ADDRESS": "IP",
    "URL": "URL",
    "PASSWORD": "SECRET",
}
LEFT_TO_MODELS = {
    "PERSON",
    "LOCATION",
    "ORGANIZATION",
    "DATE",
    "TITLE",
    "AGE",
    "NRP",
    "ADDRESS",
    "ZIP_CODE",
}
KNOWN_LANGUAGE_FROM = 40


def macro_f1(gold: list[str], predicted: list[str]) -> tuple[float, dict[str, float]]:
    """Mean F1 over the classes present in ``gold``, and the F1 of each."""
    scores: dict[str, float] = {}
    for label in sorted(set(gold)):
        both = sum(g == p == label for g, p in zip(gold, predicted, strict=True))
        scores[label] = 2 * both / (gold.count(label) + predicted.count(label))
    return sum(scores.values()) / len(scores), scores


def print_labels(title: str, field: str, answers: dict[str, list[tuple[Row, Analysis]]]) -> None:
    """One table: a file per line, then the mean of the macro-F1s."""
    print(f"\n{title}: macro-F1 / accuracy (F1 per class)")
    means = []
    for name, pairs in answers.items():
        labelled = [(row[field], a) for row, a in pairs if row.get(field)]
        if not labelled:
            continue
        gold = [label for label, _ in labelled]
        attribute = "urgency" if field == "priority" else field
        predicted = [str(getattr(a, attribute)) for _, a in labelled]
        if field == "priority" and "critical" not in gold:
            predicted = ["high" if label == "critical" else label for label in predicted]
        mean, scores = macro_f1(gold, predicted)
        right = sum(g == p for g, p in zip(gold, predicted, strict=True)) / len(gold)
        means.append(mean)
        detail = "  ".join(f"{label} {score:.2f}" for label, score in scores.items())
        print(f"  {name:20} {mean:.3f} / {right:.3f}   {detail}")
    print(f"  {'mean':20} {sum(means) / max(1, len(means)):.3f}")


def print_confidence(answers: dict[str, list[tuple[Row, Analysis]]]) -> None:
    """How often the category is right, by stated confidence."""
    bins: dict[int, list[bool]] = defaultdict(list)
    for pairs in answers.values():
        for row, a in pairs:
            if row.get("category"):
                bins[int(a.confidence * 10)].append(a.category == row["category"])
    print("\nConfidence: share of right categories")
    for tenth, right in sorted(bins.items()):
        print(f"  {tenth / 10:.1f} to {tenth / 10 + 0.1:.1f}   {sum(right) / len(right):.2f}   of {len(right)}")


def print_languages(tickets: dict[str, list[Row]]) -> None:
    print(f"\nLanguage: accuracy on texts of more than {KNOWN_LANGUAGE_FROM} characters; und = no answer given")
    for name, rows in tickets.items():
        languages = {row["language"] for row in rows if row.get("language")}
        if len(languages) < 2:
            continue
        right: Counter[str] = Counter()
        total: Counter[str] = Counter()
        unknown = 0
        for row in rows:
            text = f"{row['subject']}\n{row['body']}".strip()
            if row.get("language") and len(text) > KNOWN_LANGUAGE_FROM:
                answer = detect_language(text)
                total[row["language"]] += 1
                right[row["language"]] += answer == row["language"]
                unknown += answer == "und"
        detail = "  ".join(f"{language} {right[language] / total[language]:.2f}" for language in sorted(total))
        print(f"  {name:20} {right.total() / total.total():.3f}   und {unknown}   {detail}")


def print_redaction(rows: list[Row]) -> None:
    """Recall: an annotated span whose letters and digits are all covered. Precision: spans that touch personal data."""
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    given: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for row in rows:
        spans = replaced_spans(row["text"], every_url=True)
        covered = {at for start, end, _ in spans for at in range(start, end)}
        for gold in row["spans"]:
            kind = KINDS.get(gold["type"])
            if kind:
                wanted[kind] += 1
                letters = [at for at in range(gold["start"], gold["end"]) if row["text"][at].isalnum()]
                found[kind] += covered.issuperset(letters)
        for start, end, kind in spans:
            given[kind] += 1
            false[kind] += not any(
                gold["start"] < end and start < gold["end"] and gold["type"] not in LEFT_TO_MODELS
                for gold in row["spans"]
            )
    print("\nRedaction (every_url=True): recall, precision, annotated, false")
    for kind in sorted(wanted):
        recall = found[kind] / wanted[kind]
        precision = 1 - false[kind] / max(1, given[kind])
        print(f"  {kind:8} {recall:.3f}  {precision:.3f}  {wanted[kind]:4}  {false[kind]}")


def print_false_hits(tickets: dict[str, list[Row]], per_file: int = 334) -> None:
    """What redaction replaces in ordinary tickets, where next to nothing is personal."""
    hits: Counter[str] = Counter()
    bodies = [row["body"] for rows in tickets.values() for row in rows[:per_file]]
    start = time.perf_counter()
    for body in bodies:
        hits.update(redact(body).counts)
    seconds = time.perf_counter() - start
    print(f"\nRedaction of {len(bodies)} ticket bodies: {dict(hits)}, {1000 * seconds / len(bodies):.2f} ms each")


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
    print(f"\nMachine mail: {hits.total()} hits among {seen} tickets that people wrote {dict(hits)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, help="folder with *.jsonl.gz files")
    folder: Path = parser.parse_args().data_dir
    tickets: dict[str, list[Row]] = {}
    pii: list[Row] = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        if rows and "spans" in rows[0]:
            pii += rows
        elif rows and "body" in rows[0]:
            tickets[path.name.removesuffix(".jsonl.gz")] = rows
    if not tickets and not pii:
        parser.error(f"no ticket files in {folder}")

    analyser = RulesAnalyser(default_taxonomy())
    texts: dict[str, list[tuple[Row, RedactedText]]] = {
        name: [(row, redact(clean(row["subject"] or "", row["body"]))) for row in rows]
        for name, rows in tickets.items()
    }
    start = time.perf_counter()
    answers = {name: [(row, analyser.analyse(text)) for row, text in pairs] for name, pairs in texts.items()}
    seconds = time.perf_counter() - start
    count = sum(map(len, answers.values()))

    print_labels("Category", "category", answers)
    print_labels("Urgency", "priority", answers)
    print_labels("Sentiment", "sentiment", answers)
    print_confidence(answers)
    print_languages(tickets)
    if pii:
        print_redaction(pii)
    print_false_hits(tickets)
    print_machine_mail(tickets)
    print(f"\nRules: {count / seconds:.0f} tickets a second on one core, {count} tickets")


if __name__ == "__main__":
    main()
