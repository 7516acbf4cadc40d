"""TODO ticket_processor/helpdesk"""
