"""TODO ticket_processor/pipeline"""
