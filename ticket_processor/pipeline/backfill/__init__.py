"""TODO ticket_processor/pipeline/backfill"""
