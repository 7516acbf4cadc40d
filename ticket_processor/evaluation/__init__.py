"""Evaluation of analysers: labelled tickets, scores, and reports. It never writes to a helpdesk."""
