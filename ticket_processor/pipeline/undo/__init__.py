"""A run taken back."""
