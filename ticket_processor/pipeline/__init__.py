"""One run: intake, fan-out, write planning, write-back, verification."""
