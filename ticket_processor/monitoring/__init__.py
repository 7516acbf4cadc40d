"""TODO ticket_processor/monitoring"""
