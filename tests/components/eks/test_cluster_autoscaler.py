"""The Cluster Autoscaler: what it is told, and what it may do."""

import re
from typing import Any

import pytest
import yaml

from components.eks.cluster_autoscaler import (
    CLUSTER_RULES,
    PRIORITIES,
    RULES,
    arguments,
    check_version,
    priorities,
)
from components.images import locked_images
from stacks.errors import InputError
from tests.components.aws.registered import plan_of
from tests.components.eks.plans import SPOT, in_cluster

FOUND_BY = "k8s.io/cluster-autoscaler"
ID = "4ccb1fd1-0a6e-1f2b-b1fd-0a6e1f2bb1fd"
LONG = {
    "models[0].serving.drain_seconds": 1800,
    "gateway.longest_request_seconds": 1800,
    "gateway.longest_silence_seconds": 1900,
}


@pytest.mark.parametrize(
    ("stack", "changes", "argument"),
    [
        (
            "prod",
            {},
            f"--node-group-auto-discovery=asg:tag={FOUND_BY}/enabled,{FOUND_BY}/breakeven-prod",
        ),
        ("prod", {}, "--namespace=cluster-autoscaler"),
        ("prod", {}, "--aws-use-static-instance-list=false"),
        ("regulated", {}, "--aws-use-static-instance-list=true"),
        ("prod", {}, "--max-node-provision-time=480s"),  # twice 240 s
        ("prod", {"target.gpu_nodes.start_seconds": 60}, "--max-node-provision-time=300s"),
        ("prod", {}, "--max-graceful-termination-sec=600"),
        ("shadow", LONG, "--max-graceful-termination-sec=1830"),  # 15 + 1800 + 15
        ("staging", SPOT, "--expander=priority"),
    ],
)
def test_an_argument_follows_from_the_stack(stack, changes, argument):
    assert argument in arguments(plan_of(stack, changes))


def test_the_priority_expander_is_for_pools_with_a_fallback_only():
    assert not any("expander" in each for each in arguments(plan_of("staging")))
    assert priorities(plan_of("staging")) == {}


@pytest.mark.parametrize(
    ("group", "highest"),
    [
        (f"eks-support-chat-0a1b2c3-{ID}", 20),
        (f"eks-support-chat-on-demand-0a1b2c3-{ID}", 10),
        (f"eks-system-0a1b2c3-{ID}", 10),
    ],
)
def test_spot_is_asked_first_and_the_fallback_after_it(group, highest):
    declared = yaml.safe_load(priorities(plan_of("staging", SPOT))["priorities"])
    matching = [
        priority
        for priority, patterns in declared.items()
        if any(re.search(pattern, group) for pattern in patterns)
    ]

    assert max(matching) == highest


@pytest.mark.parametrize(
    "image",
    [
        "registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.2@sha256:0",
        "registry.example.com:5000/cluster-autoscaler:v1.3.6@sha256:0",
    ],
)
def test_an_autoscaler_of_another_kubernetes_version_is_refused(image):
    with pytest.raises(InputError, match=r"images.cluster-autoscaler(.|\n)*v1\.36\."):
        check_version(plan_of("prod"), {"cluster-autoscaler": image}, file="stack.yaml")


@pytest.mark.parametrize("image", ["registry.example.com:5000/scaler@sha256:0", None])
def test_one_of_its_version_or_without_a_tag_is_taken(image):
    images = locked_images() if image is None else {"cluster-autoscaler": image}

    check_version(plan_of("prod"), images, file="stack.yaml")


def test_it_changes_nothing_in_the_cluster_but_nodes_and_pods():
    rules: Any = CLUSTER_RULES
    reads = {"get", "list", "watch"}
    changed = {
        (name, verb)
        for rule in rules
        for name in rule["resources"]
        for verb in {*rule["verbs"]} - reads
    }

    assert changed == {
        ("nodes", "update"),
        ("pods/eviction", "create"),
        ("pods/status", "update"),
        ("events", "create"),
        ("events", "patch"),
    }
    assert not any("secrets" in rule["resources"] for rule in (*rules, *RULES))


def test_it_sees_what_the_scheduler_of_its_version_looks_at():
    rules: Any = CLUSTER_RULES
    seen = {name for rule in rules if "watch" in rule["verbs"] for name in rule["resources"]}

    assert {"resourceslices", "resourceclaims", "deviceclasses", "volumeattachments"} <= seen


def test_it_may_read_its_priorities():
    rules: Any = RULES

    assert any(
        PRIORITIES in rule.get("resource_names", ()) and "get" in rule["verbs"] for rule in rules
    )


def test_two_run_before_anything_that_can_wait():
    workload = in_cluster("prod").autoscaler
    assert workload is not None

    assert workload.replicas == 2
    assert workload.pod["priority_class_name"] == "system-cluster-critical"
