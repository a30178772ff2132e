"""Which images and charts a new cluster needs before it can serve. Pure."""

from typing import Final

from stacks.aws import made
from stacks.aws.target import Chart, Eks
from stacks.stack import Stack

CHART_IMAGES: Final[dict[Chart, frozenset[str]]] = {
    "keda": frozenset({"keda", "keda-metrics-apiserver"}),
    "karpenter": frozenset({"karpenter"}),
}
"""What each chart runs, by the names of images.yaml."""
GPU_IMAGES: Final = frozenset({"nvidia-device-plugin", "dcgm-exporter"})
AUTOSCALER_IMAGE: Final = "cluster-autoscaler"


def cluster_images(stack: Stack) -> frozenset[str]:
    """Return the names in images.yaml of what runs in a cluster of the stack's own; else none."""
    eks = stack.target
    if not isinstance(eks, Eks):
        return frozenset()
    own = set() if eks.gpu_nodes.scaler == "karpenter" else {AUTOSCALER_IMAGE}
    return GPU_IMAGES.union(own, *(CHART_IMAGES[name] for name in made.needed_charts(eks, stack)))
