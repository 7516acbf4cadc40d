"""The commands, one module each, imported when it is called: its options, its work, and its output.

Output is for a person at a terminal, for a log, or, with ``--json``, for a program.
"""
