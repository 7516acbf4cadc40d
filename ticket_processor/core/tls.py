"""The lowest version of TLS that this process speaks over https: one for all, also for libraries that send alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import ssl

Version = Literal["1.2", "1.3"]
_lowest: Version = "1.2"


def require(version: Version) -> None:
    """From now on, connect to nothing that speaks an older version."""
    global _lowest
    _lowest = version


def lowest() -> ssl.TLSVersion:
    """The version for contexts and connections to begin with."""
    import ssl  # not above: every start of the command line would wait for it

    return ssl.TLSVersion.TLSv1_3 if _lowest == "1.3" else ssl.TLSVersion.TLSv1_2
