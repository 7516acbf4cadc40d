"""The dashboard: Streamlit pages over the log and the state. They read; nothing here writes to a helpdesk.

``app.py`` is what Streamlit starts. Words that come from a log, a settings file or a customer are shown as text, in
tables or as code, never as Markdown or HTML.
"""
