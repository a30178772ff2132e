"""What AWS refuses, and what it does by itself: references, deletions, nodes that cannot join."""

import json
from collections.abc import Iterator
from typing import Final

from tests.aws.account import AwsError, Contents, Thing
from tests.aws.kinds import kinds
from tests.aws.wire import UNKNOWN, Values, at

TO_JOIN: Final = ("ec2", "ecr.api", "ecr.dkr", "eks", "sts")
"""Services that a node must reach, or it never joins."""
NODE_POLICY: Final = "AmazonEKSWorkerNodePolicy"
NEEDS_NODES: Final = ("coredns", "metrics-server", "aws-ebs-csi-driver")
"""Add-ons that are Deployments: without a node they never become active."""
SCALING_GRANT: Final = ("AWSServiceRoleForAutoScaling", "kms:CreateGrant")
"""What the policy of a key says if instances with disks under it are to start."""
LONGEST: Final = {"lb.LoadBalancer": 32, "lb.TargetGroup": 32, "iam.Role": 64}
"""Characters of a name."""


def refuse_missing(thing: Thing, contents: Contents) -> None:
    """Raise AwsError if something that a new or changed thing names is not there."""
    kind = kinds()[thing.kind]
    for path in {**kind.needs, **kind.held_by}:
        owners = (*kind.needs.get(path, ()), *kind.held_by.get(path, ()))
        for value in at(thing.inputs, path):
            if _foreign(str(value), contents):
                continue
            if not any(value in names(each) for each in contents.of(*owners)):
                short = owners[0].split(".")[1]
                raise AwsError(
                    f"Invalid{short}.NotFound: {thing.kind} {path}: no {short} '{value}'"
                )


def refuse_held(thing: Thing, contents: Contents) -> None:
    """Raise AwsError if others keep a thing from being deleted."""
    kind = kinds()[thing.kind]
    if kind.kept_by and thing.inputs.get(kind.kept_by[0]):
        raise AwsError(kind.kept_by[1].format(id=thing.id))
    if not kind.in_use:
        return
    mine = names(thing)
    for other in contents.things:
        for path, owners in kinds()[other.kind].held_by.items():
            if other is not thing and thing.kind in owners and mine & set(at(other.inputs, path)):
                said = kind.in_use.format(id=thing.id)
                raise AwsError(f"{said} (held by {other.kind} {other.name})")


def names(thing: Thing) -> set[str]:
    """Return all by which others name a thing."""
    kind = kinds()[thing.kind]
    paths = ("arn", "name", *kind.known_by)
    return {thing.id, *(str(each) for path in paths for each in at(thing.outputs, path))}


def _foreign(value: str, contents: Contents) -> bool:
    """Return whether a value names what AWS has itself, or what another account has."""
    return value.startswith("arn:") and f":{contents.settings.account}:" not in value


def refuse_early_node_group(group: Thing, contents: Contents) -> None:
    """Raise AwsError if the nodes of a group would not join the cluster: what they need comes later."""
    for problem in _cannot_join(group, contents):
        raise AwsError(
            f"NodeCreationFailure: Instances failed to join the kubernetes cluster: {problem}"
        )


def _cannot_join(group: Thing, contents: Contents) -> Iterator[str]:
    cluster = group.inputs["clusterName"]
    role = str(group.inputs["nodeRoleArn"]).split("/")[-1]
    attached = contents.of("iam.RolePolicyAttachment")
    policies = [each.inputs["policyArn"] for each in attached if each.inputs["role"] == role]
    if not any(str(policy).endswith(NODE_POLICY) for policy in policies):
        yield f"role {role} has no {NODE_POLICY}"
    add_ons = [each.inputs for each in contents.of("eks.Addon")]
    if not any(a["clusterName"] == cluster and a["addonName"] == "vpc-cni" for a in add_ons):
        yield "no network plugin (vpc-cni)"
    endpoints = {each.inputs["serviceName"] for each in contents.of("ec2.VpcEndpoint")}
    closed = [name for name in TO_JOIN if not any(e.endswith(f".{name}") for e in endpoints)]
    for subnet in at(group.inputs, "subnetIds"):
        if closed and not _leads_out(subnet, contents):
            yield f"{subnet} has no way out, and no endpoint of {', '.join(closed)}"
    yield from _locked_disks(group, contents)


def _leads_out(subnet: str, contents: Contents) -> bool:
    associated = contents.of("ec2.RouteTableAssociation")
    tables = {a.inputs["routeTableId"] for a in associated if a.inputs.get("subnetId") == subnet}
    routes = [
        route
        for table in contents.of("ec2.RouteTable")
        if table.id in tables
        for route in table.inputs.get("routes") or []
    ]
    routes += [
        each.inputs for each in contents.of("ec2.Route") if each.inputs["routeTableId"] in tables
    ]
    return any(route.get("natGatewayId") or route.get("gatewayId") for route in routes)


def _locked_disks(group: Thing, contents: Contents) -> Iterator[str]:
    """Yield that instances end at once: Auto Scaling may not use the key of their disks."""
    template = contents.find("ec2.LaunchTemplate", next(at(group.inputs, "launchTemplate.id"), ""))
    for used in at(template.inputs if template else {}, "blockDeviceMappings.ebs.kmsKeyId"):
        for key in contents.of("kms.Key"):
            policy = str(key.inputs.get("policy"))
            if used in names(key) and not all(word in policy for word in SCALING_GRANT):
                yield f"Client.InvalidKMSKey.InvalidState: key {key.name} does not let Auto Scaling in"


def refuse_add_on_without_nodes(add_on: Thing, contents: Contents) -> None:
    """Raise AwsError if an add-on would wait for nodes without end."""
    cluster, name = add_on.inputs["clusterName"], add_on.inputs["addonName"]
    groups = [each.inputs["clusterName"] for each in contents.of("eks.NodeGroup")]
    if name in NEEDS_NODES and cluster not in groups:
        raise AwsError(
            f"timeout while waiting for add-on {name}: DEGRADED, InsufficientNumberOfReplicas"
        )


def refuse_mapped_addresses(gateway: Thing, contents: Contents) -> None:
    """Raise AwsError if public addresses still lead through an internet gateway."""
    vpc = gateway.inputs.get("vpcId")
    subnets = {each.id for each in contents.of("ec2.Subnet") if each.inputs["vpcId"] == vpc}
    mapped = [each for each in contents.of("ec2.NatGateway") if each.inputs["subnetId"] in subnets]
    mapped += [
        each
        for each in contents.of("lb.LoadBalancer")
        if not each.inputs.get("internal") and subnets & set(at(each.inputs, "subnets"))
    ]
    if mapped:
        raise AwsError(f"DependencyViolation: Network {vpc} has some mapped public address(es)")


def refuse_unwritable_bucket(writer: Thing, contents: Contents) -> None:
    """Raise AwsError if no policy lets AWS write logs to a bucket."""
    bucket = writer.inputs.get("s3BucketName") or next(at(writer.inputs, "accessLogs.bucket"), None)
    allowed = [each.inputs["bucket"] for each in contents.of("s3.BucketPolicy")]
    if bucket and bucket not in allowed:
        raise AwsError(f"InsufficientS3BucketPolicyException: no policy lets logs into {bucket}")


def refuse_full_bucket(bucket: Thing, _: Contents) -> None:
    """Raise AwsError if a bucket has objects that its deletion would not take, or may not."""
    if bucket.written and not bucket.inputs.get("forceDestroy"):
        raise AwsError(f"BucketNotEmpty: The bucket {bucket.id} you tried to delete is not empty")
    if bucket.written and bucket.locked:
        raise AwsError(f"AccessDenied: objects in {bucket.id} are protected by Object Lock")


def refuse_locked_log_group(group: Thing, contents: Contents) -> None:
    """Raise AwsError if CloudWatch may not use the key of a log group."""
    for key in contents.of("kms.Key"):
        if group.inputs.get("kmsKeyId") in names(key) and "logs." not in str(
            key.inputs.get("policy")
        ):
            raise AwsError(
                f"AccessDeniedException: key {key.name} is not allowed to be used with {group.id}"
            )


def malformed(kind: str, inputs: Values) -> Iterator[tuple[str, str]]:
    """Yield the properties that have a form which the real provider refuses, and why."""
    for name in ("policy", "assumeRolePolicy"):
        try:
            json.loads("{}" if inputs.get(name) in (None, UNKNOWN) else inputs[name])
        except ValueError:
            yield name, f'"{name}" contains an invalid JSON policy'
    if len(str(inputs.get("name", ""))) > LONGEST.get(kind, 255):
        yield "name", f'"name" cannot be longer than {LONGEST[kind]} characters'
