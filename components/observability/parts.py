"""Everything that observes a stack, as plain descriptions to register. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.batch.v1 import JobSpecArgsDict

from components.autoscaling.scaled_object import follows
from components.gateway.plan import GatewayPlan
from components.images import Images
from components.observability.alerts import alerts
from components.observability.collector import IN_CLUSTER, collector_workload
from components.observability.dashboard import dashboard_file
from components.observability.langfuse import langfuse_secret, langfuse_workloads
from components.observability.langfuse_prices import (
    hosted_prices,
    own_price,
    price_job,
    price_job_name,
)
from components.observability.langfuse_stores import store_workloads
from components.observability.prometheus import prometheus_workload
from components.observability.recordings import recordings
from components.observability.rules import Group
from components.observability.scraping import pod_monitors, prometheus_rule
from components.observability.signals import ModelSignals, Selector
from components.workload import Workload
from stacks.aws.target import Eks
from stacks.observability import BundledStores, NoLangfuse, OwnLangfuse, OwnPrometheus
from stacks.stack import ServedModel, Stack
from stacks.target import node_start_seconds

TRIAL = {"breakeven/trial": "true"}
"""Label of every object of a store that has no backup."""


@dataclass(frozen=True, kw_only=True)
class ModelCost:
    """What the decision says a model costs; components compute no price of their own."""

    usd_per_replica_hour: float
    """What a replica costs while it exists, its share of what is fixed included."""
    self_hosted_usd_per_mtok: float
    """The whole bill over the declared tokens."""
    hosted_usd_per_mtok: float
    """The comparator's bill over the same tokens."""
    break_even_mtok_per_month: float | None
    """None where there is no break-even."""


@dataclass(frozen=True, kw_only=True)
class PriceJob:
    """A Job that runs once for each set of prices."""

    name: str
    spec: JobSpecArgsDict


@dataclass(frozen=True, kw_only=True)
class ObservabilityParts:
    """What is registered for a stack."""

    workloads: tuple[Workload, ...]
    trial: tuple[Workload, ...]
    """Stores of a trial; they get the label of one."""
    langfuse_secret: Mapping[str, pulumi.Input[str]]
    """Entries of the Secret `langfuse`; empty where there is none."""
    dashboard: str
    """The dashboard's JSON, for a ConfigMap that Grafana's sidecar finds."""
    price_job: PriceJob | None
    manifests: tuple[dict[str, Any], ...]
    """Custom resources of the Prometheus operator; it has to be there."""


def observability_parts(
    stack: Stack,
    *,
    namespace: str,
    images: Images,
    secrets: Mapping[str, pulumi.Input[str]],
    costs: Mapping[str, ModelCost],
    gateway: GatewayPlan,
) -> ObservabilityParts:
    """Return all that is declared under `observability`; `costs` by model."""
    declared, pick = stack.observability, Selector(namespace=namespace)
    node_s = node_start_seconds(stack.target)
    models = tuple(model_signals(model, costs[model.name], node_s) for model in stack.models)
    gpus = isinstance(stack.target, Eks)  # the exporter is there with the cluster
    groups = rule_groups(models, pick, gpus=gpus)
    prometheus, langfuse = declared.prometheus, declared.langfuse
    workloads: list[Workload | None] = [collector_workload(declared, images, secrets)]
    trial: tuple[Workload, ...] = ()
    manifests: tuple[dict[str, Any], ...] = ()
    if isinstance(prometheus, OwnPrometheus):
        work = prometheus_workload(prometheus, namespace, groups, images, gpus=gpus)
        workloads.append(work)
    else:
        rule = prometheus_rule(namespace, groups, prometheus.labels)
        manifests = (*pod_monitors(namespace, prometheus.labels), rule)
    if isinstance(langfuse, OwnLangfuse):
        workloads += langfuse_workloads(langfuse, images, secrets)
        if isinstance(langfuse.stores, BundledStores):
            trial = store_workloads(langfuse.stores, images, secrets)
    return ObservabilityParts(
        workloads=tuple(work for work in workloads if work),
        trial=trial,
        langfuse_secret=langfuse_secret(langfuse, secrets),
        dashboard=dashboard_file(models, pick, gpus=gpus),
        price_job=_prices(stack, images, costs, gateway),
        manifests=manifests,
    )


def rule_groups(
    models: tuple[ModelSignals, ...], pick: Selector, *, gpus: bool = False
) -> tuple[Group, ...]:
    """Return every rule; those that need more than the stack's own pods say so."""
    return (recordings(models, pick), *alerts(models, pick, gpus=gpus))


def model_signals(model: ServedModel, cost: ModelCost, node_start_s: float) -> ModelSignals:
    """Return what the rules must know of a declared model."""
    return ModelSignals(
        name=model.name,
        ttft_p99_s=model.workload.slo.ttft_p99_ms / 1000,
        node_start_s=node_start_s,
        cold_start_s=model.serving.cold_start_seconds,
        replicas_min=model.pool.replicas.min,
        autoscaled=follows(model) is not None,
        falls_back=model.serving.fallback is not None,
        usd_per_replica_hour=cost.usd_per_replica_hour,
        hosted_usd_per_mtok=cost.hosted_usd_per_mtok,
        break_even_mtok_per_month=cost.break_even_mtok_per_month,
    )


def observability_images(stack: Stack) -> frozenset[str]:
    """Return the names of the images that are needed for it."""
    declared, langfuse = stack.observability, stack.observability.langfuse
    needed = {"prometheus"} if isinstance(declared.prometheus, OwnPrometheus) else set()
    if not isinstance(langfuse, NoLangfuse):
        needed |= {"otel-collector", "langfuse-web"}  # the latter for the price job
    if isinstance(langfuse, OwnLangfuse):
        needed |= {"langfuse-worker"}
        if isinstance(langfuse.stores, BundledStores):
            needed |= {"postgres", "clickhouse", "valkey", "seaweedfs"}
    return frozenset(needed)


def _prices(
    stack: Stack, images: Images, costs: Mapping[str, ModelCost], gateway: GatewayPlan
) -> PriceJob | None:
    langfuse = stack.observability.langfuse
    if isinstance(langfuse, NoLangfuse):
        return None
    own = [own_price(model, costs[model.name].self_hosted_usd_per_mtok) for model in stack.models]
    prices = [*own, *hosted_prices(gateway)]
    url = IN_CLUSTER if isinstance(langfuse, OwnLangfuse) else langfuse.url.rstrip("/")
    return PriceJob(name=price_job_name(prices), spec=price_job(prices, url, images))
