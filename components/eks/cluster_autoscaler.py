"""The Cluster Autoscaler: adds a node for a pod that finds none, within the node groups' caps. Pure."""

import math
from collections.abc import Mapping
from typing import Final

import yaml
from pulumi_kubernetes.core.v1 import ContainerArgsDict, PodSpecArgsDict
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

from components.aws.plan import AwsPlan
from components.eks.charts import CRITICAL
from components.eks.needed import AUTOSCALER_IMAGE
from components.images import Images
from components.labels import selector
from components.pods import hardened, http_probe, pod_spec, resources, variable
from components.router import grace_s
from components.workload import Workload
from stacks.aws.target import NoEgress
from stacks.errors import Place

NAME: Final = "cluster-autoscaler"
"""Of the namespace, the service account and all else: the account's role is bound to both."""
PRIORITIES: Final = "cluster-autoscaler-priority-expander"
"""ConfigMap that the priority expander reads; its name is fixed."""
STATUS: Final = "cluster-autoscaler-status"
"""ConfigMap that it writes what it sees to."""
PORT: Final = 8085
MEMORY_GIB: Final = 0.6
"""As upstream's example: it keeps all nodes and pods, and Amazon's list of instance types."""

UNNEEDED_S: Final = 120
"""How long a node stays without a replica. The replicas' own hold has passed by then: it is the HPA's
(components/autoscaling), and what the gate prices holds it once."""
SHORTEST_PROVISION_S: Final = 300
USUAL_GRACE_S: Final = 600
"""What the autoscaler gives the pods of a node that it takes away, unless told otherwise."""
PREFERRED, REST = 20, 10
"""Priorities of spot groups and of all others; the higher one is tried first."""

_SEEN: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "",
        (
            *("namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods"),
            *("replicationcontrollers", "services"),
        ),
    ),
    ("apps", ("daemonsets", "replicasets", "statefulsets")),
    ("batch", ("jobs",)),
    ("policy", ("poddisruptionbudgets",)),
    # Since 1.35 it cannot be told to leave these alone: kubernetes/autoscaler pull request 9487.
    ("resource.k8s.io", ("deviceclasses", "resourceclaims", "resourceslices")),
    (
        "storage.k8s.io",
        (
            *("csidrivers", "csinodes", "csistoragecapacities", "storageclasses"),
            "volumeattachments",
        ),
    ),
)
"""What its copy of the scheduler looks at."""

CLUSTER_RULES: Final[tuple[PolicyRuleArgsDict, ...]] = (
    *(
        PolicyRuleArgsDict(api_groups=[group], resources=[*names], verbs=["get", "list", "watch"])
        for group, names in _SEEN
    ),
    {"api_groups": [""], "resources": ["nodes"], "verbs": ["update"]},
    {"api_groups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    {"api_groups": [""], "resources": ["pods/status"], "verbs": ["update"]},
    {"api_groups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
)
"""What it may do in the whole cluster: see what is scheduled, taint nodes, evict pods."""

RULES: Final[tuple[PolicyRuleArgsDict, ...]] = (
    {"api_groups": [""], "resources": ["configmaps"], "verbs": ["create", "list", "watch"]},
    {
        "api_groups": [""],
        "resources": ["configmaps"],
        "resource_names": [STATUS, PRIORITIES],
        "verbs": ["get", "update", "delete", "watch"],
    },
    {"api_groups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "api_groups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resource_names": [NAME],
        "verbs": ["get", "update"],
    },
)
"""What it may do in its own namespace: say how it is, read priorities, and elect a leader."""


def autoscaler_workload(plan: AwsPlan, images: Images) -> Workload:
    """Return its Deployment: two pods, of which one leads."""
    chosen = selector(NAME, NAME)
    pod = pod_spec([_container(plan, images)], name=NAME, chosen=chosen, grace_s=30, token=True)
    critical: PodSpecArgsDict = {**pod, "priority_class_name": CRITICAL}
    return Workload(name=NAME, component=NAME, instance=NAME, replicas=2, pod=critical, rules=RULES)


def _container(plan: AwsPlan, images: Images) -> ContainerArgsDict:
    return {
        "name": NAME,
        "image": images[AUTOSCALER_IMAGE],
        "command": ["./cluster-autoscaler"],
        "args": [*arguments(plan)],
        # From nowhere else: the node's metadata is out of a pod's reach (hop limit 1).
        "env": [variable("AWS_REGION", plan.region)],
        "ports": [{"name": "http", "container_port": PORT}],
        "resources": resources(cpus=0.1, memory_gib=MEMORY_GIB),
        # The one that does not lead is as healthy.
        "liveness_probe": http_probe("/health-check", "http", period_s=10, failures=6),
        "readiness_probe": http_probe("/health-check", "http", period_s=10),
        "security_context": hardened(),
    }


def arguments(plan: AwsPlan) -> tuple[str, ...]:
    """Return the arguments of `cluster-autoscaler`."""
    tags = ("enabled", plan.cluster_name)
    found_by = ",".join(f"k8s.io/cluster-autoscaler/{tag}" for tag in tags)
    static = isinstance(plan.eks.network.egress, NoEgress)
    return (
        "--cloud-provider=aws",
        f"--namespace={NAME}",
        f"--node-group-auto-discovery=asg:tag={found_by}",
        "--balance-similar-node-groups=false",
        # An engine has emptyDirs, and a DaemonSet of the system is on every node.
        "--skip-nodes-with-local-storage=false",
        "--skip-nodes-with-system-pods=false",
        f"--scale-down-unneeded-time={UNNEEDED_S}s",
        f"--max-node-provision-time={_provision_s(plan)}s",
        f"--max-graceful-termination-sec={_grace_s(plan)}",
        # The list is of the price API, which no interface endpoint leads to.
        f"--aws-use-static-instance-list={str(static).lower()}",
        *(("--expander=priority",) if _fallbacks(plan) else ()),
        "--v=2",
    )


def _provision_s(plan: AwsPlan) -> int:
    """Return when a node that does not come is given up, and the next group asked: twice as usual."""
    return max(SHORTEST_PROVISION_S, math.ceil(2 * plan.eks.gpu_nodes.start_seconds))


def _grace_s(plan: AwsPlan) -> int:
    """Return how long the pods of a node that goes may take: the longest request that may finish."""
    return max(USUAL_GRACE_S, *(grace_s(model) for model in plan.stack.models))


def _fallbacks(plan: AwsPlan) -> tuple[str, ...]:
    """Return the spot groups with an on-demand group behind them."""
    return tuple(
        group.name
        for group in plan.gpu
        if group.kind == "spot"
        and any(other.model == group.model and other.kind == "on_demand" for other in plan.gpu)
    )


def priorities(plan: AwsPlan) -> Mapping[str, str]:
    """Return the file of the priority expander: spot first; empty where nothing has a fallback.

    An Auto Scaling group is called `eks-`, the node group's name, what Pulumi adds and EKS' id, both
    hexadecimal: `-on-demand` is not, so the fallback does not match.
    """
    spot = [f"^eks-{name}-[0-9a-f-]+$" for name in _fallbacks(plan)]
    if not spot:
        return {}
    return {"priorities": yaml.safe_dump({REST: [".*"], PREFERRED: spot})}


def check_version(plan: AwsPlan, images: Images, *, file: str) -> None:
    """Raise InputError where the autoscaler's tag says another minor version than the cluster's.

    It simulates the scheduler of its own version.
    """
    image = images[AUTOSCALER_IMAGE].partition("@")[0]
    tag = image.rpartition(":")[2] if ":" in image.rpartition("/")[2] else ""
    wanted = f"v{plan.eks.cluster.version}."
    if tag and not tag.startswith(wanted):
        raise Place(file, f"images.{AUTOSCALER_IMAGE}").error(
            found=f"{image}, with target.cluster.version: {plan.eks.cluster.version}",
            allowed=f"a tag that starts with {wanted}",
            remedy="name the autoscaler of the cluster's version under images",
        )
