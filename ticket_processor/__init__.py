"""Triage for helpdesk tickets: tags, priority and one short internal note, exactly once."""

__version__ = "0.1.0"
