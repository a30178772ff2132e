"""IAM roles: of the control plane, of the nodes, and of pods that talk to AWS."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from components.aws.names import partition
from components.aws.policies import pod_trust, trust, uses_key

CLUSTER_POLICIES = ("AmazonEKSClusterPolicy",)
NODE_POLICIES = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonSSMManagedInstanceCore",  # a shell on a node without SSH, and without an open port
)
EBS_CSI_POLICIES = ("service-role/AmazonEBSCSIDriverPolicy",)


@dataclass(frozen=True, kw_only=True)
class ServiceRole:
    """A role that a service of AWS takes on, with what it may do."""

    role: aws.iam.Role
    attached: tuple[pulumi.Resource, ...]
    """Without these it may do nothing; what uses the role comes after them, and leaves before."""

    @property
    def arn(self) -> Output[str]:
        """Return the role's ARN."""
        return self.role.arn


def service_role(
    name: str,
    trusted: str,
    opts: ResourceOptions,
    *,
    region: str,
    managed: Sequence[str] = (),
    own: Input[str] | None = None,
) -> ServiceRole:
    """Make a role; `managed` are policies of AWS, `own` is one of the stack's."""
    role = aws.iam.Role(name, assume_role_policy=trusted, opts=opts)
    attached: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{name}-{policy.rpartition('/')[2]}",
            role=role.name,
            policy_arn=f"arn:{partition(region)}:iam::aws:policy/{policy}",
            opts=opts,
        )
        for policy in managed
    ]
    if own is not None:
        attached.append(aws.iam.RolePolicy(name, role=role.name, policy=own, opts=opts))
    return ServiceRole(role=role, attached=tuple(attached))


class Roles(pulumi.ComponentResource):
    """The roles that every cluster needs."""

    cluster: ServiceRole
    node: ServiceRole
    ebs_csi: ServiceRole
    """Of the pods that make and attach volumes."""

    def __init__(
        self,
        name: str,
        *,
        region: str,
        data_key_arn: Output[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("breakeven:aws:Roles", name, None, opts)
        child = ResourceOptions(parent=self)
        self.cluster = service_role(
            "cluster",
            trust("eks.amazonaws.com"),
            child,
            region=region,
            managed=CLUSTER_POLICIES,
        )
        self.node = service_role(
            "node", trust("ec2.amazonaws.com"), child, region=region, managed=NODE_POLICIES
        )
        self.ebs_csi = service_role(
            "ebs-csi",
            pod_trust(),
            child,
            region=region,
            managed=EBS_CSI_POLICIES,
            own=data_key_arn.apply(uses_key),
        )
        self.register_outputs({"node": self.node.arn})
