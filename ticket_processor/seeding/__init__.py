"""Invented tickets, and their way into a sandbox account."""
