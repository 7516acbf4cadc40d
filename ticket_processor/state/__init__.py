"""What runs remember in SQLite."""
