"""Service names: each leads to the ready pods behind it, by the hosts file of whoever asks."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.dataplane.process_node.watch import Watch
from tests.engine.kubernetes_api import KubernetesApi, Manifest

LOCAL = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
DOMAIN = "svc.cluster.local"


class Names:
    """Keeps the hosts files of pods as the EndpointSlices are."""

    def __init__(self, api: KubernetesApi) -> None:
        self._files: dict[Path, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self._objects: Callable[[], list[Manifest]] = list
        self._watch = Watch(api, "/apis/discovery.k8s.io/v1/endpointslices", self._changed)
        self._objects = self._watch.objects

    def close(self) -> None:
        """Follow no more."""
        self._watch.close()

    def keep(self, file: Path, namespace: str, own: str) -> None:
        """Write a pod's hosts file, with a line of its own, and keep it up to date."""
        with self._lock:
            self._files[file] = (namespace, own)
            self._write()

    def forget(self, file: Path) -> None:
        """Leave a file as it is."""
        with self._lock:
            self._files.pop(file, None)

    def _changed(self, *_: object) -> None:
        with self._lock:
            self._write()

    def _write(self) -> None:
        slices = self._objects()
        for file, (namespace, own) in self._files.items():
            text = LOCAL + own + "".join(lines(slices, namespace))
            if not file.exists() or file.read_text() != text:
                new = file.with_suffix(".new")
                new.write_text(text)
                new.replace(file)  # whoever reads has the old one or the new one, whole


def lines(slices: list[Manifest], namespace: str) -> list[str]:
    """Return the lines of a hosts file in a namespace, one for each ready address of a Service."""
    found = set()
    for found_slice in slices:
        metadata = found_slice["metadata"]
        service = metadata.get("labels", {}).get("kubernetes.io/service-name")
        for endpoint in (found_slice.get("endpoints") or []) if service else []:
            if endpoint.get("conditions", {}).get("ready") is not False:
                names = _names(service, metadata["namespace"], endpoint)
                here = [service] if metadata["namespace"] == namespace else []
                found |= {
                    f"{address} {' '.join(here + names)}\n" for address in endpoint["addresses"]
                }
    return sorted(found)


def _names(service: str, namespace: str, endpoint: dict[str, Any]) -> list[str]:
    full = f"{service}.{namespace}"
    names = [full, f"{full}.svc", f"{full}.{DOMAIN}"]
    if host := endpoint.get("hostname"):
        names += [f"{host}.{full}", f"{host}.{full}.{DOMAIN}"]
    return names
