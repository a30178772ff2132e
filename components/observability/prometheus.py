"""A Prometheus of the stack's own: one pod, one volume, the pods of its namespace. Pure."""

from collections.abc import Sequence
from typing import Final

from pulumi_kubernetes.core.v1 import ContainerArgsDict
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

from components.images import Images
from components.labels import selector
from components.observability.rules import Group, rule_file
from components.observability.scraping import scrape_file
from components.pods import FILES, files_volume, hardened, http_probe, pod_spec, resources
from components.workload import RECREATE, Workload
from stacks.observability import OwnPrometheus

NAME: Final = "prometheus"
PORT: Final = 9090
FOLDER: Final = "/etc/prometheus"
USER_ID: Final = 65534
"""The image's own user, nobody."""
MEMORY_GIB: Final = 2.0
"""For some 50,000 series, 2,000 an engine and 1,000 a gateway, at 8 kB and as much to compact."""
FULL_SHARE: Final = 0.8
"""Of the volume; the write-ahead log and compaction take the rest."""

SEES_PODS: Final[PolicyRuleArgsDict] = {
    "api_groups": [""],
    "resources": ["pods"],
    "verbs": ["get", "list", "watch"],
}
"""In each namespace in which it looks for what to scrape."""


def prometheus_workload(
    declared: OwnPrometheus,
    namespace: str,
    groups: Sequence[Group],
    images: Images,
    *,
    gpus: bool = False,
) -> Workload:
    """Return it; a changed rule replaces its pod, and its volume keeps the samples.

    `gpus` is whether the cluster's DCGM exporter is scraped.
    """
    return Workload(
        name=NAME,
        component=NAME,
        instance=NAME,
        replicas=1,
        ports={"http": PORT},
        strategy=RECREATE,
        storage_gib=declared.storage_gib,
        rules=(SEES_PODS,),
        files={
            "prometheus.yml": scrape_file(namespace, [f"{FOLDER}/rules.yml"], gpus=gpus),
            "rules.yml": rule_file(groups),
        },
        pod=pod_spec(
            [_container(declared, images[NAME])],
            name=NAME,
            chosen=selector(NAME, NAME),
            grace_s=120,
            volumes=[
                files_volume(NAME),
                {"name": "data", "persistent_volume_claim": {"claim_name": NAME}},
            ],
            user_id=USER_ID,
            token=True,
        ),
    )


def _container(declared: OwnPrometheus, image: str) -> ContainerArgsDict:
    kept_mib = round(declared.storage_gib * 1024 * FULL_SHARE)
    return {
        "name": NAME,
        "image": image,
        "args": [
            f"--config.file={FOLDER}/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={declared.retention_days}d",
            f"--storage.tsdb.retention.size={kept_mib}MB",
        ],
        "ports": [{"name": "http", "container_port": PORT}],
        "resources": resources(cpus=0.25, memory_gib=MEMORY_GIB),
        # A long write-ahead log is read again after a restart.
        "startup_probe": http_probe("/-/ready", "http", failures=120),
        "readiness_probe": http_probe("/-/ready", "http"),
        "liveness_probe": http_probe("/-/healthy", "http", period_s=10, failures=6),
        "security_context": hardened(),
        "volume_mounts": [
            {"name": FILES, "mount_path": FOLDER, "read_only": True},
            {"name": "data", "mount_path": "/prometheus"},
        ],
    }
