"""One run: select, analyse, plan, write, record, verify; and an undo."""
