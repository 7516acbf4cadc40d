"""Drafts of replies: what may be said, and what never is."""
