"""TODO ticket_processor/analysis/classifier"""
