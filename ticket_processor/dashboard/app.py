"""The script that Streamlit starts: it lists the pages, and runs the one that is asked for."""

from __future__ import annotations

import streamlit as st

from ticket_processor import __version__
from ticket_processor.dashboard.overview import costs, overview
from ticket_processor.dashboard.parts import guarded, signed_in
from ticket_processor.dashboard.review import review, try_it
from ticket_processor.dashboard.runs import runs
from ticket_processor.dashboard.server import given
from ticket_processor.dashboard.tickets import tickets

PAGES = {
    "Tickets": (
        (overview, "Overview", ":material/dashboard:"),
        (tickets, "Tickets", ":material/confirmation_number:"),
        (review, "Review and quality", ":material/checklist:"),
        (try_it, "Try it", ":material/science:"),
    ),
    "Operation": (
        (costs, "Costs and models", ":material/payments:"),
        (runs, "Runs and health", ":material/monitor_heart:"),
    ),
}
# Of our own: an icon that Streamlit knows by name would be loaded from the internet into the browser's tab.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<path fill="#2563a8" d="M4 8h24v5a3 3 0 0 0 0 6v5H4v-5a3 3 0 0 0 0-6z"/>'
    '<path stroke="#fff" stroke-width="2.5" fill="none" d="m11 16 4 4 7-8"/></svg>'
)
st.set_page_config(
    page_title=f"ticketbot, {account}" if (account := given().settings.account) else "ticketbot",
    page_icon=ICON,
    layout="wide",
    initial_sidebar_state=310,
    menu_items={"About": f"ticketbot {__version__}"},
)
if not signed_in():
    st.stop()
page = st.navigation(
    {
        section: [st.Page(body, title=title, icon=icon, default=body is overview) for body, title, icon in pages]
        for section, pages in PAGES.items()
    }
)
with guarded():
    page.run()
