"""The agents' side of the portal, below ``/admin``."""
