"""Where each Helm chart comes from, and the values it is rendered with. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from components.aws.names import karpenter_queue
from components.aws.plan import AwsPlan
from components.images import Images
from stacks.aws import made
from stacks.aws.target import Chart, NoEgress

LOCK: Final = Path(__file__).with_name("charts.yaml")
KEDA_RESOURCES: Final = {
    "limits": {"cpu": 1, "memory": "512Mi"},
    "requests": {"cpu": "100m", "memory": "512Mi"},
}
KARPENTER_RESOURCES: Final = {
    "limits": {"cpu": 1, "memory": "1Gi"},
    "requests": {"cpu": "250m", "memory": "1Gi"},
}
CRITICAL: Final = "system-cluster-critical"
"""Priority of what the cluster does not grow without."""


@dataclass(frozen=True, kw_only=True)
class ChartPlan:
    """One chart that is installed, in a namespace of its own name."""

    name: Chart
    chart: str
    """Name in the repository, oci:// reference or path."""
    repository: str | None
    """URL of a chart repository; None where `chart` says all."""
    version: str | None
    """None where a path is what it is."""
    values: Mapping[str, Any]
    """As the chart's values.yaml: each chart has its own form."""


def chart_plans(plan: AwsPlan, images: Images) -> tuple[ChartPlan, ...]:
    """Return what is installed by a chart; its images are those of images.yaml or the stack."""
    values = {"keda": keda_values, "karpenter": karpenter_values}
    return tuple(
        _located(name, plan.eks.charts.get(name), values[name](plan, images))
        for name in made.needed_charts(plan.eks, plan.stack)
    )


@cache
def _locked() -> Mapping[str, Mapping[str, str]]:
    return dict(yaml.safe_load(LOCK.read_text(encoding="utf-8")))


def _located(name: Chart, own: str | None, values: Mapping[str, Any]) -> ChartPlan:
    pinned = _locked()[name]
    if own is None:
        return ChartPlan(
            name=name,
            chart=pinned["chart"],
            repository=pinned.get("repository"),
            version=pinned["version"],
            values=values,
        )
    version = pinned["version"] if own.startswith("oci://") else None
    return ChartPlan(name=name, chart=own, repository=None, version=version, values=values)


def keda_values(_: AwsPlan, images: Images) -> dict[str, Any]:
    """Return the values of KEDA's chart; its pods are `restricted` by themselves.

    Without its admission webhook: it would check ScaledObjects that only this program writes, and
    the tests check those against the definitions.
    """
    return {
        "image": {
            "keda": _image(images["keda"]),
            "metricsApiServer": _image(images["keda-metrics-apiserver"]),
            "pullPolicy": "IfNotPresent",
        },
        "webhooks": {"enabled": False},
        "resources": {"operator": KEDA_RESOURCES, "metricServer": KEDA_RESOURCES},
        "enableServiceLinks": False,
        # Of two operators one leads; with one, a lost node leaves a load that nobody follows.
        "operator": {"replicaCount": 2},
        "priorityClassName": CRITICAL,
    }


def karpenter_values(plan: AwsPlan, images: Images) -> dict[str, Any]:
    """Return the values of Karpenter's chart; its pods are `restricted` by themselves."""
    name, _, digest = images["karpenter"].rpartition("@")
    repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
    return {
        "controller": {
            # An image without a tag gets the chart's beside its digest: the digest decides.
            "image": {"repository": repository, "digest": digest} | ({"tag": tag} if tag else {}),
            "resources": KARPENTER_RESOURCES,
            # Metadata of the node is out of a pod's reach: hop limit 1.
            "env": [{"name": "AWS_REGION", "value": plan.region}],
        },
        "settings": {
            "clusterName": plan.cluster_name,
            "interruptionQueue": karpenter_queue(plan.cluster_name),
            "isolatedVPC": isinstance(plan.eks.network.egress, NoEgress),
        },
    }


def _image(image: str) -> dict[str, str]:
    """Return an image as KEDA's chart joins it: registry/repository:tag, here at the digest's colon."""
    repository, _, digest = image.rpartition(":")
    return {"registry": "", "repository": repository, "tag": digest}
