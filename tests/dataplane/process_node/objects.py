"""What a pod's manifest refers to: ConfigMaps, Secrets and its own fields."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.dataplane.process_node.images import Image
from tests.dataplane.process_node.network import PodNetwork
from tests.engine.kubernetes_api import CONFLICT, NOT_FOUND, ApiError, KubernetesApi, Manifest

CONFIG_MAP, SECRET = "configmaps", "secrets"
ENTRY = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")
Record = Callable[[str], None]
"""Takes the name of something that is left out."""


class MissingError(Exception):
    """Something that a pod needs is not there yet: it waits, and says so."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a pod needs of its node."""

    api: KubernetesApi
    network: PodNetwork
    images: dict[str, Image]
    root: Path
    """Where the node keeps logs, volumes and claims."""
    node: str
    """The node's name."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A pod that something is read for."""

    around: Surroundings
    manifest: Manifest
    address: str
    record: Record

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.manifest["metadata"]["namespace"])

    @property
    def uid(self) -> str:
        """What tells it from another pod of the same name."""
        return str(self.manifest["metadata"]["uid"])

    @property
    def spec(self) -> dict[str, Any]:
        """Its spec."""
        return dict(self.manifest["spec"])

    def data(self, kind: str, name: str, *, optional: bool = False) -> dict[str, bytes] | None:
        """Return what a ConfigMap or Secret holds, or None if it is missing and optional."""
        try:
            found = self.around.api.get(f"/api/v1/namespaces/{self.namespace}/{kind}/{name}")
        except ApiError as error:
            if error.code != NOT_FOUND:
                raise
            if optional:
                return None
            raise MissingError(str(error)) from None
        plain, binary = found.get("data") or {}, found.get("binaryData") or {}
        if kind == SECRET:
            return {key: base64.b64decode(value) for key, value in plain.items()}
        return {key: value.encode() for key, value in plain.items()} | {
            key: base64.b64decode(value) for key, value in binary.items()
        }

    def field(self, path: str) -> str | None:
        """Return what the downward API gives for a field path, or None if that is left out."""
        metadata, address = self.manifest["metadata"], self.address
        if entry := ENTRY.fullmatch(path):
            return str(metadata.get(entry[1], {}).get(entry[2], ""))
        if path in ("metadata.labels", "metadata.annotations"):
            entries = metadata.get(path.partition(".")[2], {})
            return "".join(f'{key}="{value}"\n' for key, value in sorted(entries.items()))
        host = self.around.network.host_address
        known = {f"metadata.{key}": metadata[key] for key in ("name", "namespace", "uid")} | {
            "spec.nodeName": self.around.node,
            "spec.serviceAccountName": self.spec.get("serviceAccountName", "default"),
            "status.podIP": address,
            "status.podIPs": address,
            "status.hostIP": host,
            "status.hostIPs": host,
        }
        if path not in known:
            self.record(f"fieldRef {path}")
        return known.get(path)


def delete_pod(api: KubernetesApi, pod: Manifest) -> None:
    """Tell the API that nothing of a pod runs any more."""
    metadata = pod["metadata"]
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": metadata["uid"]},
    }
    try:
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        api.request("DELETE", path, options)
    except ApiError as error:
        if error.code not in (NOT_FOUND, CONFLICT):  # it is gone, or another has its name
            raise
