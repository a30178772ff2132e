"""Everything that is made in the account, in one component."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.aws.add_ons import AFTER_NODES, BEFORE_NODES
from components.aws.audit import Audit, AuditArgs
from components.aws.cluster import ControlPlane, ControlPlaneArgs
from components.aws.installed_add_ons import AddOns, AddOnsArgs
from components.aws.keys import Keys, KeysArgs
from components.aws.kubeconfig import kubeconfig
from components.aws.load_balancer import BalancerNetwork, LoadBalancer
from components.aws.model_store import ModelStore, model_store_args
from components.aws.network import Network, NetworkArgs
from components.aws.node_pool import NodePool, NodePoolArgs
from components.aws.plan import AwsPlan
from components.aws.registry import Registry
from components.aws.roles import Roles
from components.aws.scaler_access import AutoscalerAccess, KarpenterAccess, ScalerArgs
from components.live_provider import live_provider
from stacks.aws import made

EBS_CSI = "aws-ebs-csi-driver"
EBS_CSI_ACCOUNT = "ebs-csi-controller-sa"


def account_provider(plan: AwsPlan) -> aws.Provider:
    """Return the provider of the stack's account and region; in any other account it refuses."""
    return aws.Provider(
        "aws",
        region=plan.region,
        allowed_account_ids=[plan.account],
        default_tags=aws.ProviderDefaultTagsArgs(tags=dict(plan.tags)),
    )


class Aws(pulumi.ComponentResource):
    """Network, cluster, nodes, balancer, weights: all that the serving components run on.

    Order: routes, endpoints and the network plugin before nodes; nodes before what runs on them. What
    is made later is deleted earlier.
    """

    provider: k8s.Provider
    """Of the cluster, once pods can run there and AWS lets them in."""
    ready: list[pulumi.Resource]
    """What must be there before the first pod, and leave after the last."""
    network: Network
    keys: Keys
    roles: Roles
    control_plane: ControlPlane
    nodes: dict[str, NodePool]
    """Managed node groups by name."""
    balancer: LoadBalancer | None
    model_store: ModelStore | None

    def __init__(self, plan: AwsPlan, opts: ResourceOptions | None = None) -> None:
        account = ResourceOptions(providers=[account_provider(plan)], protect=plan.protect)
        merged = ResourceOptions.merge(opts, account)
        super().__init__("breakeven:aws:Aws", plan.cluster_name, None, merged)
        self._plan, self._child = plan, ResourceOptions(parent=self)
        self.keys = self._keys()
        self.network = self._network()
        self.roles = Roles(
            "roles",
            region=plan.region,
            data_key_arn=self.keys.data_arn,
            opts=self._child,
        )
        self.control_plane = self._control_plane()
        before = self._add_ons("before-nodes", BEFORE_NODES, self.network.ready)
        self._before_nodes = [*self.network.ready, *before, *self.roles.node.attached]
        self.nodes = {group.name: self._node_pool(group.name) for group in plan.node_groups}
        self.model_store = self._model_store()
        self.balancer = self._balancer()
        after_system = [*self.roles.ebs_csi.attached, *self.nodes[plan.system.name].ready]
        after = self._add_ons("after-nodes", AFTER_NODES, after_system)
        grown = [each for pool in self.nodes.values() for each in pool.ready]
        self.ready = [*self.control_plane.access, *grown, *after, *self._scaler()]
        self.ready += [*self._registry(), *(self.model_store.ready if self.model_store else ())]
        self._audit()
        self.provider = self._cluster_provider()
        self.register_outputs({"cluster": self.control_plane.arn})

    @property
    def outputs(self) -> Mapping[str, pulumi.Input[str]]:
        """Return what a person needs after `up`: for kubectl, for the clients' host name, for weights."""
        found: dict[str, pulumi.Input[str]] = {"cluster": self.control_plane.name}
        if self.balancer:
            found["loadBalancer"] = self.balancer.dns_name
        if self.model_store:
            found["modelStore"] = f"s3://{self.model_store.bucket_name}"
        return found

    def _keys(self) -> Keys:
        plan = self._plan
        args = KeysArgs(
            cluster_name=plan.cluster_name,
            region=plan.region,
            account=plan.account,
            outlive=plan.eks.audit is not None,
        )
        return Keys("keys", args, self._child)

    def _network(self) -> Network:
        plan = self._plan
        args = NetworkArgs(
            name=plan.cluster_name,
            account=plan.account,
            region=plan.region,
            cidr=plan.eks.network.cidr,
            subnets=plan.subnets,
            nat_zones=made.nat_zones(plan.eks),
            interface_endpoints=made.interface_endpoints(plan.eks),
        )
        return Network("network", args, self._child)

    def _control_plane(self) -> ControlPlane:
        plan = self._plan
        args = ControlPlaneArgs(
            name=plan.cluster_name,
            region=plan.region,
            declared=plan.eks.cluster,
            protect=plan.protect,
            role=self.roles.cluster,
            key_arn=self.keys.cluster_arn,
            subnet_ids=[*self.network.private_subnet_ids.values()],
            service_cidr=made.service_cidr(plan.eks),
        )
        return ControlPlane("control-plane", args, self._child)

    def _add_ons(
        self, name: str, which: tuple[str, ...], after: list[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        args = AddOnsArgs(
            cluster_name=self.control_plane.name,
            names=which,
            versions=self._plan.add_ons,
            service_accounts={EBS_CSI: (EBS_CSI_ACCOUNT, self.roles.ebs_csi.arn)},
        )
        return AddOns(name, args, ResourceOptions(parent=self, depends_on=after)).ready

    def _node_pool(self, name: str) -> NodePool:
        plan = self._plan
        args = NodePoolArgs(
            plan=next(group for group in plan.node_groups if group.name == name),
            cluster_name=self.control_plane.name,
            version=plan.eks.cluster.version,
            ami_release=plan.eks.gpu_nodes.ami_release,
            role_arn=self.roles.node.arn,
            data_key_arn=self.keys.data_arn,
            subnet_ids=self.network.private_subnet_ids,
        )
        return NodePool(name, args, ResourceOptions(parent=self, depends_on=self._before_nodes))

    def _scaler(self) -> list[pulumi.Resource]:
        plan = self._plan
        args = ScalerArgs(
            cluster=plan.cluster_name,
            cluster_name=self.control_plane.name,
            region=plan.region,
            account=plan.account,
            node_role=self.roles.node,
            data_key_arn=self.keys.data_arn,
        )
        kind = KarpenterAccess if plan.karpenter else AutoscalerAccess
        return kind("scaler", args, self._child).ready

    def _model_store(self) -> ModelStore | None:
        args = model_store_args(
            self._plan, key_arn=self.keys.data_arn, cluster_name=self.control_plane.name
        )
        return ModelStore("models", args, self._child) if args else None

    def _balancer(self) -> LoadBalancer | None:
        plan, network = self._plan.balancer, self.network
        if plan is None:
            return None
        subnets = network.private_subnet_ids if plan.internal else network.public_subnet_ids
        around = BalancerNetwork(
            vpc_id=network.vpc_id,
            subnet_ids=[*subnets.values()],
            node_security_group_id=self.control_plane.security_group_id,
            system_group=self.nodes[self._plan.system.name].asg_name,
        )
        after = ResourceOptions(parent=self, depends_on=network.public_ready)
        return LoadBalancer("gateway", plan, around, after)

    def _registry(self) -> list[pulumi.Resource]:
        names = self._plan.repositories
        return Registry("images", names, self.keys.data_arn, self._child).ready if names else []

    def _audit(self) -> None:
        plan, declared = self._plan, self._plan.eks.audit
        if declared is None:
            return
        args = AuditArgs(
            cluster_name=plan.cluster_name,
            account=plan.account,
            region=plan.region,
            retention_days=declared.retention_days,
            vpc_id=self.network.vpc_id,
            model_bucket_arn=self.model_store.arn if self.model_store else None,
            log_key_arn=self.keys.cluster_arn,
            data_key_arn=self.keys.data_arn,
        )
        Audit("audit", args, self._child)

    def _cluster_provider(self) -> k8s.Provider:
        """Return the cluster's provider."""
        plane = self.control_plane
        config = Output.all(
            name=plane.name,
            endpoint=plane.endpoint,
            certificate_authority=plane.certificate_authority,
        ).apply(lambda found: kubeconfig(region=self._plan.region, **found))
        return live_provider(
            kubeconfig=config,
            cluster_identifier=plane.arn,
            opts=ResourceOptions(parent=self, depends_on=self.ready),
        )
