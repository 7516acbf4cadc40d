"""Renders jobs for the schedulers that start ``ticketbot run``: one pure module for each scheduler.

Nothing here touches a file or starts a program, so that everything can be shown before it is installed.
"""
