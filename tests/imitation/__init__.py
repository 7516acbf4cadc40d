"""The sandbox with what only tests need: more faults, lag, other ways of a vendor, and webhooks."""

from ticket_processor.sandbox.freshdesk_store import FreshdeskRules

from .app import Sandbox
from .faults import KINDS, FaultPlan, FaultRule
from .rules import Rules

__all__ = ["KINDS", "FaultPlan", "FaultRule", "FreshdeskRules", "Rules", "Sandbox"]
