"""Takes a run back."""
