"""TODO ticket_processor/wiring"""
