"""A real Kubernetes control plane on loopback: etcd, API server, controllers, scheduler, kwok.

Admission, scheduling, quotas, rollouts, disruption budgets and autoscalers are the real ones. Nodes
and the life of a pod on them are kwok's: a scheduled pod becomes Ready, nothing runs in it.
"""

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engine.kubernetes_api import KubernetesApi
from tests.engine.processes import Servers, free_ports, program_on

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
CERTIFICATE = "apiserver.crt"  # the API server's name for the one it makes
LOOPBACK = "127.0.0.1"
PLAYED_BY_KWOK = {"kwok.x-k8s.io/node": "fake"}
"""The annotation of the nodes that kwok plays; it leaves all others alone."""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """A running control plane."""

    api: KubernetesApi
    """Calls to its API server."""
    kubeconfig: Path
    """What `KUBECONFIG` and the provider want: the administrator's."""

    def add_gpu_node(
        self,
        name: str,
        *,
        gpus: int,
        labels: Mapping[str, str] | None = None,
        taint: bool = True,
    ) -> None:
        """Add a node with `gpus` GPUs that, if tainted, takes only pods that tolerate the taint."""
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {"kubernetes.io/hostname": name, **(labels or {})},
                "annotations": PLAYED_BY_KWOK,
            },
        }
        taints = [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
        self.api.apply(node | {"spec": {"taints": taints if taint else []}})
        capacity = {
            "cpu": "64",
            "memory": "512Gi",
            "ephemeral-storage": "1Ti",
            "pods": "110",
            **({"nvidia.com/gpu": str(gpus)} if gpus else {}),
        }
        status = {"capacity": capacity, "allocatable": capacity}
        self.api.apply(node | {"status": status}, subresource="status")

    def add_volumes(self, count: int, *, storage_class: str = "") -> None:
        """Add volumes that claims of a class, or without, are bound to; nothing is written to them."""
        for number in range(count):
            spec = {
                "storageClassName": storage_class,
                "capacity": {"storage": "100Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": "/nowhere"},
            }
            metadata = {"name": f"volume-{storage_class}{number}"}
            manifest = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata}
            self.api.apply(manifest | {"spec": spec})

    def add_namespace(self, name: str, *, pod_security: str | None = None) -> None:
        """Add a namespace; `pod_security` is the level it enforces, such as `restricted`."""
        labels = {"pod-security.kubernetes.io/enforce": pod_security} if pod_security else {}
        metadata = {"name": name, "labels": labels}
        self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        # Pods are refused until the controller has made the account that they run under.
        self.api.wait_for(f"/api/v1/namespaces/{name}/serviceaccounts/default", bool)


@contextmanager
def run_control_plane(
    search_path: str, directory: Path, *, address: str = LOOPBACK, aggregation: bool = False
) -> Iterator[ControlPlane]:
    """Start a control plane with the programs on a search path; it ends with the block.

    `address` is where the API server listens: one that pods reach, where pods run. `aggregation`
    lets other API servers be registered with it, as KEDA's is.
    """
    programs = {name: program_on(search_path, name) for name in PROGRAMS}
    signing_key = directory / "etcd/fixtures/peer/key.pem"
    with Servers(directory) as servers:
        extra = _aggregation_flags(directory) if aggregation else []
        plane = _start_api_server(
            servers, programs, directory, signing_key, address=address, extra=extra
        )
        kubeconfig = f"--kubeconfig={plane.kubeconfig}"
        servers.start(
            programs["kube-controller-manager"],
            kubeconfig,
            f"--service-account-private-key-file={signing_key}",
            f"--root-ca-file={directory / CERTIFICATE}",
            "--leader-elect=false",
            "--secure-port=0",
            # kwok's heartbeats are further apart than the default of 50 s: a node would be taken for
            # lost, its pods marked not ready, and nothing marks them ready again.
            "--node-monitor-grace-period=24h",
            # Autoscalers look this often, where the default is 15 s: nothing is long here.
            "--horizontal-pod-autoscaler-sync-period=2s",
        )
        quiet = ("--leader-elect=false", "--secure-port=0")
        servers.start(programs["kube-scheduler"], kubeconfig, *quiet)
        selector = ",".join(f"{key}={value}" for key, value in PLAYED_BY_KWOK.items())
        played = f"--manage-nodes-with-annotation-selector={selector}"
        servers.start(programs["kwok"], kubeconfig, played)
        plane.api.wait_for("/api/v1/namespaces/default/serviceaccounts/default", bool)
        yield plane
    shutil.rmtree(directory / "etcd")  # 120 MB, most of it allocated ahead


def _start_api_server(
    servers: Servers,
    programs: Mapping[str, Path],
    directory: Path,
    signing_key: Path,
    *,
    address: str,
    extra: list[str],
) -> ControlPlane:
    etcd_port, peer_port, port = free_ports(3)
    token = secrets.token_hex(16)
    (directory / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    servers.start(programs["etcd"], *_etcd_flags(directory, etcd_port, peer_port))
    servers.wait("etcd", signing_key.is_file)
    flags = _api_server_flags(directory, address, port, etcd_port, signing_key)
    servers.start(programs["kube-apiserver"], *flags, *extra)
    certificate = directory / CERTIFICATE
    servers.wait("kube-apiserver", certificate.is_file)
    api = KubernetesApi(address=address, port=port, token=token, ca_file=certificate)
    servers.wait("kube-apiserver", api.ready)
    kubeconfig = directory / "kubeconfig"
    _write_kubeconfig(
        kubeconfig, server=f"https://{address}:{port}", token=token, ca_file=certificate
    )
    return ControlPlane(api=api, kubeconfig=kubeconfig)


def _etcd_flags(directory: Path, client_port: int, peer_port: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{client_port}", f"https://127.0.0.1:{peer_port}"
    return [
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        # It has no peers: this makes a key pair, which then signs the service accounts' tokens.
        "--peer-auto-tls",
        "--unsafe-no-fsync",
    ]


def _api_server_flags(
    directory: Path, address: str, port: int, etcd_port: int, signing_key: Path
) -> list[str]:
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--bind-address={address}",
        f"--secure-port={port}",
        f"--cert-dir={directory}",
        f"--token-auth-file={directory / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        f"--service-account-key-file={signing_key}",
        f"--service-account-signing-key-file={signing_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--allow-privileged=true",
    ]


def _aggregation_flags(directory: Path) -> list[str]:
    """Return the flags by which the API server calls others in its users' names."""
    name = "front-proxy-client"
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    make_certificate(name, key=key, certificate=certificate)
    return [
        f"--client-ca-file={certificate}",
        f"--requestheader-client-ca-file={certificate}",
        f"--requestheader-allowed-names={name}",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={certificate}",
        f"--proxy-client-key-file={key}",
    ]


def make_certificate(name: str, *, key: Path, certificate: Path) -> None:
    """Write a key and the certificate of a host or user; it is its own authority."""
    request = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name}".split()
    request += ["-addext", f"subjectAltName=DNS:{name}"]
    request += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(request, check=True, capture_output=True)


def _write_kubeconfig(path: Path, *, server: str, token: str, ca_file: Path) -> None:
    cluster = {"server": server, "certificate-authority": str(ca_file)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "admin"}}],
        "current-context": "tests",
    }
    path.write_text(json.dumps(config))  # JSON is YAML
    path.chmod(0o600)
