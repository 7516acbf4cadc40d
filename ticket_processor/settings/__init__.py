"""TODO ticket_processor/settings"""
