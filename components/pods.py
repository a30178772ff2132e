"""What every pod beside the engines has in common: Pod Security `restricted`, spread, no surprises. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    PodSecurityContextArgsDict,
    PodSpecArgsDict,
    ProbeArgsDict,
    ResourceRequirementsArgsDict,
    SecurityContextArgsDict,
    TolerationArgsDict,
    TopologySpreadConstraintArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

USER_ID = 2000
"""Any but root: for images that care for no particular user."""

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"

GPU_RESOURCE: Final = "nvidia.com/gpu"
"""What NVIDIA's device plugin counts on a node."""
GPU_TAINT: Final = "nvidia.com/gpu"
"""On nodes with GPUs: it keeps off whoever asks for none."""
TOLERATES_GPU_NODES: Final[TolerationArgsDict] = {
    "key": GPU_TAINT,
    "operator": "Exists",
    "effect": "NoSchedule",
}

STAYS: Final = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
"""Annotation of a pod that the Cluster Autoscaler never moves: it takes no node away on which one is.

For what is lost or stops while it moves. Engines do not have it: that they are packed onto fewer nodes
is what the gate priced."""

FILES = "files"
"""Volume of a workload's ConfigMap."""
SECRETS = "secrets"
"""Volume of a workload's Secret."""


def hardened(*, read_only_root: bool = True) -> SecurityContextArgsDict:
    """Return the security context of a container; its root is writable only where it must be."""
    return {
        "allow_privilege_escalation": False,
        "capabilities": {"drop": ["ALL"]},
        "read_only_root_filesystem": read_only_root,
    }


def pod_spec(
    containers: Sequence[ContainerArgsDict],
    *,
    name: str,
    chosen: Mapping[str, str],
    grace_s: int,
    volumes: Sequence[VolumeArgsDict] = (),
    user_id: int = USER_ID,
    token: bool = False,
) -> PodSpecArgsDict:
    """Return the pod of a workload called `name` whose pods have the labels `chosen`.

    `token`: whether it talks to the API server, with the rules of its own service account.
    """
    return {
        "service_account_name": name,
        "automount_service_account_token": token,
        "enable_service_links": False,
        "termination_grace_period_seconds": grace_s,
        "security_context": unprivileged(user_id),
        "containers": list(containers),
        "volumes": list(volumes),
        "topology_spread_constraints": [spread(chosen, ZONE), spread(chosen, HOST)],
    }


def unprivileged(user_id: int) -> PodSecurityContextArgsDict:
    """Return the security context of a pod; its volumes belong to the group of that number too."""
    return {
        "run_as_non_root": True,
        "run_as_user": user_id,
        "run_as_group": user_id,
        "fs_group": user_id,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }


def spread(chosen: Mapping[str, str], over: str) -> TopologySpreadConstraintArgsDict:
    """Return the wish that pods with the labels `chosen` are evenly spread `over` zones or hosts."""
    return {
        "max_skew": 1,
        "topology_key": over,
        "when_unsatisfiable": "ScheduleAnyway",
        "label_selector": {"match_labels": dict(chosen)},
    }


def resources(
    *, cpus: float, memory_gib: float, cpu_limit: float | None = None, disk_gib: int | None = None
) -> ResourceRequirementsArgsDict:
    """Return requests and limits: memory is limited to what is requested, CPU only where said.

    `disk_gib` is requested of the node's disk, and the limit of it: logs, emptyDirs, what is written to
    the container's root. Images are not in it.
    """
    both = {"memory": f"{whole_mib(memory_gib)}Mi"}
    if disk_gib:
        both["ephemeral-storage"] = f"{disk_gib}Gi"
    limits = both | ({"cpu": f"{cpu_limit:g}"} if cpu_limit else {})
    return {"requests": {"cpu": f"{cpus:g}", **both}, "limits": limits}


def whole_mib(gib: float) -> int:
    """Return whole MiB, rounded up."""
    return -int(-gib * 1024 // 1)


def http_probe(
    path: str, port: str | int, *, period_s: int = 5, timeout_s: int = 3, failures: int = 3
) -> ProbeArgsDict:
    """Return a probe by HTTP GET."""
    return {
        "http_get": {"path": path, "port": port},
        "period_seconds": period_s,
        "timeout_seconds": timeout_s,
        "failure_threshold": failures,
    }


def variable(name: str, value: str) -> EnvVarArgsDict:
    """Return an environment variable."""
    return {"name": name, "value": value}


def secret_variable(name: str, *, secret: str, key: str) -> EnvVarArgsDict:
    """Return an environment variable out of a Secret."""
    return {"name": name, "value_from": {"secret_key_ref": {"name": secret, "key": key}}}


def files_volume(workload: str) -> VolumeArgsDict:
    """Return the volume of a workload's ConfigMap, which has its name."""
    return {"name": FILES, "config_map": {"name": workload}}


def secrets_volume(workload: str) -> VolumeArgsDict:
    """Return the volume of a workload's Secret, which has its name."""
    return {"name": SECRETS, "secret": {"secret_name": workload, "default_mode": 0o440}}


def scratch(name: str, path: str) -> tuple[VolumeArgsDict, VolumeMountArgsDict]:
    """Return an empty writable volume and its mount."""
    return {"name": name, "empty_dir": {}}, {"name": name, "mount_path": path}
