from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ticket_processor.core.errors import ConfigError
from ticket_processor.dashboard import server
from ticket_processor.dashboard.server import secrets_files
from ticket_processor.settings.load import load
from ticket_processor.settings.pages import AuthSettings

from ..cli.conftest import Command
from ..support.lazy import Lazy
from .browser import browser, dashboard, executable, tab
from .conftest import Pages, app_test, go_to, words
from .logs import ticket

parts = Lazy("ticket_processor.dashboard.parts")  # loads Streamlit
AUTH = {
    "metadata_url": "https://id.example.com/.well-known/openid-configuration",
    "client_id": "ticketbot",
    "client_secret": 'it\'s a "secret" \\',
    "allow": ["anna@example.com", "@team.example.com"],
}


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Command]:
    made = Command(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_it_refuses_to_listen_beyond_this_machine_without_a_sign_in(bare: Command, host: str) -> None:
    ended = bare("dashboard", "--port", "0", "--host", host, "--public-url", "https://intern.example.com", code=2)
    assert "dashboard.auth" in ended.err
    assert "The dashboard is at" not in ended.out


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "[::1]", "ä..b"])
def test_what_is_no_address_is_refused_in_words(bare: Command, host: str) -> None:
    assert f"--host {host}" in bare("dashboard", "--port", "0", "--host", host, code=2).err


@pytest.mark.parametrize("url", [None, "http://intern.example.com"])
def test_with_a_sign_in_it_also_wants_an_address_with_tls(bare: Command, url: str | None) -> None:
    settings(bare.folder, AUTH["metadata_url"])
    asked = ("--public-url", url) if url else ()
    assert "--public-url" in bare("dashboard", "--port", "0", "--host", "0.0.0.0", *asked, code=2).err


def settings(folder: Path, metadata_url: object, allow: str = "@team.example.com") -> None:
    """The settings files of a folder whose dashboard has a sign-in."""
    (folder / "ticketbot.toml").write_text(
        f'[dashboard.auth]\nmetadata_url = "{metadata_url}"\nclient_id = "ticketbot"\nallow = ["{allow}"]\n',
        encoding="utf-8",
    )
    (folder / ".env").write_text("TICKETBOT_DASHBOARD_CLIENT_SECRET=stub-secret\n", encoding="utf-8")


def test_before_the_sign_in_no_page_shows_anything(pages: Pages) -> None:
    pages.log(ticket(4711))
    pages.configure(dashboard={"auth": AUTH})
    for name in ("overview", "tickets"):
        page = app_test()
        if name != "overview":
            go_to(page, name)
        page.query_params["ticket"] = "4711"
        page.run()
        assert [button.label for button in page.button] == ["Sign in"]
        assert "4711" not in words(page)
        assert not page.exception


@pytest.mark.parametrize(
    ("user", "allowed"),
    [
        ({"email": "anna@example.com", "email_verified": True}, True),
        ({"email": "Anna@Example.com"}, True),
        ({"email": "bert@team.example.com"}, True),
        ({"email": "bert@team.example.com", "email_verified": False}, False),
        ({"email": "bert@team.example.com", "email_verified": "false"}, False),
        ({"email": "bert@example.com"}, False),
        ({"email": "x@sub.team.example.com"}, False),
        ({"email": "x@evil.example@team.example.com"}, False),
        ({"email": "anna@example.com.evil.example"}, False),
        ({"email": ["anna@example.com"]}, False),
        ({"name": "Anna"}, False),
        ({}, False),
    ],
)
def test_only_allowed_addresses_are_let_in(user: dict[str, object], allowed: bool) -> None:
    assert parts.may_see(user, AuthSettings.model_validate(AUTH).allow) is allowed


def test_streamlit_reads_the_secret_from_a_file_that_only_this_user_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    import tomllib

    monkeypatch.setattr(server, "find_spec", lambda name: True)
    with secrets_files(AuthSettings.model_validate(AUTH), "https://intern.example.com/ticketbot/") as (name,):
        told = tomllib.loads(Path(name).read_text(encoding="utf-8"))["auth"]
        if os.name != "nt":
            assert stat.S_IMODE(Path(name).parent.stat().st_mode) == 0o700
    assert told.pop("cookie_secret")
    assert told == {
        "redirect_uri": "https://intern.example.com/ticketbot/oauth2callback",
        "client_id": "ticketbot",
        "client_secret": AUTH["client_secret"],
        "server_metadata_url": AUTH["metadata_url"],
    }
    assert not Path(name).exists()


def test_without_the_extra_it_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "find_spec", lambda name: None)
    with (
        pytest.raises(ConfigError, match="dashboard-login"),
        secrets_files(AuthSettings.model_validate(AUTH), "http://127.0.0.1:1"),
    ):
        pass


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('client_id = "x"', "needed together"),
        ('metadata_url = "http://id.example.com/.well-known/openid-configuration"', "https://"),
        (
            'metadata_url = "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration"',
            "your own tenant",
        ),
        ('allow = ["example.com"]', "mail addresses"),
        ('client_secret = "x"', "TICKETBOT_DASHBOARD_CLIENT_SECRET"),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "ticketbot.toml").write_text(f"[dashboard.auth]\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=why):
        load(environ={}, folder=tmp_path, need_helpdesk=False)


@contextmanager
def provider(email: str) -> Iterator[str]:
    """An OpenID Connect provider that signs everybody in as ``email``; its metadata's address."""
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048, {"kid": "stub"})
    nonces: dict[str, str] = {}

    class Provider(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def tell(self, what: object) -> None:
            body = json.dumps(what).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                code = base64.urlsafe_b64encode(hashlib.sha256(asked["state"].encode()).digest()).decode()
                nonces[code] = asked["nonce"]
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?code={code}&state={asked['state']}")
                self.end_headers()
            elif parts.path == "/keys":
                self.tell({"keys": [key.as_dict(private=False)]})
            else:
                self.tell(
                    {
                        "issuer": url,
                        "authorization_endpoint": f"{url}/authorize",
                        "token_endpoint": f"{url}/token",
                        "jwks_uri": f"{url}/keys",
                        "id_token_signing_alg_values_supported": ["RS256"],
                    }
                )

        def do_POST(self) -> None:
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            now = int(time.time())
            claims = {
                "iss": url,
                "aud": "ticketbot",
                "sub": "1",
                "iat": now,
                "exp": now + 300,
                "nonce": nonces.pop(asked["code"][0]),
                "email": email,
                "email_verified": True,
            }
            token = jwt.encode({"alg": "RS256", "kid": "stub"}, claims, key)
            self.tell({"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token})

    served = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    url = f"http://127.0.0.1:{served.server_port}"
    threading.Thread(target=served.serve_forever, daemon=True).start()
    try:
        yield f"{url}/.well-known/openid-configuration"
    finally:
        served.shutdown()
        served.server_close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if executable() is None or find_spec("playwright") is None:
        pytest.skip("there is no browser here")
    if find_spec("authlib") is None or find_spec("httpx") is None:
        pytest.skip("the extra dashboard-login is not installed here")
    with browser() as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize(("allow", "allowed"), [("@team.example.com", True), ("@other.example.com", False)])
def test_a_person_signs_in_at_the_provider_and_out_again(
    chromium: Any, tmp_path: Path, allow: str, allowed: bool
) -> None:
    with provider("bert@team.example.com") as metadata:
        settings(tmp_path, metadata, allow)
        with dashboard(tmp_path, os.environ) as url, tab(chromium, url) as shown:
            shown.page.goto(f"{url}/tickets")
            shown.page.get_by_role("button", name="Sign in").click()
            if allowed:
                shown.page.get_by_role("heading", name=re.compile("Overview|Tickets")).wait_for(timeout=30_000)
            else:
                shown.page.get_by_text("may not see these pages").wait_for(timeout=30_000)
                assert "Overview" not in shown.page.content()
            shown.page.get_by_role("button", name="Sign out").click()
            shown.page.get_by_role("button", name="Sign in").wait_for(timeout=30_000)
