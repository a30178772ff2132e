"""One part of the deployment as a plain description, and the one component that registers it.

A part (gateway, router, collector, ...) is described by a pure function that returns a Workload; how
its Deployment, Service, ConfigMap, Secret, account and disruption budget hang together is said here.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, Output, ResourceOptions
from pulumi_kubernetes.apps.v1 import DeploymentStrategyArgsDict
from pulumi_kubernetes.core.v1 import PodSpecArgsDict, ServicePortArgsDict, ServiceSpecArgsDict
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

from components.labels import selector
from components.pods import STAYS

ROLLING: DeploymentStrategyArgsDict = {
    "type": "RollingUpdate",
    "rolling_update": {"max_surge": 1, "max_unavailable": 0},
}
FILES_DIGEST: Final = "breakeven/files"
"""Annotation of a pod's template: a digest of all that the pod reads only once."""
RECREATE: DeploymentStrategyArgsDict = {"type": "Recreate"}
"""For a single pod that keeps something: two never write to it."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What one part is made of; `component` and `instance` find its pods."""

    name: str
    """Name of all its objects; a part of the URNs, so it never changes on a living stack."""
    component: str
    instance: str
    replicas: int
    pod: PodSpecArgsDict
    ports: Mapping[str, int] = field(default_factory=dict)
    """Ports of the Service, by name; containers have the same numbers under the same names."""
    service_type: str = "ClusterIP"
    node_port: int | None = None
    """Port of every node that leads to the Service's one port; None where it is not of type NodePort."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files of its ConfigMap; a change replaces its pods."""
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Files of its Secret; a change replaces its pods."""
    reads: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """What its environment takes from Secrets of others, by `<secret>/<key>`; a change replaces its
    pods, which read it at their start only."""
    strategy: DeploymentStrategyArgsDict = field(default_factory=lambda: ROLLING)
    rules: tuple[PolicyRuleArgsDict, ...] = ()
    """What its account may do in the namespace; without any it has no token."""
    storage_gib: float | None = None
    """Size of a volume claim of its name; None where it keeps nothing."""
    await_s: int = 600
    """What `pulumi up` waits for it."""

    @property
    def stays(self) -> bool:
        """Whether it is one pod that nothing stands in for while it moves to another node.

        Prometheus, without which no pool is scaled, the counters of the limits, bundled stores.
        """
        return self.strategy == RECREATE

    @property
    def chosen(self) -> dict[str, str]:
        """The labels that find its pods."""
        return selector(self.component, self.instance)


class Part(pulumi.ComponentResource):
    """A registered Workload."""

    def __init__(
        self,
        workload: Workload,
        namespace: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        kind = workload.component.title().replace("-", "")
        super().__init__(f"breakeven:serving:{kind}", workload.name, None, opts)
        self._workload, self._child = workload, ResourceOptions(parent=self)
        self._metadata = k8s.meta.v1.ObjectMetaArgs(
            name=workload.name, namespace=namespace, labels=dict(labels) | workload.chosen
        )
        self._account()
        files = self._files()
        self._service()
        self._deployment(files)
        self.register_outputs({})

    def _account(self) -> None:
        work, meta = self._workload, self._metadata
        k8s.core.v1.ServiceAccount(
            work.name, metadata=meta, automount_service_account_token=False, opts=self._child
        )
        if not work.rules:
            return
        k8s.rbac.v1.Role(work.name, metadata=meta, rules=list(work.rules), opts=self._child)
        k8s.rbac.v1.RoleBinding(
            work.name,
            metadata=meta,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": work.name},
            subjects=[{"kind": "ServiceAccount", "name": work.name}],
            opts=self._child,
        )

    def _files(self) -> list[pulumi.Resource]:
        """Register what its pods read at their start, and return it."""
        work, meta = self._workload, self._metadata
        read: list[pulumi.Resource] = []
        if work.files:
            files = dict(work.files)
            read.append(
                k8s.core.v1.ConfigMap(work.name, metadata=meta, data=files, opts=self._child)
            )
        if work.secrets:
            values = dict(work.secrets)
            read.append(
                k8s.core.v1.Secret(work.name, metadata=meta, string_data=values, opts=self._child)
            )
        if work.storage_gib:
            k8s.core.v1.PersistentVolumeClaim(
                work.name,
                # Most classes bind a claim only when its first pod is there: nothing to wait for.
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    name=meta.name,
                    namespace=meta.namespace,
                    labels=meta.labels,
                    annotations={"pulumi.com/skipAwait": "true"},
                ),
                spec={
                    "access_modes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": f"{work.storage_gib:g}Gi"}},
                },
                opts=self._child,
            )
        return read

    def _service(self) -> None:
        work, meta = self._workload, self._metadata
        if work.ports:
            k8s.core.v1.Service(work.name, metadata=meta, spec=service_spec(work), opts=self._child)
        if work.replicas > 1:
            k8s.policy.v1.PodDisruptionBudget(
                work.name,
                metadata=meta,
                spec={"max_unavailable": 1, "selector": {"match_labels": work.chosen}},
                opts=self._child,
            )

    def _deployment(self, read: Sequence[pulumi.Resource]) -> None:
        work, wait = self._workload, f"{self._workload.await_s}s"
        hashed = digest(work.files, {**work.secrets, **work.reads})
        k8s.apps.v1.Deployment(
            work.name,
            metadata=self._metadata,
            spec={
                "replicas": work.replicas,
                "selector": {"match_labels": work.chosen},
                "strategy": work.strategy,
                "template": {
                    "metadata": {
                        "labels": work.chosen,
                        "annotations": {FILES_DIGEST: hashed, **(STAYS if work.stays else {})},
                    },
                    "spec": work.pod,
                },
            },
            opts=ResourceOptions(
                parent=self,
                # A pod of the new template that started before them would keep the old values.
                depends_on=read,
                custom_timeouts=CustomTimeouts(create=wait, update=wait),
            ),
        )


def service_spec(work: Workload) -> ServiceSpecArgsDict:
    """Return the Service of a workload that has ports.

    Behind a node port every node leads to every ready pod (`Cluster`), wherever the pods are; why is
    said in docs/adr/0015-the-load-balancer-is-a-resource-of-the-stack.md.
    """
    ports: list[ServicePortArgsDict] = [
        {"name": name, "port": port, "target_port": name} for name, port in work.ports.items()
    ]
    spec: ServiceSpecArgsDict = {
        "type": work.service_type,
        "selector": work.chosen,
        "ports": ports,
    }
    if work.node_port:
        (port,) = ports
        port["node_port"] = work.node_port
        spec["external_traffic_policy"] = "Cluster"
    return spec


def digest(files: Mapping[str, str], secrets: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str]:
    """Return a hash that changes with any value, so that pods are replaced when one does.

    It is no secret: what is secret here is random and long.
    """

    def hashed(values: Mapping[str, str]) -> str:
        text = json.dumps([dict(files), dict(values)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    return Output.unsecret(Output.all(**secrets).apply(hashed)) if secrets else hashed({})
