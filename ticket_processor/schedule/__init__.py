"""Has cron, systemd or Task Scheduler start ``ticketbot run``: a template for each, and the programs that take it."""
