"""Figures from the log: index, metrics, reports, what people corrected."""
