"""All that is known of a stack's AWS resources before the first one."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.aws.add_ons import AddOnLock, add_on_versions, locked_add_ons
from components.aws.load_balancer import BalancerPlan, balancer_plan
from components.aws.names import bucket_name, cluster_name
from components.aws.node_groups import (
    NodeGroupPlan,
    check_names,
    gpu_groups,
    system_group,
)
from components.aws.pool_nodes import PoolNodes
from components.aws.subnets import SubnetPlan, plan_subnets
from components.aws.tags import stack_tags
from components.own_registry import repositories
from stacks.aws.target import Eks
from stacks.errors import Place
from stacks.stack import Stack


@dataclass(frozen=True, kw_only=True)
class AwsPlan:
    """What is made in the account."""

    stack: Stack
    eks: Eks
    """The stack's target."""
    name: str
    """Of the stack, as Pulumi knows it."""
    decision: str
    """Hash of the decision's inputs."""
    tags: Mapping[str, str]
    """On everything; what only one model needs has `tags.model_tags` of them."""
    subnets: SubnetPlan
    add_ons: Mapping[str, str]
    """Version of each add-on."""
    pools: Mapping[str, PoolNodes]
    """The nodes that may be bought, by model."""
    system: NodeGroupPlan
    balancer: BalancerPlan | None
    """None where clients are inside the cluster only."""
    repositories: Mapping[str, str]
    """Of the stack's own registry, by what is in them; empty where there is none."""
    gpu: tuple[NodeGroupPlan, ...]
    """Node groups of all models; with Karpenter nobody registers them, and their caps still hold."""

    @property
    def cluster_name(self) -> str:
        """Return the name of the cluster."""
        return cluster_name(self.name)

    @property
    def bucket_name(self) -> str:
        """Return the name of the model store's bucket, whether there is one or not."""
        return bucket_name(self.name, self.account)

    @property
    def account(self) -> str:
        """Return the only account that the stack may be deployed to."""
        return self.eks.account

    @property
    def region(self) -> str:
        """Return the region of everything."""
        return self.eks.region

    @property
    def zones(self) -> tuple[str, ...]:
        """Return the availability zones."""
        return self.eks.zones

    @property
    def protect(self) -> bool:
        """Return whether deletion is refused, for all of it or nothing."""
        return self.eks.protect

    @property
    def karpenter(self) -> bool:
        """Return whether Karpenter, not managed node groups, adds GPU nodes."""
        return self.eks.gpu_nodes.scaler == "karpenter"

    @property
    def node_groups(self) -> tuple[NodeGroupPlan, ...]:
        """Return the managed node groups that are made."""
        return (self.system, *(() if self.karpenter else self.gpu))


def aws_plan(
    stack: Stack,
    pools: Mapping[str, PoolNodes],
    *,
    name: str,
    file: str,
    decision: str,
    system_vcpus: int,
    lock: AddOnLock | None = None,
) -> AwsPlan:
    """Return the plan of the stack called `name`, whose target is an AWS account.

    `pools` holds what the decision priced, by model; `system_vcpus` are those of one system node.
    `lock` stands in for add_ons.yaml.

    Raises:
        InputError: two node groups would have one name, the VPC is too small for nodes and pods at
            their caps, a request may outlast the balancer, or an add-on of this Kubernetes version
            has no pinned version yet.
    """
    eks, place = stack.target, Place(file, "target")
    assert isinstance(eks, Eks), "the caller has looked at the target"  # noqa: S101
    tags = stack_tags(name, decision=decision, purpose=stack.purpose, further=eks.tags)
    system = system_group(eks, system_vcpus, tags)
    gpu = gpu_groups(stack, eks, pools, tags)
    check_names((system, *gpu), Place(file, "models"))
    versions = add_on_versions(eks.cluster.version, lock or locked_add_ons(), place)
    return AwsPlan(
        stack=stack,
        eks=eks,
        name=name,
        decision=decision,
        tags=tags,
        subnets=plan_subnets(eks, (system, *gpu), place.at("network.cidr")),
        add_ons=versions,
        pools=pools,
        system=system,
        balancer=balancer_plan(stack, file),
        repositories=repositories(stack, name) if eks.registry else {},
        gpu=gpu,
    )
