"""TODO ticket_processor/reporting"""
