"""How good an analyser is: labelled tickets, scores by their definitions, and reports.

Nothing here writes to a helpdesk.
"""
