"""The dashboard's sign-in, by Streamlit's own OpenID Connect: who of those that signed in may see the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from ..core.wording import person_at_keyboard
from .options import given


def may_see(user: Mapping[str, object], allow: Sequence[str]) -> bool:
    """Whether the provider's word for a person is enough: an allowed address that it does not call unverified."""
    address = user.get("email")
    if not isinstance(address, str) or address.count("@") != 1 or user.get("email_verified", True) is not True:
        return False
    address = address.lower()
    return address in allow or f"@{address.partition('@')[2]}" in allow


def signed_in() -> bool:
    """Whether the reader may see the pages. If not, show how to sign in or out."""
    auth = given().settings.dashboard.auth
    if not auth.wanted:
        return True
    user = st.user.to_dict()
    known = user.get("is_logged_in") is True
    if known and may_see(user, auth.allow):
        with st.sidebar:
            st.button("Sign out", icon=":material/logout:", on_click=st.logout)
        return True
    st.title("ticketbot")
    if known:
        st.error("This account may not see these pages; dashboard.auth.allow says which may.")
        st.button("Sign out", icon=":material/logout:", on_click=st.logout)
    else:
        st.button("Sign in", icon=":material/login:", type="primary", on_click=st.login)
    return False


def person() -> str | None:
    """Who uses the page: the address that signed in, or the person at the keyboard; ``None`` where nobody knows."""
    options = given()
    if options.settings.dashboard.auth.wanted:
        return str(st.user.to_dict()["email"]).lower()
    return person_at_keyboard() if options.private else None
