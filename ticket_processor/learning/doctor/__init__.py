"""Names rules of the helpdesk that our writes would set off, before the first live run. Pure functions."""
