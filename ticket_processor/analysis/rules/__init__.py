"""The keyword fallback: category, urgency, sentiment and alarms by word lists."""
