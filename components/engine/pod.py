"""The pod of one engine as Kubernetes takes it, from its plan. Pure."""

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    PodSpecArgsDict,
    PodTemplateSpecArgsDict,
    ProbeArgsDict,
    ResourceRequirementsArgsDict,
    SecurityContextArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.engine.keys import KEYS_FILE
from components.engine.plan import ENGINE_CACHE, HOME, PORT, WEIGHTS, VllmPlan
from components.engine.probes import HEALTH_PATH, LIVENESS, READINESS, Probe, startup_probe
from components.engine.weights import VOLUME, Download
from components.pods import (
    GPU_RESOURCE,
    HOST,
    TOLERATES_GPU_NODES,
    ZONE,
    secret_variable,
    spread,
    unprivileged,
    variable,
)
from components.workload import FILES_DIGEST, digest

USER_ID = 2000
"""Any but root; vLLM's image has no user of its own."""

ENGINE_KEY: Final = "engine-key"
"""Secret with the keys that engines take, and under `key` the one that the gateway sends; of /v1 they
answer nobody else. Probes and Prometheus need none: /health and /metrics are open, as is /invocations,
which generates text too, so that the network policy is what keeps others out."""
KEYS_FOLDER: Final = "/etc/vllm"

WEIGHTS_CLAIM = "weights-claim"
"""Volume of the weights, where they come from one."""

MOUNTS = {"weights": WEIGHTS, "engine-cache": ENGINE_CACHE, "home": HOME, "tmp": "/tmp"}  # noqa: S108 - in the container


def pod_template(
    plan: VllmPlan,
    *,
    pod_labels: dict[str, str],
    service_account: str,
    token_secret: str | None,
    node_selector: dict[str, str],
    reads: Mapping[str, pulumi.Input[str]],
) -> PodTemplateSpecArgsDict:
    """Return the template of an engine's Deployment; meets Pod Security `restricted`.

    `reads`: the entries of Secrets that it reads at its start, by `<secret>/<key>`.
    """
    spec: PodSpecArgsDict = {
        "service_account_name": service_account,
        "automount_service_account_token": False,
        # A Service named vllm would set VLLM_PORT=tcp://..., and the engine would not start.
        "enable_service_links": False,
        "termination_grace_period_seconds": plan.timings.termination_grace_s,
        "security_context": unprivileged(USER_ID),
        "containers": [_container(plan, token_secret)],
        "volumes": _volumes(plan),
        "node_selector": node_selector,
        # Without GPUs two on one node would share the bandwidth that one was measured with.
        "topology_spread_constraints": [spread(pod_labels, ZONE if plan.gpus else HOST)],
    }
    if plan.gpus:
        spec["tolerations"] = [TOLERATES_GPU_NODES]
    if plan.downloads:
        spec["init_containers"] = _downloads(plan, token_secret)
    annotations = {FILES_DIGEST: digest({}, reads)}
    return {"metadata": {"labels": pod_labels, "annotations": annotations}, "spec": spec}


def _resources(plan: VllmPlan, *, gpus: int) -> ResourceRequirementsArgsDict:
    # Requests equal limits: a replica is never squeezed by a neighbour while it serves.
    amounts = {"cpu": f"{plan.cpus:g}", "memory": f"{plan.memory_gib:g}Gi"}
    if gpus:
        amounts[GPU_RESOURCE] = str(gpus)
    return {"requests": amounts, "limits": amounts}


def _security() -> SecurityContextArgsDict:
    # The root filesystem stays writable: NVIDIA's container hook writes to it at start.
    return {"allow_privilege_escalation": False, "capabilities": {"drop": ["ALL"]}}


def _container(plan: VllmPlan, token_secret: str | None) -> ContainerArgsDict:
    return {
        "name": "vllm",
        "image": plan.image,
        "command": ["vllm", "serve"],
        # A file, since VLLM_API_KEY holds one key only, and an argument is readable in the pod.
        "args": [*plan.arguments, "--config", f"{KEYS_FOLDER}/{KEYS_FILE}"],
        "env": _environment(plan, token_secret),
        "ports": [{"name": "http", "container_port": PORT}],
        "resources": _resources(plan, gpus=plan.gpus),
        "startup_probe": _probe(startup_probe(plan.timings.startup_budget_s)),
        "readiness_probe": _probe(READINESS),
        "liveness_probe": _probe(LIVENESS),
        # Routers must drop the pod before it stops taking requests: its probes stay green meanwhile.
        "lifecycle": {"pre_stop": {"sleep": {"seconds": plan.timings.pre_stop_s}}},
        "security_context": _security(),
        "volume_mounts": [
            *_mounts(plan),
            {"name": ENGINE_KEY, "mount_path": KEYS_FOLDER, "read_only": True},
        ],
    }


def _downloads(plan: VllmPlan, token_secret: str | None) -> list[ContainerArgsDict]:
    return [
        _download(number, download, plan, token_secret)
        for number, download in enumerate(plan.downloads)
    ]


def _download(
    number: int, download: Download, plan: VllmPlan, token_secret: str | None
) -> ContainerArgsDict:
    """Return an init container that fetches a repository with the hub's client in vLLM's image.

    It may take what the engine will: a pod is charged the larger of the two, not their sum.
    """
    return {
        "name": f"adapter-{number}",
        "image": plan.image,
        "command": ["hf", "download", download.repository],
        "args": [f"--revision={download.revision}", f"--local-dir={download.folder}", "--quiet"],
        "env": _environment(plan, token_secret),
        "resources": _resources(plan, gpus=0),
        "security_context": _security(),
        "volume_mounts": _mounts(plan),
    }


def _environment(plan: VllmPlan, token_secret: str | None) -> list[EnvVarArgsDict]:
    plain = [variable(name, value) for name, value in sorted(plan.environment.items())]
    if token_secret is None:
        return plain
    return [*plain, secret_variable("HF_TOKEN", secret=token_secret, key="token")]


def _probe(probe: Probe) -> ProbeArgsDict:
    return {
        "http_get": {"path": HEALTH_PATH, "port": "http"},
        "period_seconds": probe.period_s,
        "timeout_seconds": probe.timeout_s,
        "failure_threshold": probe.failure_threshold,
    }


def _volumes(plan: VllmPlan) -> list[VolumeArgsDict]:
    volumes: list[VolumeArgsDict] = [{"name": name, "empty_dir": {}} for name in MOUNTS]
    size = f"{plan.shared_memory_gib:g}Gi"
    volumes.append({"name": "shared-memory", "empty_dir": {"medium": "Memory", "size_limit": size}})
    volumes.append(
        {"name": ENGINE_KEY, "secret": {"secret_name": ENGINE_KEY, "default_mode": 0o440}}
    )
    if plan.weights_claim:
        # Read-only in the pod as well: else the kubelet would give all its files to the pod's group.
        volumes.append(
            {
                "name": WEIGHTS_CLAIM,
                "persistent_volume_claim": {"claim_name": plan.weights_claim, "read_only": True},
            }
        )
    return volumes


def _mounts(plan: VllmPlan) -> list[VolumeMountArgsDict]:
    mounts: list[VolumeMountArgsDict] = [
        {"name": name, "mount_path": path} for name, path in MOUNTS.items()
    ]
    mounts.append({"name": "shared-memory", "mount_path": "/dev/shm"})  # noqa: S108
    if plan.weights_claim:
        mounts.append({"name": WEIGHTS_CLAIM, "mount_path": VOLUME, "read_only": True})
    return mounts
