"""Measure what customers' further messages are taken for: thanks, and questions that also thank, in eight languages.

    python scripts/measure_reply_kinds.py                  # 1,000 messages of each kind, put together from sentences
    python scripts/measure_reply_kinds.py --texts a.jsonl.gz   # also: each row of files behind a "Thank you"

The sentences were written apart from the lists. Exit code 1 when one real question counts as thanks.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import get_args

from development import ROOT

from ticket_processor.analysis.reply_kinds import ReplyKind, reply_kind
from ticket_processor.core.models import Ticket

TICKET = Ticket(
    id=1, created_at="2026-05-01T10:00:00Z", updated_at="2026-05-01T10:00:00Z", channel="email", names=("Ana Moser",)
)
SAID = tomllib.loads((ROOT / "scripts/reply_sentences.toml").read_text("utf-8"))
NAMES = ("Anna", "Peter Schmidt", "Marie", "José", "Kenji", "Team")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--texts", type=Path, nargs="*", default=())
    parser.add_argument("--show", action="store_true", help="print what was taken for something else")
    options = parser.parse_args()
    kept_closed = 0
    for wanted in get_args(ReplyKind):
        messages = {"thanks": _thanks, "new_question": _questions}.get(wanted, partial(_one_of, wanted))
        dice, found, missed = random.Random(wanted), Counter[str](), Counter[str]()
        for _ in range(options.count):
            language, text = messages(dice)
            kind = reply_kind(TICKET, text)
            found[kind] += 1
            missed[language] += kind != wanted
            if options.show and kind != wanted:
                print("   ", kind, repr(text))
        if wanted != "thanks":
            kept_closed += found["thanks"]
        print(f"{wanted}: {dict(found.most_common())}; others by language: {dict(missed)}")
    for path in options.texts:
        texts = list(_behind_thanks(path))
        closed = [text for text in texts if reply_kind(TICKET, text) == "thanks"]
        kept_closed += len(closed)
        print(
            f"{path.name}: {len(closed)} of {len(texts)} count as thanks", *(map(repr, closed) if options.show else ())
        )
    return 1 if kept_closed else 0


def _thanks(dice: random.Random) -> tuple[str, str]:
    language = dice.choice(list(SAID["thanks"]))
    parts = [_one(dice, SAID["thanks"][language])]
    if dice.random() < 0.4:
        parts.insert(dice.choice((0, 1)), _one(dice, SAID["more"][language]))
    return language, _framed(dice, language, parts)


def _questions(dice: random.Random) -> tuple[str, str]:
    """A question or a wish, before or behind thanks; seldom below the signature."""
    language = dice.choice(list(SAID["asked"]))
    asked, thanks = _one(dice, SAID["asked"][language]), _one(dice, SAID["thanks"][language]).rstrip("!。 ")
    shape = dice.random()
    if shape < 0.1:
        return language, f"{_framed(dice, language, [thanks])}\n\nPS: {asked}"
    if shape < 0.5:
        return language, _framed(dice, language, [f"{thanks}, {asked}"])
    parts = [asked[0].upper() + asked[1:], thanks]
    return language, _framed(dice, language, parts if shape < 0.75 else [*reversed(parts)])


def _one_of(kind: str, dice: random.Random) -> tuple[str, str]:
    language = dice.choice(list(SAID[kind]))
    text = _one(dice, SAID[kind][language])
    return language, text if kind == "out_of_office" else _framed(dice, language, [text])


def _framed(dice: random.Random, language: str, parts: list[str]) -> str:
    """Sentences with a greeting, a sign-off and a quoted mail, or without."""
    text = "".join(f"{part}{'' if part[-1] in '.!?。！？' else '.'} " for part in parts).strip()
    if dice.random() < 0.4:
        text = f"{_one(dice, SAID['greeting'][language]).format(dice.choice(NAMES))}\n\n{text}"
    if dice.random() < 0.4:
        text += f"\n\n{_one(dice, SAID['sign_off'][language]).format(dice.choice(('Ana', 'Ana Moser')))}"
    if dice.random() < 0.3:
        text += "\n\nOn 3 May 2026 at 10:12, Support <help@example.com> wrote:\n> Can you try again? Order 4711."
    return text


def _one(dice: random.Random, choices: str) -> str:
    return dice.choice(choices.split("|"))


def _behind_thanks(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            yield f"Thank you. {row.get('body') or row.get('text') or row['subject']}"


if __name__ == "__main__":
    sys.exit(main())
