"""One acceptance test for each need."""
