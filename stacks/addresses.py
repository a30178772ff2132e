"""Addresses outside the stack that keys and prompts are sent to."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from stacks.errors import ContradictionError

_OF_THE_CLUSTER: Final = (".svc", ".svc.cluster.local", ".localhost")
NEAR: Final = "a private address or a name of the cluster (localhost, *.svc, *.svc.cluster.local)"
"""Hosts that no foreign network lies before, in words."""


def never_in_clear(url: str) -> str:
    """Return the URL, which is https, or http to a host that no foreign network lies before.

    Raises:
        ContradictionError: it is plain http to any other host, or has no host or port to connect to.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ContradictionError(
            found=url[:120],
            allowed="a host name or an address, and a port up to 65535",
            remedy="correct host and port",
        ) from None
    if parts.scheme == "https" or near(host):
        return url
    raise ContradictionError(
        found=f"{url[:120]}, in clear text",
        allowed=f"https, or http to {NEAR}",
        remedy="use https: keys and prompts never cross networks in clear text",
    )


def near(host: str) -> bool:
    """Return whether no foreign network lies before a host: see NEAR."""
    if f".{host}".endswith(_OF_THE_CLUSTER):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
