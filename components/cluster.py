"""The cluster of a target: none that is asked, one that is there, or one that is made in an account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as k8s

from components.images import Images
from components.judged import Judged
from components.live_provider import live_provider
from components.own_registry import registry_problems
from stacks.aws.target import Eks
from stacks.errors import InputError
from stacks.stack import Stack
from stacks.target import Kubernetes, Render

if TYPE_CHECKING:  # pulumi_aws takes a second to import, which other targets need not wait for
    from components.aws.plan import AwsPlan
    from components.eks.in_cluster import InClusterPlan


@dataclass(frozen=True, kw_only=True)
class AccountPlan:
    """What is made before the serving components where the cluster is made too."""

    aws: "AwsPlan"
    within: "InClusterPlan"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where the serving components go."""

    provider: k8s.Provider
    ready: Sequence[pulumi.Resource] = ()
    """What must be there before the first of them, and leave after the last."""
    protect: bool | None = None
    """Whether they are protected as what they run on; None on a cluster that is not made here."""
    outputs: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """What a person needs of it after `up`: stack outputs, by name."""

    @property
    def options(self) -> pulumi.ResourceOptions:
        """Return what the serving components are registered with."""
        return pulumi.ResourceOptions(
            providers=[self.provider], depends_on=self.ready, protect=self.protect
        )


def account_plan(
    stack: Stack,
    judged: Mapping[str, Judged],
    images: Images,
    *,
    name: str,
    file: str,
    decision: str,
    system_vcpus: int,
) -> AccountPlan | None:
    """Return what is made in the account; None on a target that needs none.

    `system_vcpus` are those of one system node.

    Raises:
        InputError: the network is too small, an add-on is not pinned, or an image lies elsewhere.
    """
    if not isinstance(stack.target, Eks):
        return None
    from components.aws.plan import aws_plan  # noqa: PLC0415 - see above
    from components.eks.in_cluster import in_cluster_plan  # noqa: PLC0415

    if problems := registry_problems(stack, file=file):
        raise InputError(*problems)
    pools = {model: each.nodes for model, each in judged.items() if each.nodes}
    plan = aws_plan(
        stack, pools, name=name, file=file, decision=decision, system_vcpus=system_vcpus
    )
    return AccountPlan(aws=plan, within=in_cluster_plan(plan, images, file=file))


def cluster(target: Render | Kubernetes | Eks, account: AccountPlan | None) -> Cluster:
    """Return the cluster that the serving components are deployed to; an account's is made first."""
    match target:
        case Render():
            # A kubeconfig of the environment would reach the provider too, which refuses both at once.
            return Cluster(
                provider=k8s.Provider(
                    "manifests", render_yaml_to_directory=target.directory, kubeconfig=""
                )
            )
        case Kubernetes():
            return Cluster(
                provider=live_provider(kubeconfig=target.kubeconfig, context=target.context)
            )
        case Eks():
            assert account is not None  # noqa: S101 - account_plan has seen the same target
            return _made(account)


def _made(account: AccountPlan) -> Cluster:
    from components.aws.layer import Aws  # noqa: PLC0415 - see above
    from components.eks.in_cluster import InCluster  # noqa: PLC0415
    from components.eks.karpenter import NodeSurroundings  # noqa: PLC0415

    aws = Aws(account.aws)
    around = NodeSurroundings(
        subnet_ids=aws.network.private_subnet_ids,
        security_group_id=aws.control_plane.security_group_id,
        key_arn=aws.keys.data_arn,
    )
    # Of a protected stack a destroy would take the objects first, and stop at the account's.
    made = Cluster(provider=aws.provider, ready=aws.ready, protect=account.aws.protect or None)
    within = InCluster(account.within, around, made.options)
    return replace(made, ready=[*aws.ready, *within.ready], outputs=aws.outputs)
