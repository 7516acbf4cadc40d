"""The state that runs share, in SQLite."""
