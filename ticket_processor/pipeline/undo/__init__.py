"""TODO ticket_processor/pipeline/undo"""
