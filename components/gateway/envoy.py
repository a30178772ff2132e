"""The whole configuration of Envoy as text. Pure; the text holds keys, so it belongs in a Secret."""

import json
from collections.abc import Iterator, Mapping

from components.gateway.edge import edge_clusters, edge_listener
from components.gateway.hosted import hosted_cluster, hosted_listener
from components.gateway.lifecycle import lifecycle_clusters, lifecycle_listeners
from components.gateway.limits import limits_cluster
from components.gateway.models import model_clusters, model_listener
from components.gateway.overload import overload_manager
from components.gateway.pieces import Json, socket, typed
from components.gateway.plan import GatewayPlan
from components.gateway.tracing import collector_cluster


def envoy_text(plan: GatewayPlan, secrets: Mapping[str, str]) -> str:
    """Return the bootstrap configuration as JSON, which is YAML too."""
    return json.dumps(envoy_config(plan, secrets), indent=1) + "\n"


def envoy_config(plan: GatewayPlan, secrets: Mapping[str, str]) -> Json:
    """Return the bootstrap configuration.

    `secrets` by name: key-<alias> and maybe key-<alias>-next of each key, engine-key, and
    hosted-<model> of each model with a fallback.
    """
    return {
        "node": {"id": "gateway", "cluster": "gateway"},
        "admin": {"address": socket("127.0.0.1", plan.at.admin)},
        # Lets clusters lead to listeners of the same process.
        "bootstrap_extensions": [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": typed(
                    "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
                ),
            }
        ],
        "overload_manager": overload_manager(plan),
        "static_resources": {
            "listeners": list(_listeners(plan, secrets)),
            "clusters": list(_clusters(plan)),
        },
    }


def _listeners(plan: GatewayPlan, secrets: Mapping[str, str]) -> Iterator[Json]:
    yield edge_listener(plan, secrets)
    # What was let in goes on, and the kubelet and Prometheus are answered.
    for each in _listeners_within(plan, secrets):
        yield each | {"bypass_overload_manager": True}


def _listeners_within(plan: GatewayPlan, secrets: Mapping[str, str]) -> Iterator[Json]:
    for model in plan.models:
        yield model_listener(plan, model, secrets)
        if model.hosted:
            yield hosted_listener(plan, model, model.hosted, secrets)
    yield from lifecycle_listeners(plan)


def _clusters(plan: GatewayPlan) -> Iterator[Json]:
    yield from edge_clusters(plan)
    for model in plan.models:
        yield from model_clusters(plan, model)
        if model.hosted:
            yield hosted_cluster(plan, model, model.hosted)
    yield limits_cluster(plan)
    if plan.traces:
        yield collector_cluster(plan)
    yield from lifecycle_clusters(plan)
