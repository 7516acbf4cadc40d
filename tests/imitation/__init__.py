"""The sandbox with what only tests need: more faults, lag, other ways of a vendor, and webhooks."""

from .app import Sandbox
from .faults import KINDS, FaultPlan, FaultRule
from .rules import FreshdeskRules, Rules

__all__ = ["KINDS", "FaultPlan", "FaultRule", "FreshdeskRules", "Rules", "Sandbox"]
