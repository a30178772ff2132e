"""The control plane, and who may use it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from components.aws.names import partition, slug
from components.aws.roles import ServiceRole
from stacks.aws.target import Cluster, PrivateApi, PublicApi

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""All that EKS has."""
ADMINISTRATOR = "AmazonEKSClusterAdminPolicy"
HTTPS = 443
TIMEOUTS = pulumi.CustomTimeouts(create="40m", update="90m", delete="40m")
"""Ten minutes as a rule; a new version takes up to an hour."""


@dataclass(frozen=True, kw_only=True)
class ControlPlaneArgs:
    """What the control plane is made of."""

    name: str
    region: str
    declared: Cluster
    protect: bool
    role: ServiceRole
    key_arn: Input[str]
    """Of Secrets and logs."""
    subnet_ids: Sequence[Input[str]]
    service_cidr: str
    """Addresses of Services, which network policies name."""


class ControlPlane(pulumi.ComponentResource):
    """An EKS cluster that nobody administers but those who are declared."""

    name: Output[str]
    arn: Output[str]
    endpoint: Output[str]
    certificate_authority: Output[str]
    """As base64."""
    security_group_id: Output[str]
    """The cluster security group, which EKS makes; every node of a managed group has it."""
    access: list[pulumi.Resource]
    """What administrators need before they reach the Kubernetes API, and it knows them."""

    def __init__(
        self, name: str, args: ControlPlaneArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("breakeven:aws:ControlPlane", name, None, opts)
        self._args, self._child = args, ResourceOptions(parent=self)
        self.cluster = self._cluster(self._logs())
        self.name, self.arn = self.cluster.name, self.cluster.arn
        self.endpoint = self.cluster.endpoint
        authority = self.cluster.certificate_authority
        self.certificate_authority = authority.apply(lambda found: found.data or "")
        vpc = self.cluster.vpc_config
        self.security_group_id = vpc.apply(lambda found: found.cluster_security_group_id or "")
        self.access = [self._administrator(arn) for arn in args.declared.administrators]
        api = args.declared.api
        if isinstance(api, PrivateApi):
            self.access += [self._reached_from(cidr) for cidr in api.cidrs]
        self.register_outputs({"name": self.name, "arn": self.arn})

    def _logs(self) -> aws.cloudwatch.LogGroup:
        """Make the log group before the cluster: the one that EKS would make is kept without an end."""
        return aws.cloudwatch.LogGroup(
            "control-plane",
            name=f"/aws/eks/{self._args.name}/cluster",
            retention_in_days=self._args.declared.log_retention_days,
            kms_key_id=self._args.key_arn,
            opts=self._child,
        )

    def _cluster(self, logs: aws.cloudwatch.LogGroup) -> aws.eks.Cluster:
        args, declared = self._args, self._args.declared
        cidrs = declared.api.cidrs if isinstance(declared.api, PublicApi) else ()
        return aws.eks.Cluster(
            "cluster",
            name=args.name,
            role_arn=args.role.arn,
            version=declared.version,
            bootstrap_self_managed_addons=False,  # add-ons are pinned
            deletion_protection=args.protect,
            access_config=aws.eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
            ),
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type=declared.support.upper()),
            vpc_config=aws.eks.ClusterVpcConfigArgs(
                subnet_ids=args.subnet_ids,
                endpoint_private_access=True,
                endpoint_public_access=bool(cidrs),
                public_access_cidrs=list(cidrs) or None,
            ),
            kubernetes_network_config=aws.eks.ClusterKubernetesNetworkConfigArgs(
                service_ipv4_cidr=args.service_cidr
            ),
            encryption_config=aws.eks.ClusterEncryptionConfigArgs(
                provider=aws.eks.ClusterEncryptionConfigProviderArgs(key_arn=args.key_arn),
                resources=["secrets"],
            ),
            enabled_cluster_log_types=LOG_TYPES,
            opts=ResourceOptions(
                parent=self, depends_on=[logs, *args.role.attached], custom_timeouts=TIMEOUTS
            ),
        )

    def _reached_from(self, cidr: str) -> pulumi.Resource:
        """Let a connected network in: EKS' group admits its own members only, which are the nodes."""
        return aws.vpc.SecurityGroupIngressRule(
            f"api-{cidr.replace('/', '-')}",
            security_group_id=self.security_group_id,
            description=f"Kubernetes API from {cidr}",
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._child,
        )

    def _administrator(self, arn: str) -> pulumi.Resource:
        """Let a role do everything in the cluster."""
        name = slug(arn.partition(":role/")[2])
        entry = aws.eks.AccessEntry(
            name, cluster_name=self.name, principal_arn=arn, opts=self._child
        )
        return aws.eks.AccessPolicyAssociation(
            name,
            cluster_name=self.name,
            principal_arn=entry.principal_arn,
            policy_arn=f"arn:{partition(self._args.region)}:eks::aws:cluster-access-policy/{ADMINISTRATOR}",
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=self._child,
        )
