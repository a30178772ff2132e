"""The Kubernetes provider of a living cluster."""

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions


def live_provider(
    *,
    kubeconfig: pulumi.Input[str] | None,
    context: str | None = None,
    cluster_identifier: pulumi.Input[str] | None = None,
    opts: ResourceOptions | None = None,
) -> k8s.Provider:
    """Return the provider; a kubeconfig is a path or its text, and None the environment's.

    With a `cluster_identifier` a changed endpoint is an update of it, not another cluster.
    """
    return k8s.Provider(
        "cluster",
        context=context,
        kubeconfig=kubeconfig,
        cluster_identifier=cluster_identifier,
        enable_server_side_apply=True,
        # Else a change deletes them first: a pod that starts in between finds none.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        opts=opts,
    )
