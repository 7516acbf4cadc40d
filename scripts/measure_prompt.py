"""How long prompts are on the packaged tickets: estimated, and counted by a real vocabulary where one is at hand.

    python scripts/measure_prompt.py [--real]

``--real`` counts with the o200k and cl100k vocabularies of the package rs-bpe, which ticketbot itself does not need: it
is the extra ``prompts`` (pip install -c constraints.txt ".[prompts]").
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence

from ticket_processor.analysis.model_server.prompt import answer_schema, in_words, instructions, ticket_message
from ticket_processor.analysis.model_server.token_estimate import MESSAGE_TOKENS, REPLY_TOKENS, estimate_tokens
from ticket_processor.analysis.text.cleaning import clean
from ticket_processor.analysis.text.redact import redact
from ticket_processor.core.errors import how_to_install
from ticket_processor.core.taxonomy import default_taxonomy
from ticket_processor.seeding.corpus import load_corpus

OVERHEAD = 2 * MESSAGE_TOKENS + REPLY_TOKENS
TICKET_TOKENS = 800
FENCE = "3f9c1a7be204"


def spread(sizes: Sequence[int]) -> str:
    """Median, 95th percentile and largest."""
    ordered = sorted(sizes)
    return f"median {statistics.median(ordered):.0f}, p95 {ordered[int(0.95 * len(ordered))]}, max {ordered[-1]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--real", action="store_true")
    counters: dict[str, Callable[[str], int]] = {"estimate": estimate_tokens}
    if parser.parse_args().real:
        try:
            from rs_bpe.bpe import openai
        except ImportError:
            raise SystemExit(f"--real needs the package rs-bpe: {how_to_install('prompts')}") from None

        o200k, cl100k = openai.o200k_base(), openai.cl100k_base()
        counters |= {"o200k": lambda text: len(o200k.encode(text)), "cl100k": lambda text: len(cl100k.encode(text))}
    taxonomy = default_taxonomy()
    fixed, schema = instructions(taxonomy), in_words(answer_schema(taxonomy))
    with_advice = instructions(taxonomy, advice=True), in_words(answer_schema(taxonomy, advice=True))
    tickets = [(row, redact(clean(row.subject, row.html or row.body)).text) for row in load_corpus()]
    messages = [ticket_message(text, FENCE, TICKET_TOKENS) for _, text in tickets]
    print(
        f"{len(tickets)} tickets, default taxonomy ({len(taxonomy.names)} categories), {OVERHEAD} of message overhead"
    )
    for name, count in counters.items():
        own = [count(message) for message in messages]
        prompts = [count(fixed) + size + OVERHEAD for size in own]
        share = count(fixed) / statistics.median(prompts)
        print(f"{name:>9}: prompt {spread(prompts)}; ticket with its fences {spread(own)}")
        print(f"{'':>9}  fixed part {count(fixed)}, {share:.0%} of the median prompt, the same for every ticket")
        print(f"{'':>9}  schema {count(schema)} more: in words, or beside the messages where a server counts it")
        more = [count(longer) - count(part) for longer, part in zip(with_advice, (fixed, schema), strict=True)]
        print(f"{'':>9}  models.advice: {more[0]} more in the fixed part, {more[1]} in the schema")
    if len(counters) > 1:
        sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        for row, text in tickets:
            language = str(row.labels.language)
            sums[language][0] += counters["estimate"](text)
            sums[language][1] += counters["o200k"](text)
        print("estimate / o200k:", ", ".join(f"{code} {a / b:.2f}" for code, (a, b) in sorted(sums.items())))


if __name__ == "__main__":
    main()
