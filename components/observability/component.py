"""What observes a stack, registered."""

from collections.abc import Callable, Mapping

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions

from components.observability.parts import TRIAL, ObservabilityParts, PriceJob
from components.workload import Part

Labels = Callable[[str, str], Mapping[str, str]]
"""From component and instance to all labels of an object."""
DASHBOARD_LABEL = {"grafana_dashboard": "1"}
"""What Grafana's sidecar looks for."""


class Observed(pulumi.ComponentResource):
    """Prometheus, collector, Langfuse with its stores, rules and the dashboard: what is declared of them."""

    def __init__(
        self,
        parts: ObservabilityParts,
        namespace: pulumi.Input[str],
        labels: Labels,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("breakeven:serving:Observability", "observability", None, opts)
        self._namespace, self._labels = namespace, labels
        self._child = ResourceOptions(parent=self)
        if parts.langfuse_secret:
            self._langfuse_secret(parts.langfuse_secret)
        for work in parts.trial:
            own = {**labels(work.component, work.instance), **TRIAL}
            Part(work, namespace, own, self._child)
        for work in parts.workloads:
            Part(work, namespace, labels(work.component, work.instance), self._child)
        for manifest in parts.manifests:
            k8s.apiextensions.CustomResource(
                f"{manifest['kind'].lower()}-{manifest['metadata']['name']}",
                api_version=manifest["apiVersion"],
                kind=manifest["kind"],
                metadata=manifest["metadata"],
                spec=manifest["spec"],
                opts=self._child,
            )
        self._dashboard(parts.dashboard)
        if parts.price_job:
            self._price_job(parts.price_job)
        self.register_outputs({})

    def _metadata(self, name: str, **more: str) -> k8s.meta.v1.ObjectMetaArgs:
        own = {**self._labels(name, name), **more}
        return k8s.meta.v1.ObjectMetaArgs(name=name, namespace=self._namespace, labels=own)

    def _langfuse_secret(self, entries: Mapping[str, pulumi.Input[str]]) -> None:
        # What SALT and ENCRYPTION_KEY protect is lost with them, so this one is never deleted lightly.
        k8s.core.v1.Secret(
            "langfuse",
            metadata=self._metadata("langfuse"),
            string_data=dict(entries),
            opts=self._child,
        )

    def _dashboard(self, text: str) -> None:
        k8s.core.v1.ConfigMap(
            "dashboard",
            metadata=self._metadata("dashboard", **DASHBOARD_LABEL),
            data={"serving.json": text},
            opts=self._child,
        )

    def _price_job(self, job: PriceJob) -> None:
        k8s.batch.v1.Job(
            job.name,
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=job.name,
                namespace=self._namespace,
                labels=dict(self._labels("langfuse-prices", "langfuse")),
                # It waits for Langfuse, which may take its first ten minutes: nobody waits for it.
                annotations={"pulumi.com/skipAwait": "true"},
            ),
            spec=job.spec,
            opts=self._child,
        )
