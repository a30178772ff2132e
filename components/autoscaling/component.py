"""The autoscaler of one model, registered."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions


class Autoscaler(pulumi.ComponentResource):
    """One ScaledObject; KEDA makes the HPA out of it."""

    def __init__(
        self, name: str, manifest: dict[str, Any], opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("breakeven:serving:Autoscaler", name, None, opts)
        k8s.apiextensions.CustomResource(
            name,
            api_version=manifest["apiVersion"],
            kind=manifest["kind"],
            metadata=manifest["metadata"],
            spec=manifest["spec"],
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})
