"""What does not run on GPU nodes has room on the system nodes, all of them at their cap."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from components.eks.in_cluster import InCluster, in_cluster_plan
from components.images import locked_images
from components.serving import Serving
from gate.facts import instance
from gate.figures import figures
from tests.components.aws.registered import ON_AWS, declared, plan_of
from tests.components.eks.plans import AROUND
from tests.components.registered import Registered, registered_by, rendered
from tests.factories import decided

ADD_ONS_CPUS: Final = 2 * 0.1 + 2 * 0.1 + 2 * 0.06
"""Two pods each of coredns, metrics-server and the EBS CSI controller, by their default requests."""
ADD_ONS_CPUS_PER_NODE: Final = 0.05 + 0.1 + 0.03
"""aws-node, kube-proxy and the CSI node pods."""


def allocatable_cpus(vcpus: int) -> float:
    """Return what EKS leaves of a node: 6 % of the first core, 1 % of the second, 0.5 % of the next two
    and 0.25 % of the others are the kubelet's (awslabs/amazon-eks-ami, nodeadm)."""
    shares = [0.06, 0.01, 0.005, 0.005][:vcpus] + [0.0025] * max(0, vcpus - 4)
    return vcpus - sum(shares)


def cpus(quantity: str) -> float:
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def requested(one: Registered, nodes: int) -> float:
    """Return the cores that all pods of an object ask for; those on GPU nodes none."""
    spec: Mapping[str, Any] = one.inputs.get("spec", {})
    total = 0.0
    for pod in one.pods():
        containers = pod["spec"]["containers"]
        if any("nvidia.com/gpu" in c.get("resources", {}).get("limits", {}) for c in containers):
            continue
        if (pod["spec"].get("nodeSelector") or {}).get("nvidia.com/gpu.present"):
            continue
        each = sum(cpus(str(c["resources"]["requests"]["cpu"])) for c in containers)
        replicas = nodes if one.kind == "DaemonSet" else int(spec.get("replicas", 1))
        total += each * replicas
    return total


def everything(stack: str) -> tuple[Registered, ...]:
    plan = plan_of(stack)
    serving = rendered(plan.stack, name=stack, judged=figures(decided(declared(stack))))
    within = in_cluster_plan(plan, locked_images(), file="stack.yaml")

    def deploy() -> None:
        InCluster(within, AROUND)
        Serving(serving, hub_token=None)

    return registered_by(deploy)


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_system_nodes_hold_all_that_is_not_an_engine(stack: str):
    nodes = plan_of(stack).eks.system_nodes
    room = nodes.max * allocatable_cpus(instance(nodes.instance_type).vcpus)

    asked = sum(requested(each, nodes.max) for each in everything(stack))
    asked += ADD_ONS_CPUS + nodes.max * ADD_ONS_CPUS_PER_NODE

    assert asked <= room, f"raise target.system_nodes: {asked:.2f} cores are asked for"
