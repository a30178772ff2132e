"""What tests ask of a process node under a live control plane."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.dataplane.manifests import Manifest
from tests.dataplane.process_node.node import ProcessNode
from tests.dataplane.process_node.pod import Pod
from tests.engine.control_plane import ControlPlane
from tests.engine.kubernetes_api import KubernetesApi


@dataclass(frozen=True, kw_only=True)
class Live:
    """A namespace on a process node."""

    plane: ControlPlane
    node: ProcessNode
    namespace: str

    @property
    def api(self) -> KubernetesApi:
        return self.plane.api

    def ready(self, manifest: Manifest) -> Pod:
        """Apply a pod, and return it once it is ready."""
        self.api.apply(manifest)
        self.seen(manifest, is_ready)
        return self.node.pod(manifest["metadata"]["name"], self.namespace)

    def seen(self, manifest: Manifest, wanted: Callable[[Manifest], bool]) -> Manifest:
        """Return an object once it is as wanted."""
        return self.api.wait_for(self.api.path_of(manifest), wanted)

    def available(self, deployment: Manifest) -> Manifest:
        """Return a Deployment once all its pods are of its last template, and available."""

        return self.seen(deployment, lambda found: is_whole(found, found["spec"]["replicas"]))

    def gone(self, manifest: Manifest, *, timeout_s: float = 20) -> float:
        """Delete an object and return the seconds until it is gone."""
        path, began = self.api.path_of(manifest), time.monotonic()
        self.api.delete(path)
        until(lambda: not self.api.exists(path), timeout_s=timeout_s)
        return time.monotonic() - began


def python_in(pod: Pod, program: str, *, timeout_s: float = 30) -> str:
    """Return what a Python program prints in a pod."""
    code, output = pod.run_inside(sys.executable, "-c", program, timeout_s=timeout_s)
    if code:
        raise AssertionError(f"exit code {code}: {output}")
    return output.strip()


def wait_for_log(pod: Pod, text: str) -> None:
    """Wait until a pod's first container has written something."""
    until(lambda: text in pod.log())


def until(holds: Callable[[], bool], *, timeout_s: float = 20) -> None:
    """Wait until something holds; fail if it takes longer."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {timeout_s} s")
        time.sleep(0.05)


def is_whole(deployment: Manifest, replicas: int) -> bool:
    """Return whether a Deployment has so many pods, all of its last template, ready and available."""
    status = deployment["status"]
    current = status.get("observedGeneration") == deployment["metadata"]["generation"]
    counts = [status.get(f"{kind}Replicas", 0) for kind in ("updated", "ready", "available")]
    return bool(current and [*counts, status.get("replicas", 0)] == 4 * [replicas])


def is_ready(pod: Manifest) -> bool:
    """Return whether a pod's condition Ready is true."""
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
