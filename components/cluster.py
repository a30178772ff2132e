"""The provider of a target: the same serving components, rendered to files or deployed to a cluster."""

import pulumi_kubernetes as k8s

from stacks.aws.target import Eks
from stacks.target import Kubernetes, Render, Target


class NoClusterError(Exception):
    """The target is declared and priced, but this version cannot deploy to it."""


def deployable(target: Target) -> Render | Kubernetes:
    """Return the target where this version can deploy to it.

    Raises:
        NoClusterError: the target is an AWS account.
    """
    if isinstance(target, Eks):
        msg = (
            "target eks is judged, not deployed: this version has no AWS layer. Make the cluster"
            " by other means and declare target.kind: kubernetes with its context"
        )
        raise NoClusterError(msg)
    return target


def cluster_provider(target: Render | Kubernetes) -> k8s.Provider:
    """Return the provider that the serving components are deployed with."""
    match target:
        case Render():
            # A kubeconfig of the environment would reach the provider too, which refuses both at once.
            return k8s.Provider(
                "manifests", render_yaml_to_directory=target.directory, kubeconfig=""
            )
        case Kubernetes():
            return k8s.Provider(
                "cluster",
                context=target.context,
                kubeconfig=target.kubeconfig,
                enable_server_side_apply=True,
                # Else a change deletes them first: a pod that starts in between finds none.
                enable_config_map_mutable=True,
                enable_secret_mutable=True,
            )
