"""Drafts of replies that say nothing but what an article says. Off until settings ask for it."""
