"""The rules as Prometheus itself evaluates them: when each alert fires, and when it stays silent."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.observability.rules import rule_spec
from components.observability.scraping import scrape_file
from tests.dataplane.alert_cases import CASES, GROUPS, NAMESPACE, Case, active, tokens, up
from tests.dataplane.promtool import evaluate, promtool

pytestmark = pytest.mark.dataplane


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.alert}-{c.fires}-{c.at}")
def test_an_alert_fires_when_it_should_and_only_then(case: Case, tmp_path: Path):
    expr = f'count(ALERTS{{alertname="{case.alert}",alertstate="firing"}}) > bool 0 or vector(0)'
    expected: dict[str, Any] = {
        "expr": expr,
        "eval_time": case.at,
        "exp_samples": [{"labels": "{}", "value": int(case.fires)}],
    }

    answer = _promtool_test(tmp_path, case.series, expected)

    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("record", "series", "value"),
    [
        # One replica at 5 USD an hour, two million tokens an hour each way read and written.
        (
            "breakeven:self_hosted_usd_per_mtok",
            up("warm", "1x180") | tokens("warm", f"0+{1_000_000 / 60 * 1:.10f}x180"),
            2.5,
        ),
        ("breakeven:requests_held", active("zero", "3x180"), 3),
        ("breakeven:replicas_paid", up("zero", "0x180"), 1),
        ("breakeven:replicas_up", up("zero", "0x180"), 0),
        ("breakeven:tokens_per_second", tokens("zero", "0+600x180"), 20),
    ],
)
def test_a_recorded_figure_is_the_one_worked_out_by_hand(record, series, value, tmp_path: Path):
    model = "warm" if "warm" in str(series) else "zero"
    expr = f'round({record}{{model="{model}"}}, 0.001) + 0'
    labels = f'{{model="{model}",namespace="{NAMESPACE}"}}'
    sample = {"labels": labels, "value": value}

    answer = _promtool_test(
        tmp_path, series, {"expr": expr, "eval_time": "150m", "exp_samples": [sample]}
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_prometheus_takes_the_rules_and_the_configuration(tmp_path: Path):
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rule_spec(GROUPS)))
    (tmp_path / "prometheus.yml").write_text(scrape_file(NAMESPACE, ["rules.yml"], gpus=True))

    answer = promtool("check", "config", "--syntax-only", str(tmp_path / "prometheus.yml"))
    rules = promtool("check", "rules", "--lint-fatal", str(tmp_path / "rules.yml"))

    assert answer.returncode == 0, answer.stderr
    assert rules.returncode == 0, rules.stdout + rules.stderr


def _promtool_test(
    folder: Path, series: dict[str, str], expected: dict[str, Any]
) -> "subprocess.CompletedProcess[str]":
    (folder / "rules.yml").write_text(yaml.safe_dump(rule_spec(GROUPS), width=1000))
    return evaluate(folder, series, expected, interval="1m", rule_files=["rules.yml"])
