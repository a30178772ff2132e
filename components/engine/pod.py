"""The pod of one engine as Kubernetes takes it, from its plan. Pure."""

from pulumi_kubernetes.core.v1 import (
    ContainerArgsDict,
    EnvVarArgsDict,
    PodSpecArgsDict,
    PodTemplateSpecArgsDict,
    ProbeArgsDict,
    VolumeArgsDict,
    VolumeMountArgsDict,
)

from components.engine.plan import ENGINE_CACHE, HOME, PORT, WEIGHTS, VllmPlan
from components.engine.probes import HEALTH_PATH, LIVENESS, READINESS, Probe, startup_probe

USER_ID = 2000
"""Any but root; vLLM's image has no user of its own."""

MOUNTS = {"weights": WEIGHTS, "engine-cache": ENGINE_CACHE, "home": HOME, "tmp": "/tmp"}  # noqa: S108 - in the container


def pod_template(
    plan: VllmPlan,
    *,
    pod_labels: dict[str, str],
    service_account: str,
    token_secret: str | None,
    node_selector: dict[str, str],
) -> PodTemplateSpecArgsDict:
    """Return the template of an engine's Deployment; meets Pod Security `restricted`."""
    spec: PodSpecArgsDict = {
        "service_account_name": service_account,
        "automount_service_account_token": False,
        # A Service named vllm would set VLLM_PORT=tcp://..., and the engine would not start.
        "enable_service_links": False,
        "termination_grace_period_seconds": plan.timings.termination_grace_s,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": USER_ID,
            "run_as_group": USER_ID,
            "fs_group": USER_ID,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(plan, token_secret)],
        "volumes": _volumes(plan),
        "node_selector": node_selector,
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "topology_spread_constraints": [
            {
                "max_skew": 1,
                "topology_key": "topology.kubernetes.io/zone",
                "when_unsatisfiable": "ScheduleAnyway",
                "label_selector": {"match_labels": pod_labels},
            }
        ],
    }
    return {"metadata": {"labels": pod_labels}, "spec": spec}


def _container(plan: VllmPlan, token_secret: str | None) -> ContainerArgsDict:
    # Requests equal limits: a replica is never squeezed by a neighbour while it serves.
    amounts = {
        "cpu": f"{plan.cpus:g}",
        "memory": f"{plan.memory_gib:g}Gi",
        "nvidia.com/gpu": str(plan.gpus),
    }
    return {
        "name": "vllm",
        "image": plan.image,
        "command": ["vllm", "serve"],
        "args": list(plan.arguments),
        "env": _environment(plan, token_secret),
        "ports": [{"name": "http", "container_port": PORT}],
        "resources": {"requests": amounts, "limits": amounts},
        "startup_probe": _probe(startup_probe(plan.timings.startup_budget_s)),
        "readiness_probe": _probe(READINESS),
        "liveness_probe": _probe(LIVENESS),
        # Routers must drop the pod before it stops taking requests: its probes stay green meanwhile.
        "lifecycle": {"pre_stop": {"sleep": {"seconds": plan.timings.pre_stop_s}}},
        # The root filesystem stays writable: NVIDIA's container hook writes to it at start.
        "security_context": {
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volume_mounts": _mounts(),
    }


def _environment(plan: VllmPlan, token_secret: str | None) -> list[EnvVarArgsDict]:
    plain: list[EnvVarArgsDict] = [
        {"name": name, "value": value} for name, value in sorted(plan.environment.items())
    ]
    if token_secret is None:
        return plain
    reference: EnvVarArgsDict = {
        "name": "HF_TOKEN",
        "value_from": {"secret_key_ref": {"name": token_secret, "key": "token"}},
    }
    return [*plain, reference]


def _probe(probe: Probe) -> ProbeArgsDict:
    return {
        "http_get": {"path": HEALTH_PATH, "port": "http"},
        "period_seconds": probe.period_s,
        "timeout_seconds": probe.timeout_s,
        "failure_threshold": probe.failure_threshold,
    }


def _volumes(plan: VllmPlan) -> list[VolumeArgsDict]:
    writable: list[VolumeArgsDict] = [{"name": name, "empty_dir": {}} for name in MOUNTS]
    size = f"{plan.shared_memory_gib:g}Gi"
    shared: VolumeArgsDict = {
        "name": "shared-memory",
        "empty_dir": {"medium": "Memory", "size_limit": size},
    }
    return [*writable, shared]


def _mounts() -> list[VolumeMountArgsDict]:
    writable: list[VolumeMountArgsDict] = [
        {"name": name, "mount_path": path} for name, path in MOUNTS.items()
    ]
    return [*writable, {"name": "shared-memory", "mount_path": "/dev/shm"}]  # noqa: S108
