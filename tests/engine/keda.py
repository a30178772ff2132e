"""KEDA's operator and metrics adapter as processes beside a control plane, and a Prometheus to ask.

The autoscaler is the real one, from the ScaledObject to the replicas of the Deployment. Only what it
measures is scripted: a test says what Prometheus would answer.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.engine.control_plane import LOOPBACK, ControlPlane, make_certificate
from tests.engine.kubernetes_api import KubernetesApi, Manifest
from tests.engine.processes import Servers, free_ports
from tests.threads import served
from tools import data_plane

NAMESPACE: Final = "keda"
VERSION: Final = "v1beta1.external.metrics.k8s.io"
API_SERVICE: Final = f"/apis/apiregistration.k8s.io/v1/apiservices/{VERSION}"
UNAVAILABLE: Final = 503


class ScriptedPrometheus:
    """What every Prometheus in the cluster answers; KEDA reaches it as its HTTP proxy."""

    def __init__(self, ready: Callable[[], int]) -> None:
        """`ready` counts the replicas that serve at the moment: what `up` of the engines would be."""
        self.demand: float | None = 0
        """Replicas that the requests in flight need; None: no series, the gateway is not scraped."""
        self.down = False
        """Whether nothing answers at all."""
        self.hosts: set[str] = set()
        """Who was asked: host and port as the asker has them."""
        self._ready = ready

    def answer(self, host: str, query: str) -> list[float]:
        """Return the values of the vector that a query asks for."""
        self.hosts.add(host)
        if "envoy_http_downstream_rq_active" in query:
            return [] if self.demand is None else [self.demand]
        if "up{" in query:
            return [self._ready()]
        raise AssertionError(f"nothing is scripted for {query}")

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serve until the block ends; the value is its URL."""
        prometheus = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urlsplit(self.path)  # a proxy is asked for whole URLs
                values = prometheus.answer(asked.netloc, parse_qs(asked.query)["query"][0])
                vector = [{"metric": {}, "value": [0, str(value)]} for value in values]
                data = {"resultType": "vector", "result": vector}
                self.send_response(UNAVAILABLE if prometheus.down else 200)
                self.end_headers()
                self.wfile.write(json.dumps({"status": "success", "data": data}).encode())

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        with served(ThreadingHTTPServer((LOOPBACK, 0), Handler)) as url:
            yield url


def add_definitions(plane: ControlPlane) -> None:
    """Add KEDA's custom resource definitions."""
    for definition in sorted(data_plane.autoscaler().keda_crds.glob("*.yaml")):
        plane.api.apply(yaml.safe_load(definition.read_text()))


@contextmanager
def run_keda(plane: ControlPlane, directory: Path, *, proxy: str) -> Iterator[str]:
    """Run KEDA for a control plane that has its CRDs and was started with `aggregation`.

    The value is the URL of the operator's metrics.
    `proxy` is whom they ask for every plain HTTP address. Take what it scales down within
    the block: its objects wait for it to let them go.
    """
    programs = data_plane.autoscaler()
    metrics, probe, service, secure = free_ports(4)
    certificates = _certificates(directory)
    settings = _settings(plane.kubeconfig, proxy)
    plane.add_namespace(NAMESPACE)
    with Servers(directory) as servers:
        servers.start(
            programs.keda_operator,
            *_operator_flags(certificates, metrics, probe, service),
            environment=settings,
        )
        servers.start(
            programs.keda_adapter,
            *_adapter_flags(plane.kubeconfig, certificates, secure, service),
            environment=settings,
        )
        for manifest in _registration(secure):
            plane.api.apply(manifest)
        try:
            servers.wait("keda-adapter", lambda: _is_available(plane.api))
            yield f"http://{LOOPBACK}:{metrics}/metrics"
        finally:
            # Left behind, it would keep every namespace from being deleted.
            plane.api.delete(API_SERVICE)


def _settings(kubeconfig: Path, proxy: str) -> dict[str, str]:
    return {
        "KUBECONFIG": str(kubeconfig),
        "POD_NAMESPACE": NAMESPACE,
        "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
        "WATCH_NAMESPACE": "",
        "HTTP_PROXY": proxy,
    }


def _operator_flags(
    certificates: Path, metrics_port: int, probe_port: int, service_port: int
) -> list[str]:
    return [
        f"--cert-dir={certificates}",
        "--enable-cert-rotation=false",
        "--leader-elect=false",
        f"--metrics-bind-address={LOOPBACK}:{metrics_port}",
        f"--health-probe-bind-address={LOOPBACK}:{probe_port}",
        f"--metrics-service-bind-address={LOOPBACK}:{service_port}",
    ]


def _adapter_flags(
    kubeconfig: Path, certificates: Path, secure_port: int, operator_port: int
) -> list[str]:
    return [
        *(f"--{user}-kubeconfig={kubeconfig}" for user in ("lister", "authentication")),
        f"--authorization-kubeconfig={kubeconfig}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={secure_port}",
        f"--port={free_ports(1)[0]}",
        f"--cert-dir={certificates}",
        f"--tls-cert-file={certificates / 'tls.crt'}",
        f"--tls-private-key-file={certificates / 'tls.key'}",
        f"--metrics-service-address=localhost:{operator_port}",
    ]


def _certificates(directory: Path) -> Path:
    """Make one certificate for operator and adapter, its own authority, and return its folder."""
    folder = directory / "certificates"
    folder.mkdir(parents=True)
    key, certificate = folder / "tls.key", folder / "tls.crt"
    make_certificate("localhost", key=key, certificate=certificate)
    (folder / "ca.crt").write_bytes(certificate.read_bytes())
    return folder


def _registration(port: int) -> list[Manifest]:
    """Return what leads the API server to the adapter: no Service has an address here but by name."""
    name = "keda-metrics-apiserver"
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
    group, version = "external.metrics.k8s.io", "v1beta1"
    api_service = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": VERSION},
        "spec": {
            "group": group,
            "version": version,
            "service": {"name": name, "namespace": NAMESPACE, "port": port},
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }
    return [service, api_service]


def _is_available(api: KubernetesApi) -> bool:
    conditions = api.get(API_SERVICE).get("status", {}).get("conditions", [])
    return any(each["type"] == "Available" and each["status"] == "True" for each in conditions)
