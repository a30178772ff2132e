"""The device plugin and the DCGM exporter run where GPUs are, with no more rights than that takes."""

from typing import Any

import pytest

from components.eks.gpu_daemons import gpu_daemons
from components.images import locked_images
from components.pods import GPU_TAINT
from tests.components.aws.registered import ON_AWS, plan_of
from tests.components.eks.plans import in_cluster

DAEMONS: Any = gpu_daemons(locked_images())


@pytest.mark.parametrize("stack", ON_AWS)
def test_they_run_on_every_gpu_node_and_on_no_other(stack):
    plan = plan_of(stack)
    for daemon in DAEMONS:
        selected = daemon.pod["node_selector"].items()
        (toleration,) = daemon.pod["tolerations"]

        assert all(selected <= group.labels.items() for group in plan.gpu)
        assert not selected <= plan.system.labels.items()
        assert (toleration["key"], toleration["operator"]) == (GPU_TAINT, "Exists")


def test_of_the_host_they_see_the_kubelets_two_folders_only():
    paths = {volume["host_path"]["path"] for each in DAEMONS for volume in each.pod["volumes"]}

    assert paths == {"/var/lib/kubelet/device-plugins", "/var/lib/kubelet/pod-resources"}
    assert not any(
        each.pod.get(shared)
        for each in DAEMONS
        for shared in ("host_network", "host_pid", "host_ipc")
    )


def test_they_have_no_account_to_speak_of_and_no_right_but_to_profile():
    capabilities = {
        each.name: each.pod["containers"][0]["security_context"]["capabilities"] for each in DAEMONS
    }

    assert capabilities == {
        "nvidia-device-plugin": {"drop": ["ALL"]},
        "dcgm-exporter": {"drop": ["ALL"], "add": ["SYS_ADMIN"]},
    }
    assert not any(each.pod["automount_service_account_token"] for each in DAEMONS)


@pytest.mark.parametrize("stack", ON_AWS)
def test_theirs_is_the_only_namespace_that_is_not_restricted(stack):
    levels = in_cluster(stack).namespaces

    assert {name for name, level in levels.items() if level != "restricted"} == {"gpu-add-ons"}
