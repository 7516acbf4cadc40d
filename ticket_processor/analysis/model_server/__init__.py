"""OpenAI-compatible servers: connection, prompt, answer, prices."""
