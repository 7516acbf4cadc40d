"""TODO ticket_processor/core"""
