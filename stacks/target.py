"""Where the stack is deployed."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.aws.target import Eks
from stacks.aws.values import PRIVATE, Cidr
from stacks.numbers import Declared, Text

ApiServers = Annotated[tuple[Cidr, ...], Field(min_length=1)]
"""Ranges of addresses that one of a stack's few pods with a token may reach."""


class Render(Declared):
    """Manifests are written to a folder; no cluster is needed."""

    kind: Literal["render"]
    directory: Text
    """Folder for the manifests, relative to the project."""
    api_server_cidrs: ApiServers = PRIVATE
    """Where the API server of the cluster is that takes the manifests."""


class Kubernetes(Declared):
    """An existing cluster."""

    kind: Literal["kubernetes"]
    context: Text
    """Context of the kubeconfig; named, so that nobody deploys to the cluster that happens to be current."""
    kubeconfig: Text | None = None
    """Path of the kubeconfig; left out, the one of the environment."""
    api_server_cidrs: ApiServers = PRIVATE
    """Where its API server is: routers and Prometheus ask it which replicas there are."""


Target = Annotated[Render | Kubernetes | Eks, Field(discriminator="kind")]
"""One axis: what `up` does with the same serving components."""


def node_start_seconds(target: Target) -> float:
    """Return how long a GPU node takes to come, in s; 0 where the target makes none."""
    return target.gpu_nodes.start_seconds if isinstance(target, Eks) else 0.0
