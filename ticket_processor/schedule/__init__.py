"""What schedulers are given so that they run ``ticketbot run``: pure rendering, one module for each of them.

Nothing here touches a file or starts a program, so everything can be looked at before it is installed.
"""
