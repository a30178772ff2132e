"""What every new cluster needs before it can serve: planned first, then registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from components.aws.plan import AwsPlan
from components.aws.tags import lasting
from components.eks import cluster_autoscaler, gpu_daemons
from components.eks.charts import ChartPlan, chart_plans
from components.eks.cluster_autoscaler import (
    CLUSTER_RULES,
    PRIORITIES,
    autoscaler_workload,
    check_version,
    priorities,
)
from components.eks.gpu_daemons import Daemon
from components.eks.gpu_daemons import gpu_daemons as both_daemons
from components.eks.karpenter import NodeSurroundings, node_classes, node_pools
from components.eks.policies import cluster_policies
from components.eks.storage_class import NAME as STORAGE_CLASS
from components.eks.storage_class import storage_class
from components.images import Images
from components.labels import labels, namespace_name, selector
from components.network.component import NetworkPolicies
from components.observability import prometheus
from components.workload import Part, Workload

RESTRICTED: Final = "restricted"


@dataclass(frozen=True, kw_only=True)
class InClusterPlan:
    """What is known before the first resource."""

    aws: AwsPlan
    namespaces: Mapping[str, str]
    """Pod Security level that each enforces."""
    autoscaler: Workload | None
    """None where Karpenter adds nodes."""
    priorities: Mapping[str, str]
    """File of the autoscaler's priority expander; empty where nothing has a fallback."""
    daemons: tuple[Daemon, ...]
    charts: tuple[ChartPlan, ...]
    policies: tuple[dict[str, Any], ...]


def in_cluster_plan(plan: AwsPlan, images: Images, *, file: str) -> InClusterPlan:
    """Return what is made in the cluster of a stack.

    Raises:
        InputError: the autoscaler's image is of another Kubernetes version than the cluster.
    """
    charts = chart_plans(plan, images)
    if not plan.karpenter:
        check_version(plan, images, file=file)
    own = () if plan.karpenter else (cluster_autoscaler.NAME,)
    restricted = (*own, *(chart.name for chart in charts))
    return InClusterPlan(
        aws=plan,
        namespaces={
            **dict.fromkeys(restricted, RESTRICTED),
            gpu_daemons.NAMESPACE: "privileged",  # why is said there
        },
        autoscaler=None if plan.karpenter else autoscaler_workload(plan, images),
        priorities={} if plan.karpenter else priorities(plan),
        daemons=both_daemons(images),
        charts=charts,
        policies=tuple(cluster_policies(plan)),
    )


class InCluster(pulumi.ComponentResource):
    """Namespaces, node scaling, GPU daemons, storage class, and KEDA where a pool follows the load."""

    ready: list[pulumi.Resource]
    """What must be there before what serves, and leave after it."""

    def __init__(
        self,
        plan: InClusterPlan,
        around: NodeSurroundings,
        opts: ResourceOptions | None = None,
    ) -> None:
        """`opts` holds the cluster's provider, and depends on what pods need to be scheduled."""
        super().__init__("breakeven:eks:InCluster", "in-cluster", None, opts)
        self._plan, self._child = plan, ResourceOptions(parent=self)
        self._spaces = {name: self._namespace(name) for name in plan.namespaces}
        self._policies()
        self.ready = [self._storage_class(around), *self._gpu_daemons()]
        self._scraped()
        if plan.autoscaler:
            self.ready.append(self._autoscaler(plan.autoscaler))
        self._charts = {chart.name: self._chart(chart) for chart in plan.charts}
        self.ready += [*self._charts.values(), *self._karpenter(around)]
        self.register_outputs({})

    def _labels(self, component: str) -> Mapping[str, str]:
        return labels(component, component, decision=self._plan.aws.decision)

    def _in(self, namespace: str, *after: pulumi.Resource) -> ResourceOptions:
        return ResourceOptions(parent=self, depends_on=[self._spaces[namespace], *after])

    def _namespace(self, name: str) -> k8s.core.v1.Namespace:
        level = self._plan.namespaces[name]
        enforce = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
        return k8s.core.v1.Namespace(
            name, metadata={"name": name, "labels": enforce}, opts=self._child
        )

    def _policies(self) -> None:
        for name in self._plan.namespaces:
            own = [each for each in self._plan.policies if each["metadata"]["namespace"] == name]
            NetworkPolicies(name, own, self._labels("network"), self._in(name))

    def _storage_class(self, around: NodeSurroundings) -> pulumi.Resource:
        # Its parameters cannot change: a new decision must not ask for it.
        tags = lasting(self._plan.aws.tags)
        args = storage_class(tags, around.key_arn, self._labels(STORAGE_CLASS))
        return k8s.storage.v1.StorageClass(STORAGE_CLASS, args, self._child)

    def _gpu_daemons(self) -> list[pulumi.Resource]:
        return [self._daemon(each) for each in self._plan.daemons]

    def _daemon(self, daemon: Daemon) -> pulumi.Resource:
        chosen = selector(daemon.name, daemon.name)
        metadata = k8s.meta.v1.ObjectMetaArgs(
            name=daemon.name,
            namespace=gpu_daemons.NAMESPACE,
            labels=dict(self._labels(daemon.name)),
        )
        account = k8s.core.v1.ServiceAccount(
            daemon.name,
            metadata=metadata,
            automount_service_account_token=False,
            opts=self._in(gpu_daemons.NAMESPACE),
        )
        return k8s.apps.v1.DaemonSet(
            daemon.name,
            metadata=metadata,
            spec={
                "selector": {"match_labels": chosen},
                "template": {"metadata": {"labels": chosen}, "spec": daemon.pod},
            },
            opts=self._in(gpu_daemons.NAMESPACE, account),
        )

    def _scraped(self) -> None:
        """Let the stack's Prometheus find the exporter's pods: its own Role ends at its namespace."""
        name, space = prometheus.NAME, gpu_daemons.NAMESPACE
        metadata = k8s.meta.v1.ObjectMetaArgs(
            name=name, namespace=space, labels=dict(self._labels(name))
        )
        serving = namespace_name(self._plan.aws.name)
        role = k8s.rbac.v1.Role(
            name, metadata=metadata, rules=[prometheus.SEES_PODS], opts=self._in(space)
        )
        k8s.rbac.v1.RoleBinding(
            name,
            metadata=metadata,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            subjects=[{"kind": "ServiceAccount", "name": name, "namespace": serving}],
            opts=self._in(space, role),
        )

    def _autoscaler(self, workload: Workload) -> pulumi.Resource:
        name, own = workload.name, self._labels(workload.component)
        role = k8s.rbac.v1.ClusterRole(
            name,
            metadata={"name": name, "labels": dict(own)},
            rules=list(CLUSTER_RULES),
            opts=self._child,
        )
        binding = k8s.rbac.v1.ClusterRoleBinding(
            name,
            metadata={"name": name, "labels": dict(own)},
            role_ref={
                "api_group": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": name,
            },
            subjects=[{"kind": "ServiceAccount", "name": name, "namespace": name}],
            opts=self._child,
        )
        read = [role, binding, *self._priorities(name, own)]
        return Part(workload, name, own, self._in(name, *read))

    def _priorities(self, namespace: str, own: Mapping[str, str]) -> list[pulumi.Resource]:
        """Register what the priority expander wants to find when it starts; it sees changes by itself."""
        if not self._plan.priorities:
            return []
        metadata = k8s.meta.v1.ObjectMetaArgs(
            name=PRIORITIES, namespace=namespace, labels=dict(own)
        )
        data = dict(self._plan.priorities)
        return [
            k8s.core.v1.ConfigMap(
                PRIORITIES, metadata=metadata, data=data, opts=self._in(namespace)
            )
        ]

    def _chart(self, chart: ChartPlan) -> pulumi.Resource:
        """Register a chart as the objects that it renders.

        A preview shows each, one that does not come up is named, and definitions are upgraded too.
        """
        return k8s.helm.v4.Chart(
            chart.name,
            chart=chart.chart,
            version=chart.version,
            repository_opts={"repo": chart.repository} if chart.repository else None,
            namespace=chart.name,
            values=dict(chart.values),
            opts=self._in(chart.name),
        )

    def _karpenter(self, around: NodeSurroundings) -> list[pulumi.Resource]:
        """Register what Karpenter may launch; NodePools go first, and Karpenter takes their nodes."""
        plan, own = self._plan.aws, self._labels("karpenter")
        if not plan.karpenter:
            return []
        before: list[pulumi.Resource] = [self._charts["karpenter"]]
        for manifest in (*node_classes(plan, around, own), *node_pools(plan, own)):
            kind, name = manifest["kind"], manifest["metadata"]["name"]
            before.append(
                k8s.apiextensions.CustomResource(
                    name,
                    api_version=manifest["apiVersion"],
                    kind=kind,
                    metadata=manifest["metadata"],
                    spec=manifest["spec"],
                    opts=ResourceOptions(parent=self, depends_on=[*before]),
                )
            )
        return before[1:]
