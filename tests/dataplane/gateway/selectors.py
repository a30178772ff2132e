"""What rules, panels and the autoscaler ask of the gateway and its limiter."""

import re

from components.autoscaling.scaled_object import demand_query
from components.observability.dashboard import rows
from components.observability.parts import model_signals, rule_groups
from tests.components.observability.declared import COST, NAMESPACE, PICK, a_declared
from tests.prometheus_text import Sample

SELECTED = re.compile(r"((?:envoy|ratelimit)_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~?)"([^"]*)"')


def selectors() -> set[tuple[str, str]]:
    """Return each selector of rules, panels and autoscaler that is one of gateway or limiter."""
    (model,) = a_declared().models
    signals = (model_signals(model, COST, node_start_s=0),)
    rules = [rule.expr for group in rule_groups(signals, PICK) for rule in group.rules]
    panels = [q for row in rows(signals, PICK) for panel in row.panels for _, q in panel.queries]
    demand = demand_query(model, namespace=NAMESPACE)
    return {found for expr in (*rules, *panels, demand) for found in SELECTED.findall(expr)}


def picks(selector: tuple[str, str], sample: Sample) -> bool:
    """Return whether Prometheus would find the sample; it adds the namespace itself."""
    name, text = selector
    matchers = [each for each in MATCHER.findall(text) if each[0] != "namespace"]
    return sample.name == name and all(
        label in sample.labels
        and (
            sample.labels[label] == value
            if sign == "="
            else re.fullmatch(value, sample.labels[label])
        )
        for label, sign, value in matchers
    )
