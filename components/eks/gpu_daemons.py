"""What makes a node's GPUs countable and visible: the device plugin and the DCGM exporter. Pure."""

from typing import Final, NamedTuple

from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    PodSpecArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.aws.node_groups import GPU_PRESENT
from components.images import Images
from components.pods import TOLERATES_GPU_NODES, http_probe, resources, variable

NAMESPACE: Final = "gpu-add-ons"
"""Pod Security `privileged`: both mount folders of the kubelet's, which `baseline` forbids (hostPath)."""
PLUGIN: Final = "nvidia-device-plugin"
EXPORTER: Final = "dcgm-exporter"
EXPORTER_PORT: Final = 9400
PLUGINS_FOLDER: Final = "/var/lib/kubelet/device-plugins"
PODS_FOLDER: Final = "/var/lib/kubelet/pod-resources"
ROOT: Final = 0
"""User that owns the kubelet's folders."""


class Daemon(NamedTuple):
    """One pod on each GPU node."""

    name: str
    pod: PodSpecArgsDict


def gpu_daemons(images: Images) -> tuple[Daemon, Daemon]:
    """Return both; an AL2023 NVIDIA AMI has the driver and the runtime, and neither of these."""
    return Daemon(PLUGIN, _plugin(images[PLUGIN])), Daemon(EXPORTER, _exporter(images[EXPORTER]))


def _plugin(image: str) -> PodSpecArgsDict:
    volume, mount = _kubelet("device-plugins", PLUGINS_FOLDER, read_only=False)
    container: ContainerArgsDict = {
        "name": PLUGIN,
        "image": image,
        "resources": resources(cpus=0.05, memory_gib=0.125),
        # The root file system stays writable: NVIDIA's container hook writes to it at start.
        "security_context": {
            "run_as_user": ROOT,  # the kubelet's socket is root's
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volume_mounts": [mount],
    }
    return _pod(PLUGIN, container, volume)


def _exporter(image: str) -> PodSpecArgsDict:
    volume, mount = _kubelet("pod-resources", PODS_FOLDER, read_only=True)
    node: EnvVarArgsDict = {
        "name": "NODE_NAME",
        "value_from": {"field_ref": {"field_path": "spec.nodeName"}},
    }
    container: ContainerArgsDict = {
        "name": EXPORTER,
        "image": image,
        "env": [
            variable("DCGM_EXPORTER_LISTEN", f":{EXPORTER_PORT}"),
            variable("DCGM_EXPORTER_KUBERNETES", "true"),  # which pod has which GPU
            node,
        ],
        "ports": [{"name": "metrics", "container_port": EXPORTER_PORT}],
        "resources": resources(cpus=0.1, memory_gib=0.5),
        "liveness_probe": http_probe("/health", "metrics", period_s=15, failures=8),
        "readiness_probe": http_probe("/health", "metrics", period_s=15),
        "security_context": {
            "run_as_user": ROOT,  # the kubelet's socket is root's
            "allow_privilege_escalation": False,
            # The profiling counters ask for it: without them a GPU's load is guessed from its clock.
            "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]},
        },
        "volume_mounts": [mount],
    }
    return _pod(EXPORTER, container, volume)


def _kubelet(
    name: str, folder: str, *, read_only: bool
) -> tuple[VolumeArgsDict, VolumeMountArgsDict]:
    mount: VolumeMountArgsDict = {"name": name, "mount_path": folder, "read_only": read_only}
    return {"name": name, "host_path": {"path": folder, "type": "Directory"}}, mount


def _pod(name: str, container: ContainerArgsDict, volume: VolumeArgsDict) -> PodSpecArgsDict:
    return {
        "service_account_name": name,
        "automount_service_account_token": False,
        "enable_service_links": False,
        # No pod of a node that is full, and none that waits, is worth more than its GPUs.
        "priority_class_name": "system-node-critical",
        "security_context": {"seccomp_profile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [volume],
        "node_selector": {GPU_PRESENT: "true"},
        "tolerations": [TOLERATES_GPU_NODES],
    }
