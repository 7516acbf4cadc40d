"""How many planted contradictions ``kb doctor`` finds, how many harmless look-alikes it reports, and how long it takes.

    python scripts/measure_doctor.py CORPUS            # articles as JSON lines, plain or gzip, as `kb eval --corpus`
    python scripts/measure_doctor.py CORPUS --show 50  # and that many reports on the untouched articles, to be judged
    python scripts/measure_doctor.py --size 20000      # time on invented articles, beside a quarter of them

A planted contradiction is a sentence with a figure, copied from one article into another with that figure changed.
Half are also reworded by fixed rules: clauses change places, frame words become their synonyms. Half begin with what
the first article's title names. A look-alike is the same sentence about another product, with the same figure spelled
otherwise, or with a range that holds it.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ticket_processor.knowledge.doctor import every_passage  # noqa: E402
from ticket_processor.knowledge.model import Article  # noqa: E402
from ticket_processor.knowledge.questions import read_articles  # noqa: E402
from ticket_processor.knowledge.store import KnowledgeStore  # noqa: E402
from ticket_processor.replies.contradictions import Contradiction, contradictions  # noqa: E402

PLANTS = 50
FEWEST_WORDS, MOST_WORDS = 9, 45
SPAN = r"(?:business |working |calendar )?(?:minute|hour|day|week|month|year)s?"
FIGURE = re.compile(
    r"\$(?P<usd>\d[\d,]*(?:\.\d\d)?)(?![.\d]*\d)|(?<![\w.,$#-])(?P<share>\d+(?:\.\d+)?)%"
    rf"|(?<![\w.,$#-])(?P<span>\d+)[ -](?P<unit>{SPAN})\b"
    r"|(?<![\w.,$#-])(?P<count>\d+) (?P<thing>[a-z]{4,}s)\b"
)
SYNONYMS = {
    "fee": "charge", "must": "have to", "receive": "get", "purchase": "buy", "within": "in",
    "minimum": "least possible", "maximum": "highest possible", "up to": "no more than", "per": "each",
    "require": "ask for", "requires": "asks for", "available": "on offer", "customers": "clients",
    "employees": "staff members", "provide": "give", "request": "ask for", "approximately": "about", "begin": "start",
    "submit": "send in", "complete": "finish", "additional": "extra", "ensure": "make sure",
    "contact": "get in touch with", "prior to": "before", "at least": "no less than", "every": "each",
    "obtain": "get", "assistance": "help", "allowed": "permitted", "limited to": "restricted to", "ends": "closes",
    "earn": "collect", "eligible": "entitled", "typically": "as a rule", "exceed": "go beyond", "annual": "yearly",
    "after": "following", "may": "can",
}  # fmt: skip
"""Frame words and what else says the same, from a thesaurus."""
TIERS = "Gold Silver Platinum Basic Premium Business Student Enterprise Starter Professional".split()
SPELLED = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}
COMMON = frozenset(
    "a about an and are at by for from guide how in into is of on or our the to understanding with your".split()
)


@dataclass(frozen=True)
class Plant:
    """A sentence in one article, and its changed copy, which is put into another."""

    kind: str
    article: str
    sentence: str
    host: str
    copy: str


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, metavar="N")
    parser.add_argument("--missed", action="store_true", help="show what was not found, and reported look-alikes")
    parser.add_argument("--size", type=int)
    options = parser.parse_args()
    if options.size:
        measure_speed(options.size)
    if options.corpus:
        measure(options.corpus, options.seed, options.show, missed=options.missed)
    return 0


def measure(corpus: Path, seed: int, show: int, *, missed: bool) -> None:
    """Print what is found of the plants and of the look-alikes, and what is reported on the untouched articles."""
    articles = list(read_articles(corpus))
    rng = random.Random(seed)
    sentences = [item for article in articles for item in policy_sentences(article)]
    counts = Counter(sentence for _, sentence in sentences)
    sentences = [(article, sentence) for article, sentence in sentences if counts[sentence] == 1]
    print(f"{corpus.parent.name}: {len(articles)} articles, {len(sentences)} policy sentences", flush=True)
    for name, kinds in (("contradictions", CONTRADICTIONS), ("look-alikes", LOOK_ALIKES)):
        plants = planted(articles, sentences, kinds, rng)
        found = examined(with_plants(articles, plants))
        hits = [plant for plant in plants if any(reports(item, plant) for item in found)]
        kinds_found = {
            kind: f"{sum(plant.kind == kind for plant in hits)}/{sum(plant.kind == kind for plant in plants)}"
            for kind in sorted({plant.kind for plant in plants})
        }
        print(f"{name} reported: {len(hits)} of {len(plants)} {kinds_found}", flush=True)
        if missed:
            for plant in plants:
                if (plant in hits) == (name == "look-alikes"):
                    print(f"  {plant.kind}: {plant.article} > {plant.host}\n    {plant.sentence}\n    {plant.copy}")
    found = examined(articles)
    print(f"reports on the untouched articles: {len(found)}, {100 * len(found) / len(articles):.1f} for 100 articles")
    for number, item in enumerate(random.Random(seed).sample(found, min(show, len(found))), 1):
        print(f"{number}.")
        for side in (item.first, item.second):
            print(f"   [{side.article_id} | {side.title} | {side.heading}] {side.sentence}")


def policy_sentences(article: Article) -> Iterator[tuple[Article, str]]:
    """Sentences that state a figure, and name something of what the article's title names."""
    named = {stem(word) for word in words(article.title)} - COMMON
    example = False
    for line in article.body_text.splitlines():
        if line.startswith("#"):
            example = "example" in line.lower()
        if example or line.startswith(("#", "|", "`", "    ")):
            continue
        for sentence in re.split(r"(?<=[.!?])\s+", line.lstrip("-*• ").strip()):
            told = words(sentence)
            if (
                FEWEST_WORDS <= len(told) <= MOST_WORDS
                and sentence.endswith(".")
                and FIGURE.search(sentence)
                and not {"example", "examples", "suppose"} & {*told}
                and named & {stem(word) for word in told}
            ):
                yield article, sentence


def words(text: str) -> list[str]:
    """The words of a text."""
    return re.findall(r"[a-z0-9]+", text.lower())


def stem(word: str) -> str:
    """A word without its end."""
    return word.rstrip("s")[:6]


def planted(
    articles: Sequence[Article],
    sentences: Sequence[tuple[Article, str]],
    kinds: Sequence[tuple[str, Callable[[str, random.Random], str | None]]],
    rng: random.Random,
) -> list[Plant]:
    """Fifty copies, each of another sentence, their kinds in turn."""
    plants: list[Plant] = []
    for article, sentence in rng.sample(list(sentences), len(sentences)):
        kind, change = kinds[len(plants) % len(kinds)]
        copy = change(sentence, rng)
        host = rng.choice(articles)
        if copy and "named" in kind:
            copy = f"{re.split('[:–—]', article.title)[0].strip()}: {copy}"
        if copy and copy != sentence and host.id != article.id:
            plants.append(Plant(kind, article.id, sentence, host.id, copy))
        if len(plants) == PLANTS:
            break
    return plants


def with_plants(articles: Sequence[Article], plants: Sequence[Plant]) -> list[Article]:
    """The articles, with the copies as paragraphs at their ends."""
    added: dict[str, list[str]] = {}
    for plant in plants:
        added.setdefault(plant.host, []).append(plant.copy)
    return [
        replace(article, body_text="\n\n".join((article.body_text, *added.get(article.id, ())))) for article in articles
    ]


def reports(item: Contradiction, plant: Plant) -> bool:
    """Whether a report shows the plant's copy beside what it was copied from."""
    sides = (item.first, item.second)
    return any(
        (here.article_id, there.article_id) == (plant.host, plant.article)
        and same(here.sentence, plant.copy)
        and same(there.sentence, plant.sentence)
        for here, there in (sides, sides[::-1])
    )


def same(one: str, other: str) -> bool:
    """Whether one sentence is in the other, but for spaces and marks."""
    shown, whole = " ".join(words(one)), " ".join(words(other))
    return shown in whole or whole in shown


def examined(articles: Sequence[Article]) -> list[Contradiction]:
    """What the doctor reports."""
    store = KnowledgeStore(None)
    store.put((article, "") for article in articles)
    return contradictions(every_passage(store))


# What is planted


def changed(sentence: str, rng: random.Random) -> str | None:
    """The sentence with one figure made clearly another one."""
    places = list(FIGURE.finditer(sentence))
    place = rng.choice(places)
    group = next(name for name in ("usd", "share", "span", "count") if place[name])
    before = float(place[group].replace(",", ""))
    after = before * rng.choice((0.5, 1.5, 2, 3, 4))
    written = f"{after:,.2f}" if "." in place[group] else f"{round(after):,}" if after >= 1 else "5"
    if float(written.replace(",", "")) == before:
        return None
    return sentence[: place.start(group)] + written + sentence[place.end(group) :]


def reworded(sentence: str, rng: random.Random) -> str | None:
    """The same, with its clauses in another order and other frame words."""
    text = changed(sentence, rng)
    if text is None:
        return None
    for word, other in SYNONYMS.items():
        text = re.sub(rf"\b{word}\b", other, text)
        text = re.sub(rf"\b{word.capitalize()}\b", other.capitalize(), text)
    front = re.match(r"((?:If|When|For|After|Once|As|To|In|Following) [^,]{5,80}), (.+)\.$", text)
    back = re.match(r"(.{20,}?),? ((?:if|when|for|once|following|unless|while) [^,]{8,})\.$", text)
    if front:
        text = f"{front[2][0].upper()}{front[2][1:]} {front[1][0].lower()}{front[1][1:]}."
    elif back:
        text = f"{back[2][0].upper()}{back[2][1:]}, {back[1][0].lower()}{back[1][1:]}."
    return text


def other_product(sentence: str, rng: random.Random) -> str | None:
    """The sentence with another figure, about something else of the same kind."""
    text = changed(sentence, rng)
    names = [*re.finditer(r"(?<=[a-z,] )[A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)*", text or "")]
    if text is None:
        return None
    if names:
        name = rng.choice(names)[0]
        return text.replace(name, f"{rng.choice([tier for tier in TIERS if tier not in name])} {name.split()[-1]} Plan")
    return f"On the {rng.choice(TIERS)} plan, {text[0].lower()}{text[1:]}"


def other_spelling(sentence: str, _rng: random.Random) -> str | None:
    """The sentence with the same figure, written in another way."""

    def respelled(place: re.Match[str]) -> str:
        if place["usd"]:
            return f"{place['usd'].replace(',', '')} dollars"
        if place["share"]:
            return f"{place['share']} percent"
        number = int(place["span"] or place["count"])
        of = place["unit"] or place["thing"]
        in_smaller = {"day": (24, "hours"), "week": (7, "days"), "hour": (60, "minutes"), "year": (12, "months")}
        factor, unit = in_smaller.get(of.rstrip("s"), (0, ""))
        if factor and number < 10:
            return f"{number * factor} {unit}"
        return f"{SPELLED[number]} {of}" if number in SPELLED else place[0]

    return FIGURE.sub(respelled, sentence)


def wider(sentence: str, rng: random.Random) -> str | None:
    """The sentence with a range that holds its figure."""
    place = rng.choice(list(FIGURE.finditer(sentence)))
    if re.search(r"(?:\bto|\bbetween|-|–|\band) ?$", sentence[: place.start()]) or re.match(
        r" ?(?:to|and|-|–) ?\$?\d", sentence[place.end() :]
    ):
        return None
    sign = "$" if place["usd"] else ""
    group = next(name for name in ("usd", "share", "span", "count") if place[name])
    value = float(place[group].replace(",", ""))
    if value < 2:
        return None
    low, high = f"{int(value * 0.5):,}", f"{int(value * 1.5) + 1:,}"
    after = sentence[place.end(group) :]
    return f"{sentence[: place.start()]}{sign}{low} to {sign}{high}{' ' + after[1:] if after[:1] == '-' else after}"


CONTRADICTIONS = (
    ("copied", changed),
    ("copied, named", changed),
    ("reworded", reworded),
    ("reworded, named", reworded),
)
LOOK_ALIKES = (("other product", other_product), ("other spelling", other_spelling), ("wider range", wider))


def measure_speed(size: int) -> None:
    """Print the time for invented articles and for a quarter of them."""
    spent = {}
    for count in (size // 4, size):
        store = KnowledgeStore(None)
        store.put((article, "") for article in invented(count))
        before = time.process_time()
        found = contradictions(every_passage(store))
        spent[count] = time.process_time() - before
        print(f"{count} articles, {store.counts()[1]} passages: {spent[count]:.1f} s, {len(found)} reports", flush=True)
    print(f"four times the articles take {spent[size] / spent[size // 4]:.1f} times as long")


def invented(count: int) -> Iterator[Article]:
    """Articles of three to six passages with twelve sentences in all, words as Zipf has them, half with a figure."""
    rng = random.Random(1)
    vocabulary = [f"{'bcdfghklmnprstvw'[n % 16]}{'aeiou'[n % 5]}{n:x}".translate(LETTERS) for n in range(50_000)]
    heavy = [1 / (rank + 10) for rank in range(len(vocabulary))]
    units = ("days", "hours", "percent", "dollars", "users", "files", "months")

    def some(number: int) -> list[str]:
        return rng.choices(vocabulary, heavy, k=number)

    for number in range(count):
        lines = []
        for at in range(12):
            told = some(12)
            if rng.random() < 0.5:
                told.insert(8, f"{rng.randint(2, 90)} {rng.choice(units)}")
            lines.append(f"## {' '.join(some(3))}" if at % 4 == 0 else "")
            lines.append(" ".join(told).capitalize() + ".")
        yield Article(
            f"z:{number}",
            "z",
            " ".join(some(6)),
            f"https://help.example/{number}",
            "en",
            "everyone",
            0.0,
            "\n".join(lines),
        )


LETTERS = str.maketrans("0123456789", "ghijklmnop")


if __name__ == "__main__":
    sys.exit(main())
