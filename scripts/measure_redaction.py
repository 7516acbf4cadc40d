"""Measure redaction on labelled data: what it finds, what it takes by mistake, how long it takes.

    python scripts/measure_redaction.py DATA_DIR
    python scripts/measure_redaction.py DATA_DIR --phones 2000   # only telephones, in invented sentences

``DATA_DIR`` holds ``*.jsonl.gz`` files: any with annotated ``spans`` of personal data in a ``text``, and ticket sets
with a ``body``. Prints recall and precision per type and level, and hits per kind on 3,000 bodies of ticket sets. No
example is printed, only types and counts.

Recall: annotated spans whose letters and digits are all covered; of numbers of identity and accounts, those of the
words with a digit ("account number 12435678X" is annotated with its label). Precision: replaced spans that touch an
annotation of a type which that kind may be. Plain links are measured at the strict level, which alone replaces them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import phonenumbers

from ticket_processor.analysis.text.redact import redact, replaced_spans
from ticket_processor.core.text import RedactionLevel

Row = dict[str, Any]

ONE_KIND = {
    "CREDIT_CARD": "CARD",
    "IBAN": "IBAN",
    "SSN": "SSN",
    "EMAIL": "EMAIL",
    "IP_ADDRESS": "IP",
    "URL": "URL",
    "PHONE": "PHONE",
    "PASSWORD": "SECRET",
}
NUMBERS = ("TAX_ID", "NATIONAL_ID", "PASSPORT", "DRIVER_LICENSE", "ACCOUNT_NUMBER", "ROUTING_NUMBER", "ID")
PROSE = ("ADDRESS", "ZIP_CODE", "PERSON")
ALSO_RIGHT = {
    "ADDRESS": {"ADDRESS", "ZIP_CODE", "LOCATION"},
    "BIRTH_DATE": {"DATE"},
    "NAME": {"PERSON", "TITLE"},
}
LEFT_TO_MODELS = {"PERSON", "LOCATION", "ORGANIZATION", "DATE", "TITLE", "AGE", "NRP", "ADDRESS", "ZIP_CODE"}

# Read one by one: the text itself says what these are ("password was …"), and the annotators passed them over.
NOT_ANNOTATED = {
    "EMAIL": re.compile(r"login details for system administrator $"),
    "SECRET": re.compile(r"password was '$"),
    "SSN": re.compile(r"details included SSN $"),
    "IBAN": re.compile(r"bank account IBAN '$"),
    "ACCOUNT": re.compile(r"bank account (?:information|details)[^.]{0,40}\(ACC: $"),
    "PASSPORT": re.compile(r"along with his passport number $"),
    "LICENCE": re.compile(r"driver's license number (?:DL:)?$"),
}
TICKET_SETS = ("tickets_multilang", "tickets_german", "it_service", "github_issues", "bitext_support")
BODIES = 3000
PHONES: dict[str, Any] = json.loads((Path(__file__).parent / "phone_sentences.json").read_text(encoding="utf-8"))
"""Sentences in which nothing says what kind of number stands there, and how telephone numbers are written.

By country: its language, and forms in which each X is a digit; for "+" stands the code. A number in one piece always
has its trunk prefix: without one nobody could tell it from an order number.
"""
OWN_LANGUAGE = 0.75
"""Share of sentences in the country's own language; the others are English."""


def letters_to_cover(text: str, gold: Row) -> list[int]:
    """Places of the annotation that have to be covered."""
    places = [at for at in range(gold["start"], gold["end"]) if text[at].isalnum()]
    if gold["type"] in NUMBERS:
        words = [m.span() for m in re.finditer(r"[^\s:']+", text) if re.search(r"\d", m.group())]
        places = [at for at in places if any(start <= at < end for start, end in words)]
    return places


def print_annotated(rows: list[Row]) -> None:
    """One table for each level."""
    for level in RedactionLevel:
        wanted: Counter[str] = Counter()
        found: Counter[str] = Counter()
        given: Counter[str] = Counter()
        false: Counter[str] = Counter()
        missed_by_annotators: Counter[str] = Counter()
        for row in rows:
            text = row["text"]
            spans = replaced_spans(text, level=level)
            covered = {at for start, end, _ in spans for at in range(start, end)}
            for gold in row["spans"]:
                wanted[gold["type"]] += 1
                places = letters_to_cover(text, gold)
                found[gold["type"]] += bool(places) and covered.issuperset(places)
            for start, end, kind in spans:
                given[kind] += 1
                touched = {gold["type"] for gold in row["spans"] if gold["start"] < end and start < gold["end"]}
                if touched & ALSO_RIGHT.get(kind, set()) or touched - LEFT_TO_MODELS:
                    continue
                false[kind] += 1
                before = text[max(0, start - 120) : start]
                missed_by_annotators[kind] += kind in NOT_ANNOTATED and bool(NOT_ANNOTATED[kind].search(before))
        print(f"\n{level.value}: annotated type, recall, annotated")
        for kind in (*ONE_KIND, *NUMBERS, *PROSE):
            if wanted[kind]:
                print(f"  {kind:15} {found[kind] / wanted[kind]:.3f} {wanted[kind]:5}")
        print(
            f"{level.value}: kind of placeholder, precision as annotated, not counting gaps in the annotation, replaced"
        )
        for kind in sorted(given):
            real = false[kind] - missed_by_annotators[kind]
            print(f"  {kind:15} {1 - false[kind] / given[kind]:.3f}  {1 - real / given[kind]:.3f} {given[kind]:5}")


def print_false_hits(tickets: dict[str, list[Row]]) -> None:
    """What redaction replaces in ordinary tickets, where next to nothing is personal."""
    per_set = -(-BODIES // max(1, len(tickets)))
    bodies = [row["body"] for rows in tickets.values() for row in rows[:per_set]][:BODIES]
    print(f"\n{len(bodies)} ticket bodies of {', '.join(tickets)}: tickets with a hit, hits by kind, time")
    for level in RedactionLevel:
        hits: Counter[str] = Counter()
        touched = 0
        start = time.process_time()
        for body in bodies:
            counts = redact(body, level=level).counts
            hits.update(counts)
            touched += bool(counts)
        each = 1000 * (time.process_time() - start) / max(1, len(bodies))
        print(f"  {level.value:9} {touched:4}  {dict(hits.most_common())}  {each:.2f} ms each")


class Sentence(NamedTuple):
    """A sentence, the telephone number in it, and its country."""

    text: str
    phone: str
    country: str


def sentences(count: int, seed: int = 0) -> list[Sentence]:
    """As many sentences, the countries in turn."""
    chance = random.Random(seed)
    countries = list(PHONES["countries"])
    return [_sentence(chance, countries[at % len(countries)]) for at in range(count)]


def _sentence(chance: random.Random, country: str) -> Sentence:
    own, forms = PHONES["countries"][country].values()
    language = own if chance.random() < OWN_LANGUAGE else "en"
    phone = _number(chance, country, chance.choice(forms))
    parts = {
        "order": _filled(chance, PHONES["orders"]),
        "price": _filled(chance, PHONES["prices"]),
        "date": _filled(chance, PHONES["dates"]),
        "version": ".".join(str(chance.randint(0, 30)) for _ in range(chance.randint(2, 4))),
    }
    return Sentence(chance.choice(PHONES["sentences"][language]).format(phone=phone, **parts), phone, country)


def _filled(chance: random.Random, forms: Sequence[str]) -> str:
    three = {name: chance.randint(100, 999) for name in "ab"}
    return chance.choice(forms).format(
        **three, c=chance.randint(0, 99), d=chance.randint(1, 28), m=chance.randint(1, 12), y=chance.randint(20, 29)
    )


def _number(chance: random.Random, country: str, form: str) -> str:
    """A valid number in this form, with the country's code for its plus sign, or two zeros and the code."""
    code = phonenumbers.country_code_for_region(country)
    form = form.replace("+", f"+{code}" if chance.random() < 0.7 else f"00{code}")
    while True:
        written = "".join(str(chance.randint(0, 9)) if char == "X" else char for char in form)
        read = "+" + written[2:] if written.startswith("00") else written
        if phonenumbers.is_valid_number(phonenumbers.parse(read, country)):
            return written


def print_phones(count: int, tickets: list[Row]) -> None:
    """Telephone numbers that no word tells: how many are found, and what is taken for one in ordinary tickets."""
    asked: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for sentence in sentences(count):
        start = sentence.text.index(sentence.phone)
        places = {start + at for at, char in enumerate(sentence.phone) if char.isdigit()}
        spans = replaced_spans(sentence.text)
        asked[sentence.country] += 1
        found[sentence.country] += places.issubset(at for first, end, _ in spans for at in range(first, end))
    print(f"{asked.total()} sentences without a word for a phone: recall {found.total() / asked.total():.4f}")
    print("  " + "  ".join(f"{country} {found[country] / asked[country]:.2f}" for country in asked))
    bodies = [row["body"] for row in tickets if row["body"]]
    random.Random(0).shuffle(bodies)
    bodies = bodies[:BODIES]
    hits = sum(kind == "PHONE" for body in bodies for _, _, kind in replaced_spans(body))
    print(f"taken for a phone in {len(bodies)} ticket bodies of all files: {hits}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path, help="folder with *.jsonl.gz files")
    parser.add_argument("--phones", type=int, metavar="N", help="measure telephones alone, in N invented sentences")
    asked = parser.parse_args()
    folder: Path = asked.data_dir
    tickets: dict[str, list[Row]] = {}
    annotated: list[Row] = []
    bodies: list[Row] = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        if rows and "spans" in rows[0]:
            annotated += rows
        elif rows and "body" in rows[0]:
            bodies += rows
        if name in TICKET_SETS:
            tickets[name] = rows
    if asked.phones:
        print_phones(asked.phones, bodies)
        return
    if not annotated and not tickets:
        parser.error(f"no annotated texts and no ticket sets in {folder}")
    if annotated:
        print_annotated(annotated)
    if tickets:
        print_false_hits(tickets)


if __name__ == "__main__":
    main()
