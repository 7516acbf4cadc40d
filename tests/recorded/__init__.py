"""Figures as they were when they were recorded: whatever is rebuilt has to come to the same."""
