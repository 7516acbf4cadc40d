"""``python -m ticket_processor`` is ``ticketbot``."""

from .cli import main

main()
