"""Every rule, alert and panel asks for a metric that exists, of this stack alone."""

import json
import re

import pytest

from components.observability.alerts import alerts
from components.observability.dashboard import dashboard, dashboard_file, rows
from components.observability.parts import model_signals, rule_groups
from components.observability.recordings import recordings
from components.observability.rules import Alert, Recording, rule_file
from components.observability.signals import FOREIGN, GPUS, SCRAPED, edge_label
from tests.components.observability.declared import COST, NAMESPACE, PICK, a_declared, a_model

MODELS = (a_model(), a_model(replicas_min=0))
GROUPS = rule_groups(MODELS, PICK, gpus=True)
RULES = [rule for group in GROUPS for rule in group.rules]
RECORDED = {rule.record for rule in RULES if isinstance(rule, Recording)}
REPORTED = SCRAPED | GPUS | set(FOREIGN)
KNOWN = REPORTED | RECORDED
SELECTED = re.compile(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}")
ROWS = rows(MODELS, PICK, gpus=True)
PANELS = [expr for row in ROWS for panel in row.panels for _, expr in panel.queries]
EXPRESSIONS = [*(rule.expr for rule in RULES), *PANELS]


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_every_metric_is_known(expr):
    unknown = {name for name, _ in SELECTED.findall(expr)} - KNOWN

    assert not unknown, f"no such metric: {unknown}; see components/observability/signals.py"


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_every_selector_names_the_namespace(expr):
    for name, matchers in SELECTED.findall(expr):
        assert f'namespace="{NAMESPACE}"' in matchers, name


def test_every_known_metric_is_used():
    used = {name for expr in EXPRESSIONS for name, _ in SELECTED.findall(expr)}

    assert used - RECORDED == REPORTED


def test_what_the_stacks_own_prometheus_cannot_see_stands_in_groups_of_its_own():
    for group in GROUPS:
        names = {name for rule in group.rules for name, _ in SELECTED.findall(rule.expr)}
        needed = {FOREIGN[name] for name in names & set(FOREIGN)}
        assert needed == ({group.needs} - {"stack"})


def test_the_own_prometheus_gets_only_what_it_can_see():
    text = rule_file(GROUPS)

    assert not any(metric in text for metric in FOREIGN)


def test_the_slo_is_counted_at_a_bucket_edge():
    assert a_model().ttft_edge_s == 2.5
    assert edge_label(1) == "1.0"
    within = [r.expr for r in recordings(MODELS, PICK).rules if "slow_share" in r.expr + str(r)]
    assert all('le="2.5"' in expr for expr in within)


def test_every_alert_has_a_section_of_the_runbook_that_is_named_after_it():
    for alert in (rule for rule in RULES if isinstance(rule, Alert)):
        words = re.findall(r"[A-Z][a-z]*", alert.name)
        assert alert.anchor == "-".join(words).lower()
        assert alert.summary.endswith(".")


@pytest.mark.parametrize(
    "name",
    [
        *("GatewayDown", "ErrorShareHigh", "LimiterDown", "EngineDown", "NoReplica", "KvCacheFull"),
        *("QueueGrows", "TtftSloBurns", "ScalerFailing", "GpuPending", "ColdStartOverBudget"),
        *("RequestsCutOff", "TracesBackUp", "TracesLost", "HostedShareHigh", "HostedSpendNearCap"),
        *("ScalingThrash", "IdleGpu", "BelowBreakEven", "XidError"),
    ],
)
def test_there_is_an_alert(name):
    assert name in {rule.name for rule in RULES if isinstance(rule, Alert)}


def test_a_model_without_fallback_has_no_alert_on_one():
    groups = alerts((a_model(falls_back=False),), PICK)

    assert "Hosted" not in rule_file(groups)


def test_a_pool_of_fixed_size_has_no_scaler_to_fail():
    own = alerts((a_model(autoscaled=False),), PICK)

    assert "ScalerFailing" not in rule_file(own)


def test_where_gpus_are_not_scraped_nothing_asks_for_them():
    texts = (rule_file(rule_groups(MODELS, PICK)), dashboard_file(MODELS, PICK))

    assert not any("DCGM" in text for text in texts)


def test_the_declared_model_becomes_its_signals():
    (model,) = a_declared().models
    signals = model_signals(model, COST, node_start_s=0)

    assert (signals.ttft_p99_s, signals.ttft_edge_s) == (2.0, 2.5)


@pytest.mark.parametrize(("gpus", "more"), [(False, []), (True, ["GPUs"])])
def test_the_dashboard_has_a_row_for_each_question(gpus, more):
    panels = dashboard(MODELS, PICK, gpus=gpus)["panels"]

    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        *("Traffic", "Latency, at the engines", "Saturation", *more, "Errors", "Tokens", "Cost")
    ]


def test_no_two_panels_lie_on_each_other():
    taken = [
        (x, y)
        for panel in json.loads(dashboard_file(MODELS, PICK, gpus=True))["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(taken) == len(set(taken))
