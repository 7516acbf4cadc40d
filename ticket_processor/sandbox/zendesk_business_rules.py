"""The business rules of the imitated account, which are shown and never do anything."""

from __future__ import annotations

from .messages import Response
from .zendesk_call import Call, forbidden
from .zendesk_lists import paged


def triggers(call: Call) -> Response:
    """``GET /triggers``, for admins only."""
    if call.identity.role != "admin":
        raise forbidden()
    return paged(call, "triggers", list(call.store.triggers.values()))


def automations(call: Call) -> Response:
    """``GET /automations``."""
    return paged(call, "automations", call.store.business_rules["automations"])


def macros(call: Call) -> Response:
    """``GET /macros``."""
    return paged(call, "macros", call.store.business_rules["macros"])


def views(call: Call) -> Response:
    """``GET /views``."""
    return paged(call, "views", call.store.business_rules["views"])


def sla_policies(call: Call) -> Response:
    """``GET /slas/policies``."""
    return paged(call, "sla_policies", call.store.business_rules["sla_policies"])
