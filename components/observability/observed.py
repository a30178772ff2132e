"""The one component that registers what observes a stack."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from components.observability import dashboard
from components.observability.langfuse_environment import SECRET
from components.observability.parts import TRIAL, ObservabilityParts, PriceJob
from components.workload import Part


class Observed(pulumi.ComponentResource):
    """Collector, Prometheus or its operator's resources, Langfuse, dashboard and prices."""

    def __init__(
        self,
        name: str,
        parts: ObservabilityParts,
        namespace: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("breakeven:serving:Observed", name, None, opts)
        self._namespace, self._labels = namespace, labels
        self._child = ResourceOptions(parent=self)
        secret = self._secret(parts.langfuse_secret)
        after = ResourceOptions(parent=self, depends_on=secret)
        for workload in parts.trial:
            Part(workload, namespace, {**labels, **TRIAL}, after)
        for workload in parts.workloads:
            Part(workload, namespace, labels, after)
        self._dashboard(parts.dashboard)
        if parts.price_job:
            self._prices(parts.price_job, after)
        for manifest in parts.manifests:
            self._manifest(manifest)
        self.register_outputs({})

    def _secret(self, entries: Mapping[str, pulumi.Input[str]]) -> list[pulumi.Resource]:
        if not entries:
            return []
        metadata = self._metadata(SECRET)
        values = dict(entries)
        made = k8s.core.v1.Secret(SECRET, metadata=metadata, string_data=values, opts=self._child)
        return [made]

    def _dashboard(self, text: str) -> None:
        k8s.core.v1.ConfigMap(
            dashboard.NAME,
            metadata=self._metadata(dashboard.NAME, dashboard.LABELS),
            data={"breakeven.json": text},
            opts=self._child,
        )

    def _prices(self, job: PriceJob, opts: ResourceOptions) -> None:
        # Langfuse's first start takes minutes: nothing waits for the Job, it waits itself.
        annotations = {"pulumi.com/skipAwait": "true"}
        metadata = self._metadata(job.name, annotations=annotations)
        k8s.batch.v1.Job("langfuse-prices", metadata=metadata, spec=job.spec, opts=opts)

    def _manifest(self, manifest: dict[str, Any]) -> None:
        kind, metadata = manifest["kind"], manifest["metadata"]
        k8s.apiextensions.CustomResource(
            f"{kind.lower()}-{metadata['name']}",
            api_version=manifest["apiVersion"],
            kind=kind,
            metadata=metadata,
            spec=manifest["spec"],
            opts=self._child,
        )

    def _metadata(
        self,
        name: str,
        more: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=name,
            namespace=self._namespace,
            labels={**self._labels, **(more or {})},
            annotations=dict(annotations) if annotations else None,
        )
