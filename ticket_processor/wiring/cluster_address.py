"""Where a cluster is, and whether one may talk to it there: with TLS, else only where the user says so.

Who reaches a scheduler or a worker can run programs there, and in runs that read its answers: its only access control
is TLS with certificates, whose files dask's own configuration names (``distributed.comm.tls``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal
from urllib.parse import urlsplit

from ..core.errors import ConfigError, how_to_install
from ..core.urls import is_loopback

Role = Literal["client", "scheduler", "worker"]


@dataclass(frozen=True)
class ClusterWanted:
    """The command line's words about a cluster. ``optional``: without it the run goes on in threads.

    ``keeps_workers``: the number of threads was given, and is not the cluster's affair.
    """

    address: str
    optional: bool = False
    keeps_workers: bool = False


def check_address(address: str, role: Role, *, insecure: bool) -> None:
    """Raises :class:`ConfigError` unless ``address`` is a scheduler's that may be used."""
    if address.startswith("local:"):
        raise ConfigError("--cluster local:N is gone: on one machine threads do the same, with --workers N")
    _need_distributed()
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        whole = False
    if not whole:
        raise ConfigError(f"{address} is no address of a scheduler: write tcp://127.0.0.1:8786 or tls://HOST:8786")
    if parts.scheme == "tcp" and not insecure:
        raise ConfigError(_refusal(address))
    if parts.scheme == "tls" and not has_certificates(role):
        name = "DASK_DISTRIBUTED__COMM__TLS__"
        raise ConfigError(f"tls:// needs certificates: set {name}CA_FILE and {name}{role.upper()}__CERT (and __KEY)")


def check_host(host: str, *, insecure: bool) -> Literal["tcp", "tls"]:
    """The protocol for listening at ``host``: TLS where certificates are named.

    Raises :class:`ConfigError` without them, unless ``insecure``.
    """
    _need_distributed()
    if has_certificates("scheduler"):
        return "tls"
    if not insecure:
        raise ConfigError(_refusal(f"tcp://[{host}]" if ":" in host else f"tcp://{host}"))
    return "tcp"


def exposed(address: str) -> list[str]:
    """A sentence on what an address opens to others; none where TLS guards it."""
    if not address.startswith("tcp://"):
        return []
    who = "every user of this machine" if is_loopback(address) else f"everyone who reaches {urlsplit(address).hostname}"
    return [f"without TLS, {who} can run programs in this process and read all that it may read"]


def _need_distributed() -> None:
    if find_spec("distributed") is None:
        raise ConfigError(f"a cluster needs distributed, not installed here: {how_to_install('cluster')}")


def _refusal(address: str) -> str:
    (why,) = exposed(address)
    return f"{address}: {why}; use tls:// with certificates, or say --insecure"


def be_quiet() -> None:
    """Have dask write nothing to the terminal, and keep none of its last thousand messages: they hold requests."""
    import dask

    dask.config.set({"distributed.admin.low-level-log-length": 0})
    for name in ("distributed", "distributed.client", "tornado", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def has_certificates(role: Role) -> bool:
    """Whether dask's configuration names the authority's certificate and this role's own."""
    from distributed.security import Security

    files = Security().get_tls_config_for_role(role)
    return bool(files["ca_file"] and files["cert"])
