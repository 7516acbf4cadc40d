"""History: a walk over old tickets, and the file of its results."""
