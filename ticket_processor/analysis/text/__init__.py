"""Cleaning, redacting and telling the language of a text."""
