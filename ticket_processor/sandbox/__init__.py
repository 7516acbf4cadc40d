"""A local imitation of the Zendesk Support API and of an OpenAI-compatible API.

The core, :class:`Sandbox`, is a function from request to response with its own state and its own clock, and does no
I/O: :class:`SandboxServer` puts it behind HTTP on this machine, :class:`InMemoryAdapter` behind a
``requests`` session. It imports nothing from the rest of the package, so it cannot share the clients' mistakes.
"""

from __future__ import annotations

from .app import Sandbox
from .clock import ManualClock, OffsetClock, SandboxClock
from .faults import FaultPlan, FaultRule
from .fill import fill
from .inmemory import InMemoryAdapter
from .limits import PLANS
from .messages import Request, Response
from .openai_api import CHAT_MODEL, EMBEDDING_MODEL, LatencyProfile
from .records import Audit, StoredTicket
from .server import SandboxServer
from .store import BOT_ID, PERSON_ID, Store
from .zendesk_auth import Credentials
from .zendesk_help_center import add_article, fill_help_center
from .zendesk_rules import Rules

__all__ = [
    "BOT_ID",
    "CHAT_MODEL",
    "EMBEDDING_MODEL",
    "PERSON_ID",
    "PLANS",
    "Audit",
    "Credentials",
    "FaultPlan",
    "FaultRule",
    "InMemoryAdapter",
    "LatencyProfile",
    "ManualClock",
    "OffsetClock",
    "Request",
    "Response",
    "Rules",
    "Sandbox",
    "SandboxClock",
    "SandboxServer",
    "Store",
    "StoredTicket",
    "add_article",
    "fill",
    "fill_help_center",
]
