"""Analysis to decision: tags, priority, note, escalation, skip rules."""
