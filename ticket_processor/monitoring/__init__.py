"""Alerts, service levels, heartbeat and health."""
