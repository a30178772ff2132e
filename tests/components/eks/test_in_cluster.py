"""What is registered in a new cluster, and in which order."""

import ipaddress
from typing import Any

import pytest

from components.aws.tags import lasting
from components.eks.in_cluster import InCluster
from components.images import stack_images
from components.needed_images import needed_images
from stacks.errors import InputError
from tests.components.aws.registered import ON_AWS, plan_of
from tests.components.eks.plans import AROUND, KARPENTER, SPOT, in_cluster
from tests.components.registered import Registered, before, registered_by, within
from tests.factories import Changes

CLOSED = KARPENTER | {"target.charts": {"karpenter": "./karpenter"}}


def registered(stack: str, changes: Changes | None = None) -> tuple[Registered, ...]:
    plan = in_cluster(stack, changes)

    def deploy() -> None:
        InCluster(plan, AROUND)

    return registered_by(deploy)


def kinds(among: list[Registered]) -> set[tuple[str, str]]:
    return {(each.kind, each.name) for each in among}


@pytest.mark.parametrize(
    ("stack", "changes"), [*((stack, {}) for stack in ON_AWS), ("staging", KARPENTER)]
)
def test_everything_comes_after_its_namespace_and_goes_before_it(stack, changes):
    resources = registered(stack, changes)
    for each in resources:
        namespace = each.inputs.get("namespace") or each.inputs.get("metadata", {}).get("namespace")
        if namespace:
            assert ("Namespace", namespace) in kinds(before(each, resources)), each.urn


@pytest.mark.parametrize(
    ("changes", "later", "earlier"),
    [
        ({}, ("Deployment", "cluster-autoscaler"), ("ClusterRoleBinding", "cluster-autoscaler")),
        (
            SPOT,
            ("Deployment", "cluster-autoscaler"),
            ("ConfigMap", "cluster-autoscaler-priority-expander"),
        ),
        (KARPENTER, ("EC2NodeClass", "support-chat"), ("Chart", "karpenter")),
        # Deleted first, so that Karpenter takes its nodes while it can still launch and end them.
        (KARPENTER, ("NodePool", "support-chat"), ("EC2NodeClass", "support-chat")),
    ],
)
def test_what_needs_another_comes_after_it(changes, later, earlier):
    resources = registered("staging", changes)
    (found,) = [each for each in resources if (each.kind, each.name) == later]

    assert earlier in kinds(before(found, resources))


@pytest.mark.parametrize("stack", ON_AWS)
def test_every_object_is_joined_with_the_decision(stack):
    decision = plan_of(stack).decision[:16]
    labelled = [
        each.inputs["metadata"]["labels"]["breakeven/decision"]
        for each in registered(stack)
        if "metadata" in each.inputs and each.kind != "Namespace"
    ]

    assert set(labelled) == {decision}


def test_volumes_are_encrypted_with_the_stacks_key_tagged_and_made_where_the_pod_is():
    plan = plan_of("prod")
    (found,) = [each for each in registered("prod") if each.kind == "StorageClass"]
    parameters: Any = found.inputs["parameters"]
    tags = {value for key, value in parameters.items() if key.startswith("tagSpecification_")}

    assert (parameters["encrypted"], parameters["kmsKeyId"]) == ("true", AROUND.key_arn)
    # Without the decision's: a class cannot change, and a new decision would ask for it.
    assert tags == {f"{key}={value}" for key, value in lasting(plan.tags).items()}
    assert found.inputs["volumeBindingMode"] == "WaitForFirstConsumer"


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_stacks_prometheus_may_look_for_pods_beside_the_gpus_and_for_nothing_else(stack):
    beside: list[Any] = [
        each
        for each in registered(stack)
        if each.inputs.get("metadata", {}).get("namespace") == "gpu-add-ons"
    ]
    (role,) = [each for each in beside if each.kind == "Role"]
    (binding,) = [each for each in beside if each.kind == "RoleBinding"]

    assert role.inputs["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    ]
    assert binding.inputs["subjects"] == [
        {"kind": "ServiceAccount", "name": "prometheus", "namespace": f"serving-{stack}"}
    ]


@pytest.mark.parametrize("stack", ON_AWS)
def test_all_is_closed_in_every_namespace(stack):
    plan = in_cluster(stack)
    closed = {
        each["metadata"]["namespace"]
        for each in plan.policies
        if each["spec"]
        == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} | {"ingress": [], "egress": []}
    }

    assert closed == {*plan.namespaces}


@pytest.mark.parametrize("changes", [{}, CLOSED])
def test_without_a_way_out_no_policy_names_an_address_that_is_not_inside(changes):
    inside = [ipaddress.ip_network(each) for each in ("10.40.0.0/16", "172.20.0.0/16")]
    agent = ipaddress.ip_network("169.254.170.23/32")
    named = [
        ipaddress.ip_network(each["cidr"])
        for each in within(list(in_cluster("regulated", changes).policies))
        if "cidr" in each
    ]

    assert agent in named
    assert all(
        any(each.subnet_of(own) for own in inside)  # type: ignore[arg-type]
        for each in named
        if each != agent
    )


GPU = {"nvidia-device-plugin", "dcgm-exporter"}


@pytest.mark.parametrize(
    ("stack", "changes", "wanted"),
    [
        ("prod", {}, {"cluster-autoscaler", "keda", "keda-metrics-apiserver"}),
        ("shadow", {}, {"cluster-autoscaler"}),
        ("shadow", KARPENTER, {"karpenter"}),
    ],
)
def test_the_images_are_among_those_that_the_stack_needs(stack, changes, wanted):
    plan = plan_of(stack, changes)
    needed = needed_images(plan.stack)
    all_known = {"cluster-autoscaler", "keda", "keda-metrics-apiserver", "karpenter"} | GPU

    assert needed & all_known == wanted | GPU
    with pytest.raises(InputError, match=r"dcgm-exporter(.|\n)*placeholder"):
        stack_images({}, needed, plan.eks, file="stack.yaml")
