"""Settings: their schema, sources, checks and messages."""
