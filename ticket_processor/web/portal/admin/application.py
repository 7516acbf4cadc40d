"""The routes of the agents' pages, all below ``/admin``."""

from __future__ import annotations

from fastapi import APIRouter

from ..parts import Portal
from . import bulk, listing, login, people, ticket
from .passwords import Passwords
from .sessions import Sessions


def routes(portal: Portal) -> APIRouter:
    """Everything that agents and admins see and do."""
    router = APIRouter()
    sessions, passwords = Sessions(portal), Passwords()
    router.include_router(login.routes(portal, sessions, passwords))
    for part in (listing, ticket, bulk):
        router.include_router(part.routes(portal, sessions))
    router.include_router(people.routes(portal, sessions, passwords))
    return router
