"""The table of flows as NetworkPolicies: all is closed, then each flow is opened at both its ends. Pure.

What a plain NetworkPolicy cannot say: a host name (docs of `ends.internet`), and the kubelet, whose
probes, hooks and port-forwards every CNI lets through, as it does what else runs on the pod's own
node outside of the pods' network. Policies add up, so what a platform has beside the
stack, such as an ingress controller in front of Langfuse, brings one of its own.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from components.labels import APP, INSTANCE
from components.network import ends
from components.network.ends import End, Manifest, Ports
from components.network.flows import FLOWS, SCRAPER, ports_of
from stacks.observability import OwnPrometheus
from stacks.stack import Stack

API_VERSION: Final = "networking.k8s.io/v1"
KIND: Final = "NetworkPolicy"
DNS_PEER: Final[Manifest] = {
    "namespaceSelector": {"matchLabels": {ends.NAMESPACE_NAME: "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}


class Rule(NamedTuple):
    """One direction of one flow, at the pods that it is a rule for."""

    pods: tuple[tuple[str, str], ...]
    """Their labels."""
    direction: str
    """ingress or egress."""
    peers: list[Manifest]
    ports: Ports


def network_policies(stack: Stack, *, namespace: str) -> tuple[dict[str, Any], ...]:
    """Return the policies of a stack's namespace: deny all, DNS for all, and one for each kind of pod."""
    rules = list(_unique(_rules(stack)))
    chosen = dict.fromkeys(rule.pods for rule in rules)
    return (
        policy("deny-all", namespace, {}, {"ingress": [], "egress": []}),
        policy("dns", namespace, {}, {"egress": [dns()]}),
        *(
            policy(
                _name(dict(pods)),
                namespace,
                {"matchLabels": dict(pods)},
                {
                    direction: [
                        _manifest(rule)
                        for rule in rules
                        if rule.pods == pods and rule.direction == direction
                    ]
                    for direction in ("ingress", "egress")
                },
            )
            for pods in chosen
        ),
    )


def flows_table() -> str:
    """Return the table of flows as markdown."""
    lines = ["| from | to | ports | why | only where |", "|---|---|---|---|---|"]
    for flow in FLOWS:
        ports = ", ".join(map(str, flow.ports)) if isinstance(flow.ports, tuple) else "as declared"
        row = (flow.source.name, flow.target.name, ports, flow.why, flow.only)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, "| all | DNS (kube-dns) | 53 | names |  |", ""])


def _unique(rules: Iterator[Rule]) -> Iterator[Rule]:
    """Yield each rule once: what models share is found once for each of them."""
    seen: list[Rule] = []
    for rule in rules:
        if rule not in seen:
            seen.append(rule)
            yield rule


def _rules(stack: Stack) -> Iterator[Rule]:
    for flow in FLOWS:
        for model in stack.models:
            if not flow.when(stack, model):
                continue
            ports = ports_of(flow, stack, model)
            source, target = _own(flow.source, stack), _own(flow.target, stack)
            if source.component:
                peers = target.peers(stack, model)
                yield Rule(_labels(source, model.name), "egress", peers, ports)
            if target.component:
                peers = source.peers(stack, model)
                yield Rule(_labels(target, model.name), "ingress", peers, ports)


def _own(end: End, stack: Stack) -> End:
    """Return the stack's own Prometheus in place of "Prometheus" where it has one."""
    own = isinstance(stack.observability.prometheus, OwnPrometheus)
    return ends.PROMETHEUS if own and end is SCRAPER else end


def _labels(end: End, model: str) -> tuple[tuple[str, str], ...]:
    return ((APP, end.component), (INSTANCE, end.instance or model))


def _name(pods: dict[str, str]) -> str:
    component, instance = pods[APP], pods[INSTANCE]
    own = {
        "router": "router",
        "vllm": "engine",
        "evaluation": "evaluation",
        "prefetch": "prefetch",
    }
    return f"{instance}-{own[component]}" if component in own else component


def _manifest(rule: Rule) -> Manifest:
    ports = [{"protocol": rule.ports.protocol, "port": number} for number in rule.ports.numbers]
    key = "from" if rule.direction == "ingress" else "to"
    return ({key: rule.peers} if rule.peers else {}) | {"ports": ports}


def dns() -> Manifest:
    """Return the egress rule that lets pods look up names."""
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return {"to": [DNS_PEER], "ports": ports}


def policy(name: str, namespace: str, chosen: Manifest, rules: Manifest) -> Manifest:
    """Return a NetworkPolicy for the `chosen` pods; `rules` are lists by ingress and egress."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "podSelector": chosen,
            "policyTypes": [direction.title() for direction in rules],
        }
        | rules,
    }
