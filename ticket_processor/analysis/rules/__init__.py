"""TODO ticket_processor/analysis/rules"""
