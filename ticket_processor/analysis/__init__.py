"""TODO ticket_processor/analysis"""
