"""A regulated stack, from what is registered for it: nothing leads out, and nothing comes from outside."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from components.eks.in_cluster import InCluster, in_cluster_plan
from components.eks.karpenter import NodeSurroundings
from components.images import stack_images
from components.needed_images import every_image, field_of, needed_images
from components.own_registry import own_image, registry_host
from components.serving import Serving, serving_plan
from stacks.reading import parse_stack
from stacks.target import Render
from tests.components.aws.registered import declared, of_kind, plan_of, registered
from tests.components.registered import JUDGED, Registered, before, registered_by
from tests.factories import AS_OF

NAME, FILE = "regulated", "stacks/Pulumi.regulated.yaml"
REQUIRED = {
    *("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts", "s3", "logs", "kms"),
    *("autoscaling", "elasticloadbalancing"),
}
"""Services without which nodes do not join, pods have no role or no image, or nobody can log in."""
WAYS_OUT = {"InternetGateway", "NatGateway", "Eip", "EgressOnlyInternetGateway", "Route"}
OPEN = ("0.0.0.0/0", "::/0")


@cache
def own_images() -> Mapping[str, object]:
    """Return the changes by which every image of the stack is where it must be."""
    stack = parse_stack(declared(NAME), file=FILE)
    own = {field_of(path): own_image(stack, NAME, path) for path in every_image(stack)}
    parts = {name.partition(".")[2]: i for name, i in own.items() if name.startswith("images.")}
    return {"images": parts, "models[0].serving.image": own["models[0].serving.image"]}


@cache
def served() -> tuple[Registered, ...]:
    """Return what is registered in the cluster."""
    account = plan_of(NAME, own_images())
    # Neither secrets nor digests are known here; the flows follow the target that is declared.
    render = Render(kind="render", directory="out")
    images = stack_images(account.stack.images, needed_images(account.stack), render, file=FILE)
    cluster = in_cluster_plan(account, images, file=FILE)
    plan = serving_plan(
        account.stack,
        {model.name: JUDGED for model in account.stack.models},
        name=NAME,
        file=FILE,
        target=render,
        secrets={},
        decision=account.decision,
        today=AS_OF,
    )
    around = NodeSurroundings(subnet_ids={}, security_group_id="sg", key_arn="arn")

    def deploy() -> None:
        InCluster(cluster, around)
        Serving(plan, hub_token=None)

    return registered_by(deploy)


def everything() -> tuple[Registered, ...]:
    return (*registered(NAME), *served())


def texts(value: Any) -> Iterator[str]:
    """Yield every text within, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def open_to_all(among: Sequence[Registered]) -> list[str]:
    """Return what names every address there is."""
    return [each.name for each in among if not {*OPEN}.isdisjoint(texts(each.inputs))]


def ways_out(among: Sequence[Registered]) -> list[str]:
    """Return what leads to the internet: gateways, routes, subnets that give public addresses."""
    return [
        each.name
        for each in among
        if each.kind in WAYS_OUT
        or (each.kind == "RouteTable" and each.inputs.get("routes"))
        or each.inputs.get("mapPublicIpOnLaunch")
    ]


def endpoints(among: Sequence[Registered]) -> set[str]:
    """Return the services that have an interface endpoint under their own name."""
    return {
        each.inputs["serviceName"].removeprefix("com.amazonaws.us-east-1.")
        for each in of_kind("VpcEndpoint", among)
        if each.inputs["vpcEndpointType"] == "Interface" and each.inputs["privateDnsEnabled"]
    }


def images(among: Sequence[Registered]) -> set[str]:
    """Return the image of each container."""
    pods = [pod["spec"] for each in among for pod in each.pods()]
    return {
        container["image"]
        for pod in pods
        for container in (*pod["containers"], *pod.get("initContainers", ()))
    }


def from_elsewhere(among: Sequence[Registered]) -> set[str]:
    """Return the images that do not lie in the account's registry, or not by digest."""
    host = re.escape(registry_host(plan_of(NAME).eks))
    own = re.compile(rf"{host}/[^@]+@sha256:[0-9a-f]{{64}}")
    return {image for image in images(among) if not own.fullmatch(image)}


def open_namespaces(among: Sequence[Registered]) -> set[str]:
    """Return the namespaces without a policy that closes them, both ways and for every pod."""
    made = {
        each.inputs["metadata"]["name"]
        for each in among
        if each.type == "kubernetes:core/v1:Namespace"
    }
    closed = {
        each.inputs["metadata"]["namespace"]
        for each in of_kind("NetworkPolicy", among)
        if not each.inputs["spec"]["podSelector"].get("matchLabels")
        and {*each.inputs["spec"]["policyTypes"]} == {"Ingress", "Egress"}
        and not each.inputs["spec"].get("ingress")
        and not each.inputs["spec"].get("egress")
    }
    return made - closed


def test_nothing_is_open_to_every_address():
    assert open_to_all(everything()) == []


def test_what_is_open_elsewhere_is_found():
    assert {"public", "clients-0.0.0.0-0"} <= {*open_to_all(registered("prod"))}


def test_no_route_leads_to_the_internet():
    assert ways_out(registered(NAME)) == []


def test_a_way_out_is_found_where_there_is_one():
    assert {"internet", "public"} & {*ways_out(registered("prod"))}


def test_every_service_that_nodes_and_pods_need_has_a_private_address():
    assert endpoints(registered(NAME)) >= REQUIRED
    without = [each for each in registered(NAME) if each.name != "eks-auth"]
    assert REQUIRED - endpoints(without) == {"eks-auth"}


def test_every_image_comes_from_the_own_registry_by_its_digest():
    assert len(images(served())) > 5
    assert from_elsewhere(served()) == set()


@pytest.mark.parametrize("image", ["redis:7@sha256:" + 64 * "0", "docker.io/library/redis:7"])
def test_one_public_image_is_found(image: str):
    gateway = next(each for each in served() if each.pods())
    pod = {"spec": {"containers": [{"name": "a", "image": image}]}}

    assert from_elsewhere([replace(gateway, inputs={"template": pod})]) == {image}


def test_every_namespace_is_closed_but_for_what_is_opened():
    without = [each for each in served() if not each.name.endswith("deny-all")]

    assert open_namespaces(served()) == set()
    assert open_namespaces(without) == {"serving-regulated", "gpu-add-ons", "cluster-autoscaler"}


def test_each_repository_keeps_its_tags_is_scanned_and_encrypted():
    found = of_kind("Repository", registered(NAME))

    assert len(found) == len(every_image(plan_of(NAME).stack))
    for each in found:
        assert each.inputs["imageTagMutability"] == "IMMUTABLE"
        assert each.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
        (encryption,) = each.inputs["encryptionConfigurations"]
        assert (encryption["encryptionType"], encryption["kmsKey"][-5:]) == ("KMS", ":data")


def test_the_kubernetes_api_answers_inside_and_to_the_networks_that_are_named():
    (cluster,) = [
        each for each in of_kind("Cluster", registered(NAME)) if "vpcConfig" in each.inputs
    ]
    api = cluster.inputs["vpcConfig"]

    assert (api["endpointPrivateAccess"], api["endpointPublicAccess"]) == (True, False)
    (rule,) = [each for each in registered(NAME) if each.name.startswith("api-")]
    assert rule.inputs["securityGroupId"] == "sg-cluster"
    assert rule.inputs["cidrIpv4"] == "10.0.0.0/16"
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)
    assert rule in before(of_kind("kubernetes", registered(NAME))[0], registered(NAME))
