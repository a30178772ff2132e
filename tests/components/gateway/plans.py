"""A gateway to vary: two models, one with a fallback, an alias and an adapter; two keys."""

from components.gateway.plan import GatewayPlan, Price, gateway_plan
from stacks.reading import parse_stack
from tests.factories import Changes, a_stack

SECRETS = {
    "key-web-chat": "w" * 22,
    "key-web-chat-next": "n" * 22,
    "key-claims": "c" * 22,
    "engine-key": "engine",
    "hosted-support-chat": "provider",
}
PRICES = {"support-chat": Price(input_usd_per_mtok=0.2, output_usd_per_mtok=0.6)}


def named_by_provider(model: str) -> Changes:
    """Return the changes that give the hosted model this name; its price is declared then."""
    prices = {"input_usd_per_mtok": 0.2, "output_usd_per_mtok": 0.6}
    fields = {"model": model} | prices
    return {f"models[0].serving.fallback.{field}": value for field, value in fields.items()}


def a_plan(changes: Changes | None = None) -> GatewayPlan:
    """Return the demo stack's gateway with an adapter and an alias, and these changes."""
    commit = "b968826d9c46dd6066d109eabc6255188de91218"
    adapter = {"name": "claims-lora", "id": "a/b", "revision": commit}
    stack = a_stack(
        {
            "models[0].serving.aliases": ["chat"],
            "models[0].serving.adapters": [adapter],
            "gateway.keys[0].models": ["support-chat", "chat", "claims-lora"],
        }
        | dict(changes or {})
    )
    return gateway_plan(parse_stack(stack, file="stack.yaml"), PRICES)
