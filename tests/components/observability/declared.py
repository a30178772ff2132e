"""A stack and its costs, for tests of what observes it."""

from components.gateway.plan import Price, gateway_plan
from components.images import locked_images
from components.observability.parts import ModelCost, ObservabilityParts, observability_parts
from components.observability.signals import ModelSignals, Selector
from stacks.reading import parse_stack
from stacks.stack import Stack
from tests.factories import Changes, a_stack

NAMESPACE = "serving-test"
PICK = Selector(namespace=NAMESPACE)
COST = ModelCost(
    usd_per_replica_hour=5,
    self_hosted_usd_per_mtok=0.25,
    hosted_usd_per_mtok=0.2,
    break_even_mtok_per_month=100_000,
)
PRICE = Price(input_usd_per_mtok=0.2, output_usd_per_mtok=0.6)
SECRETS = {
    f"langfuse-{key}": f"value of {key}"
    for key in (
        *("public-key", "secret-key", "salt", "encryption-key", "nextauth-secret"),
        *("admin-password", "postgres-password", "clickhouse-password", "cache-password"),
        *("s3-access-key", "s3-secret-key"),
    )
}
EXISTING = {
    "observability.langfuse": {"kind": "existing", "url": "https://langfuse.example.com/"},
}
NONE = {"observability.langfuse": {"kind": "none"}}
OPERATOR = {
    "observability.prometheus": {
        "kind": "operator",
        "address": "http://prometheus-operated.monitoring:9090",
        "namespace": "monitoring",
        "labels": {"release": "kube-prometheus-stack"},
    }
}


def a_declared(changes: Changes | None = None) -> Stack:
    return parse_stack(a_stack(changes), file="stack.yaml")


def parts(changes: Changes | None = None) -> ObservabilityParts:
    return parts_of(a_declared(changes))


def parts_of(stack: Stack) -> ObservabilityParts:
    return observability_parts(
        stack,
        namespace=NAMESPACE,
        images=locked_images(),
        secrets=SECRETS,
        costs={model.name: COST for model in stack.models},
        gateway=gateway_plan(stack, {model.name: PRICE for model in stack.models}),
    )


def a_model(
    *, replicas_min: int = 1, autoscaled: bool = True, falls_back: bool = True
) -> ModelSignals:
    return ModelSignals(
        name="m",
        ttft_p99_s=2,
        node_start_s=0,
        cold_start_s=300,
        replicas_min=replicas_min,
        autoscaled=autoscaled,
        falls_back=falls_back,
        usd_per_replica_hour=5,
        hosted_usd_per_mtok=0.2,
        break_even_mtok_per_month=100_000,
    )
