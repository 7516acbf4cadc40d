"""Nouns, errors, time and small safe helpers that every package uses."""
