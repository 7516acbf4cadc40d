"""TODO ticket_processor/policy"""
