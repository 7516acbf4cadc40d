"""TODO ticket_processor/analysis/text"""
