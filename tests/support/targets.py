"""Model targets for tests that need no more of one than its address."""

from __future__ import annotations

from ticket_processor.analysis.model_server.settings import OPENAI_URL, ModelTarget


def compatible(base_url: str = OPENAI_URL, *, api_key: str | None = None, max_output_tokens: int = 400) -> ModelTarget:
    """Some server that speaks OpenAI's protocol."""
    return ModelTarget("m", "m", "compatible", base_url, api_key, max_output_tokens=max_output_tokens)
