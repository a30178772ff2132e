"""What the AWS layer of a stack registers, without an engine and without AWS."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import yaml

from components.aws.add_ons import ADD_ONS, AddOnLock
from components.aws.layer import Aws
from components.aws.plan import AwsPlan, aws_plan
from gate.figures import figures
from tests.components.registered import Registered, registered_by
from tests.factories import STACKS, Changes, Declaration, decided, put

ON_AWS: Final = ("prod", "staging", "regulated", "shadow")
LOCK: Final[AddOnLock] = {
    minor: {name: f"v1.{index}.0-eksbuild.1" for index, name in enumerate(ADD_ONS)}
    for minor in ("1.35", "1.36")
}
"""Versions that nobody looked up: those that hold are not known where tests run."""


def declared(stack: str, changes: Changes | None = None) -> Declaration:
    """Return what a stack file declares, with values put in by path."""
    text = (STACKS / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    declaration: Declaration = yaml.safe_load(text)["config"]["breakeven:stack"]
    for path, value in (changes or {}).items():
        put(declaration, path, value)
    return declaration


def plan_of(stack: str, changes: Changes | None = None) -> AwsPlan:
    """Return the plan of a stack file, with what the gate says its pools buy."""
    decision = decided(declared(stack, changes))
    assert decision.system_nodes
    return aws_plan(
        decision.stack,
        {name: each.nodes for name, each in figures(decision).items() if each.nodes},
        name=stack,
        file=f"stacks/Pulumi.{stack}.yaml",
        decision=decision.inputs_hash,
        system_vcpus=decision.system_nodes.instance.vcpus,
        lock=LOCK,
    )


def registered(stack: str, changes: Changes | None = None) -> tuple[Registered, ...]:
    """Return what is registered for a stack file, in this order."""
    return _registered(stack, json.dumps(changes or {}))


@cache
def _registered(stack: str, changes: str) -> tuple[Registered, ...]:
    plan = plan_of(stack, json.loads(changes))

    def deploy() -> None:
        Aws(plan)

    return registered_by(deploy, computed)


def of_kind(kind: str, among: Sequence[Registered]) -> list[Registered]:
    """Return those of a kind, e.g. NodeGroup."""
    return [each for each in among if each.kind == kind]


def computed(kind: str, name: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what AWS would add to a resource, as far as others are made of it."""
    region, account = "us-east-1", "123456789012"
    service = kind.partition(":")[2].partition("/")[0]
    found: dict[str, Any] = {
        "arn": f"arn:aws:{service}:{region}:{account}:{name}",
        "name": inputs.get("name", f"{name}-0a1b2c3"),
    }
    match kind.rpartition(":")[2]:
        case "Cluster":
            vpc = {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-cluster"}
            authority = {"data": "Y2VydGlmaWNhdGU="}
            url = "https://0123456789.gr7.us-east-1.eks.amazonaws.com"
            found |= {"endpoint": url, "certificateAuthority": authority, "vpcConfig": vpc}
        case "NodeGroup":
            found["resources"] = [{"autoscalingGroups": [{"name": f"eks-{name}-0a1b2c3"}]}]
        case "LaunchTemplate":
            found["latestVersion"] = 1
        case "Queue":
            found["url"] = f"https://sqs.{region}.amazonaws.com/{account}/{name}"
        case "LoadBalancer":
            found["dnsName"] = f"{name}.{region}.elb.amazonaws.com"
    return found
