"""The helpdesk protocol, HTTP, rate limits, and each vendor's details."""
