"""The business rules of the imitated account, which are shown and never do anything."""

from __future__ import annotations

from .messages import Response
from .zendesk_call import Call, forbidden
from .zendesk_lists import paged


def triggers(call: Call) -> Response:
    """``GET /triggers``"""
    return paged(call, "triggers", list(call.store.triggers.values()), order="position,title")


def automations(call: Call) -> Response:
    """``GET /automations``."""
    return paged(call, "automations", call.store.business_rules["automations"], order="position")


def macros(call: Call) -> Response:
    """``GET /macros``."""
    return paged(call, "macros", call.store.business_rules["macros"], order="title")


def views(call: Call) -> Response:
    """``GET /views``: by position, or by age where the paging is by cursor."""
    return paged(call, "views", call.store.business_rules["views"], order="position", order_by_cursor="created_at")


def sla_policies(call: Call) -> Response:
    """``GET /slas/policies``, for admins only."""
    if call.identity.role != "admin":
        raise forbidden()
    return paged(call, "sla_policies", call.store.business_rules["sla_policies"])
