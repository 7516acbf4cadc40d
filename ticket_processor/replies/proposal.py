"""What a model is asked to return about a ticket, and the strict reading of it. Pure.

A proposal is nothing that anybody may believe yet: see :mod:`.assembly`. No value of it appears in an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..analysis.model_server.answer import MAX_ANSWER_CHARS, objects_in
from ..core.errors import AnalysisFailed

MAX_TEXT = 400
MAX_QUOTE = 400
MAX_CLAIMS = 8
MAX_STEPS = 12
MAX_MISSING = 5


class Claim(BaseModel):
    """One thing that a source says, in words for the customer, with the words of the source."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True, strict=True)

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    source: Annotated[str, Field(max_length=20)]
    quote: Annotated[str, Field(max_length=MAX_QUOTE)]


class Proposal(BaseModel):
    """A model's answer. ``steps`` are claims that only make sense together and in this order."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, frozen=True)

    claims: Annotated[tuple[Claim, ...], Field(max_length=MAX_CLAIMS)]
    steps: Annotated[tuple[Claim, ...], Field(max_length=MAX_STEPS)]
    missing: Annotated[
        tuple[Annotated[str, Field(strict=True, max_length=MAX_TEXT)], ...], Field(max_length=MAX_MISSING)
    ]
    verdict: Literal["answer", "partial", "no_answer"]


def proposal_schema(sources: Sequence[str]) -> dict[str, object]:
    """The JSON schema of an answer about sources with these labels: plain types and closed lists only."""
    words = {"type": "string"}
    claim = _closed({"text": words, "source": {"type": "string", "enum": list(sources)}, "quote": words})
    return _closed(
        {
            "claims": {"type": "array", "items": claim},
            "steps": {"type": "array", "items": claim},
            "missing": {"type": "array", "items": words},
            "verdict": {"type": "string", "enum": ["answer", "partial", "no_answer"]},
        }
    )


def _closed(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_proposal(answer: str, *, finished: bool = True) -> Proposal:
    """The last JSON object of ``answer`` with a verdict; prose and reasoning around it are ignored.

    Raises :class:`AnalysisFailed`: ``answer_cut_off``, ``answer_not_json``, or ``answer_off_schema`` with the fields.
    """
    objects = [found for found in objects_in(answer[-MAX_ANSWER_CHARS:]) if "verdict" in found]
    if not objects:
        raise AnalysisFailed("answer_not_json" if finished else "answer_cut_off")
    try:
        return Proposal.model_validate(objects[-1])
    except ValidationError as error:
        fields = sorted({str(item["loc"][0]) for item in error.errors(include_input=False) if item["loc"]})
        raise AnalysisFailed("answer_off_schema", ", ".join(fields)) from None
