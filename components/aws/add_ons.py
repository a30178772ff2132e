"""EKS add-ons, by pinned version: a cluster made again is the same cluster."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from stacks.errors import InputError, Place

LOCK: Final = Path(__file__).with_name("add_ons.yaml")

BEFORE_NODES: Final = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
"""A node without a network plugin never becomes ready, and node groups wait for ready nodes."""
AFTER_NODES: Final = ("coredns", "metrics-server", "aws-ebs-csi-driver")
"""Their pods need a node, and the add-on is only active once they run."""
ADD_ONS: Final = (*BEFORE_NODES, *AFTER_NODES)

AddOnLock = Mapping[str, Mapping[str, str]]
"""Version by add-on, by Kubernetes version; empty where it is not known."""


@cache
def locked_add_ons() -> AddOnLock:
    """Return the versions of add_ons.yaml."""
    return parse_lock(LOCK.read_text(encoding="utf-8"))


def parse_lock(text: str) -> AddOnLock:
    """Return the versions that a lock file holds."""
    return {minor: dict(entry["versions"]) for minor, entry in yaml.safe_load(text).items()}


def add_on_versions(minor: str, lock: AddOnLock, place: Place) -> dict[str, str]:
    """Return the version of each add-on for a Kubernetes version.

    Raises:
        InputError: one is not known; AWS could not be asked where the file was written.
    """
    known = lock.get(minor, {})
    missing = [name for name in ADD_ONS if not known.get(name)]
    if missing:
        raise _unpinned(minor, missing, place.at("cluster.version"))
    return {name: known[name] for name in ADD_ONS}


def _unpinned(minor: str, missing: list[str], place: Place) -> InputError:
    return place.error(
        found=f"{minor}, for which components/aws/add_ons.yaml has no version of {', '.join(missing)}",
        allowed="a version of each add-on, pinned",
        remedy=f"python tools/pin_add_ons.py {minor} asks AWS for them and writes them down",
    )


def configuration(name: str) -> str | None:
    """Return what an add-on is told, as the JSON text that EKS takes.

    Without the first, NetworkPolicies are objects that nobody enforces.
    """
    values = {"vpc-cni": {"enableNetworkPolicy": "true"}}.get(name)
    return json.dumps(values) if values else None
