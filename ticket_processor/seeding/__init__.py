"""TODO ticket_processor/seeding"""
