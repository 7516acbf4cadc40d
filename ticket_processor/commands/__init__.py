"""What the commands do once the command line is understood; each prints for a person, a log, or a program.

One module for each command, imported when it is called.
"""
