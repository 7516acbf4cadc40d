"""Synthetic tickets: a model writes subject and body; labels come from the plan, identities from this program."""
