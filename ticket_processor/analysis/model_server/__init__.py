"""TODO ticket_processor/analysis/model_server"""
