"""Where a cluster is, and whether one may talk to it there: with TLS, else only where the user says so.

Who reaches a scheduler or a worker can run programs there, and in runs that read its answers: its only access control
is TLS with certificates, whose files dask's own configuration names (``distributed.comm.tls``).
"""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from ..core.errors import ConfigError, how_to_install

Role = Literal["client", "scheduler", "worker"]
MOST_LOCAL = 64


@dataclass(frozen=True)
class ClusterWanted:
    """The command line's words about a cluster. ``optional``: without it the run goes on in threads.

    ``keeps_workers``: the number of threads was given, and is not the cluster's affair. ``config`` is the file that
    workers of ``local:N`` read.
    """

    address: str
    optional: bool = False
    insecure: bool = False
    keeps_workers: bool = False
    config: Path | None = None

    @property
    def local(self) -> int:
        """How many workers to start on this machine; 0 for a cluster elsewhere."""
        kind, _, number = self.address.partition(":")
        return int(number) if kind == "local" else 0


def check_wanted(wanted: ClusterWanted) -> None:
    """Raises :class:`ConfigError` for an address that is none, or that is not safe."""
    need_distributed()
    kind, _, number = wanted.address.partition(":")
    if kind != "local":
        check_address(wanted.address, "client", insecure=wanted.insecure)
    elif not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST_LOCAL):
        raise ConfigError(f"--cluster local:N takes 1 to {MOST_LOCAL} workers")
    elif find_spec("cryptography") is None:
        raise ConfigError(f"--cluster local:N needs cryptography, not installed here: {how_to_install('cluster')}")


def check_address(address: str, role: Role, *, insecure: bool) -> None:
    """Raises :class:`ConfigError` unless ``address`` is a scheduler's that may be used."""
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        whole = False
    if not whole:
        raise ConfigError(f"{address} is no address of a scheduler: write tcp://127.0.0.1:8786 or tls://HOST:8786")
    if parts.scheme == "tls":
        need_certificates(role)
    elif not insecure:
        raise ConfigError(_refusal(address))


def check_host(host: str, *, insecure: bool) -> Literal["tcp", "tls"]:
    """The protocol for listening at ``host``: TLS where certificates are named.

    Raises :class:`ConfigError` without them, unless ``insecure``.
    """
    if has_certificates("scheduler"):
        return "tls"
    if not insecure:
        raise ConfigError(_refusal(f"tcp://[{host}]" if ":" in host else f"tcp://{host}"))
    return "tcp"


def exposed(address: str) -> list[str]:
    """A sentence on what an address opens to others; none where TLS guards it."""
    if not address.startswith("tcp://"):
        return []
    host = urlsplit(address).hostname or ""
    who = "every user of this machine" if is_loopback(host) else f"everyone who reaches {host}"
    return [f"without TLS, {who} can run programs in this process and read all that it may read"]


def _refusal(address: str) -> str:
    (why,) = exposed(address)
    return f"{address}: {why}; use tls:// with certificates (or, for one run, --cluster local:N), or say --insecure"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def need_distributed() -> None:
    """Raises :class:`ConfigError` where the extra is missing."""
    if find_spec("distributed") is None:
        raise ConfigError(f"a cluster needs distributed, not installed here: {how_to_install('cluster')}")


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


def need_certificates(role: Role) -> None:
    """Raises :class:`ConfigError` where one of the two is missing."""
    if not has_certificates(role):
        name = "DASK_DISTRIBUTED__COMM__TLS__"
        raise ConfigError(f"tls:// needs certificates: set {name}CA_FILE and {name}{role.upper()}__CERT (and __KEY)")
