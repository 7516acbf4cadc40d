"""TODO ticket_processor/state"""
