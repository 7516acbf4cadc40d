"""TODO ticket_processor/audit"""
