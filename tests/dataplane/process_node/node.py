"""The node: registered, kept alive, and given the pods that are bound to it."""

import http.client
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.dataplane.process_node.claims import Claims
from tests.dataplane.process_node.images import Image
from tests.dataplane.process_node.left_out import services_left_out
from tests.dataplane.process_node.names import Names
from tests.dataplane.process_node.network import PodNetwork
from tests.dataplane.process_node.objects import Surroundings, delete_pod
from tests.dataplane.process_node.pod import Pod
from tests.dataplane.process_node.runner import now
from tests.dataplane.process_node.watch import Watch
from tests.engine.kubernetes_api import ApiError, KubernetesApi, Manifest

LABEL = "breakeven/process-node"
HEARTBEAT_S = 10
PODS = 200


class ProcessNode:
    """A node whose pods are processes of this machine; made by `process_node`."""

    def __init__(self, around: Surroundings, manifest: Manifest, status: dict[str, Any]) -> None:
        self.name = around.node
        self.left_out: dict[str, list[str]] = {}
        """What of each pod's manifest was not honoured, by namespace/name; of gone pods too."""
        self._around, self._api = around, around.api
        self._manifest, self._status = manifest, status
        self._pods: dict[str, Pod] = {}
        self._closed = threading.Event()
        self._api.apply(manifest)
        self._beat()
        self._claims = Claims(self._api, around.root, self.name)
        self._names = Names(self._api)
        path = f"/api/v1/pods?fieldSelector=spec.nodeName%3D{self.name}"
        self._watch = Watch(self._api, path, self._changed)
        self._heart = threading.Thread(target=self._live, name="heartbeat", daemon=True)
        self._heart.start()

    def pods(self, prefix: str = "", namespace: str | None = None) -> list[Pod]:
        """Return the pods here whose name begins so."""
        return [
            pod
            for pod in list(self._pods.values())
            if pod.name.startswith(prefix) and namespace in (None, pod.namespace)
        ]

    def pod(self, prefix: str, namespace: str | None = None) -> Pod:
        """Return the one pod here whose name begins so; fail if there are none or several."""
        found = self.pods(prefix, namespace)
        if len(found) != 1:
            raise AssertionError(f"{prefix} is {[pod.name for pod in found]} on {self.name}")
        return found[0]

    def logs(self, namespace: str) -> list[Path]:
        """Return the log of each container that ran in a namespace, of gone pods too."""
        return sorted(self._around.root.glob(f"{namespace}_*.log"))

    def services_left_out(self) -> list[str]:
        """Return the Services whose port does not lead to their pods here, and why."""
        return services_left_out(self._api.items("/api/v1/services"))

    def close(self) -> None:
        """Kill all pods and unregister."""
        self._closed.set()
        for watch in (self._watch, self._names, self._claims):
            watch.close()
        for pod in self.pods():
            pod.end()
        self._heart.join()
        shutil.rmtree(self._around.root / "pods", ignore_errors=True)
        try:
            self._api.delete(f"/api/v1/nodes/{self.name}")
        except (ApiError, OSError, http.client.HTTPException):
            return  # the control plane is gone, and the node with it

    def _changed(self, manifest: Manifest, there: bool) -> None:
        metadata = manifest["metadata"]
        pod = self._pods.get(metadata["uid"])
        ends = "deletionTimestamp" in metadata
        if not there:
            if pod is not None:
                self._pods.pop(metadata["uid"])
                threading.Thread(target=pod.end, daemon=True).start()
        elif pod is not None:
            if ends:
                pod.delete(metadata.get("deletionGracePeriodSeconds", 0))
        elif ends:
            delete_pod(self._api, manifest)
        elif manifest["status"].get("phase") not in ("Succeeded", "Failed"):
            self._begin(manifest)

    def _begin(self, manifest: Manifest) -> None:
        metadata = manifest["metadata"]
        pod = Pod(self._around, manifest, self._names)
        self._pods[metadata["uid"]] = pod
        self.left_out[f"{metadata['namespace']}/{metadata['name']}"] = pod.left_out
        pod.start()

    def _live(self) -> None:
        while not self._closed.wait(HEARTBEAT_S):
            try:
                self._beat()
            except (ApiError, OSError, http.client.HTTPException):
                continue  # the API server is busy: the next one will do

    def _beat(self) -> None:
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "pods are processes of this machine",
            "lastHeartbeatTime": now(),
            "lastTransitionTime": self._status["since"],
        }
        status = {key: value for key, value in self._status.items() if key != "since"}
        self._api.apply(
            self._manifest | {"status": status | {"conditions": [ready]}}, subresource="status"
        )


@contextmanager
def process_node(
    api: KubernetesApi,
    *,
    network: PodNetwork,
    images: Mapping[str, Image],
    root: Path,
    name: str = "process-0",
    gpus: int = 4,
    zone: str = "here",
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
) -> Iterator[ProcessNode]:
    """Run a node under a control plane whose API server listens on the network's host address.

    `images` says which programs stand for which image, by repository. Logs stay in `root`, a file
    `namespace_pod_container.log` for each container.
    """
    root.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(name, zone, labels or {}, taints)
    around = Surroundings(api=api, network=network, images=dict(images), root=root, node=name)
    node = ProcessNode(around, manifest, _status(network.host_address, name, gpus))
    try:
        yield node
    finally:
        node.close()


def _manifest(
    name: str, zone: str, labels: Mapping[str, str], taints: Sequence[Mapping[str, str]]
) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": zone,
                LABEL: "true",
                **labels,
            },
        },
        "spec": {"taints": [dict(taint) for taint in taints]},
    }


def _status(address: str, name: str, gpus: int) -> dict[str, Any]:
    capacity = {
        "cpu": "64",
        "memory": "512Gi",
        "ephemeral-storage": "1Ti",
        "pods": str(PODS),
        "nvidia.com/gpu": str(gpus),
    }
    addresses = [
        {"type": "InternalIP", "address": address},
        {"type": "Hostname", "address": name},
    ]
    return {"capacity": capacity, "allocatable": capacity, "addresses": addresses, "since": now()}
