"""The trained local classifier: its file, its scores."""
