"""The network policies of a stack, registered."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions


class NetworkPolicies(pulumi.ComponentResource):
    """All of them; what they say is components.network.policies'."""

    def __init__(
        self,
        name: str,
        manifests: Sequence[Mapping[str, Any]],
        labels: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("breakeven:serving:NetworkPolicies", name, None, opts)
        for manifest in manifests:
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{manifest['metadata']['name']}",
                metadata=cast("Any", {**manifest["metadata"], "labels": dict(labels)}),
                # As the API names its fields, which is what the rest of the folder is tested in.
                spec=cast("Any", manifest["spec"]),
                opts=ResourceOptions(parent=self),
            )
        self.register_outputs({})
