"""Answers that came by a batch, as links of the analyser chain: gated, priced and kept as any other answer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

import orjson

from .analysis import ModelLink
from .chat_server import AnswerUnusable, OpenAIServer, read_answer
from .llm import ModelAnalyser
from .models import Analysis, RedactionLevel
from .openai_batch import HALF, MAX_REQUESTS, BatchApi
from .presets import ModelTarget, cost_usd
from .redact import RedactedText

MAX_LINE_BYTES = 2_000_000
"""Twice what an answer may have. Of a longer line the pieces are no answers."""


@dataclass(frozen=True)
class BatchModel:
    """A model of the list whose server takes batches; ``link`` is its place in the chain."""

    target: ModelTarget
    server: OpenAIServer
    analyser: ModelAnalyser
    link: ModelLink
    api: BatchApi


@dataclass(frozen=True)
class Given:
    """An answer that is there already, as a link of the chain."""

    name: str
    level: RedactionLevel
    analysis: Analysis

    def analyse(self, _text: RedactedText) -> Analysis:
        return self.analysis


@dataclass(frozen=True)
class FromBatch:
    """One answer of a batch, as a link of the chain; what is of no use fails there as any other answer does."""

    model: BatchModel
    body: bytes
    fence: str

    @property
    def name(self) -> str:
        return self.model.target.name

    @property
    def level(self) -> RedactionLevel:
        return self.model.target.redaction

    def analyse(self, text: RedactedText) -> Analysis:
        target = self.model.target
        try:
            raw = read_answer(self.body, asked=target.model)
        except AnswerUnusable as error:
            cost = None if target.price is None else round(cost_usd(error.usage, target.price) * HALF, 8)
            raise AnswerUnusable(error.reason, error.detail, usage=error.usage, cost_usd=cost) from error
        analysis = self.model.analyser.understood(raw, text, self.fence, share=HALF)
        self.model.link.keep(text, analysis)
        return analysis


def places(answers: IO[bytes]) -> dict[int, tuple[int, int]]:
    """Where in a file of answers each ticket's line is: place and length, of those that were answered."""
    places: dict[int, tuple[int, int]] = {}
    at = 0
    answers.seek(0)
    while (raw := answers.readline(MAX_LINE_BYTES)) and len(places) < MAX_REQUESTS:
        try:
            line = orjson.loads(raw)
            response = line["response"]
            if response["status_code"] == 200 and isinstance(response["body"], dict):
                places[int(line["custom_id"])] = (at, len(raw))
        except (KeyError, TypeError, ValueError):
            pass  # no answer, which is seen by its being missing
        at += len(raw)
    return places
