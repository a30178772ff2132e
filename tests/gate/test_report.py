"""The decision as people and programs read it."""

import json
from typing import Any, NoReturn

import pytest

from gate.record import record, summary, with_basis
from gate.report.explain import explain
from gate.report.markdown import markdown
from gate.report.text import WIDTH, text
from gate.verdict import Verdict
from tests.factories import (
    STACKS,
    Changes,
    Declaration,
    a_constraint,
    a_plain_stack,
    a_shadow,
    another_model,
    approved,
    decide_example,
    decide_plain,
    decided,
)

M = "models[0]."
EXAMPLES = sorted(file.name for file in STACKS.glob("Pulumi.*.yaml"))
LONG_NAME = "a-name-as-long-as-kubernetes-takes-it-to-be"[:42]
CHEAP_API: Changes = {
    M + "hosted.negotiated.input_usd_per_mtok": 0.02,
    M + "hosted.negotiated.output_usd_per_mtok": 0.02,
}


def usd(amount: float) -> dict[str, object]:
    return {"usd_per_month": amount, "source": "a source as long as a whole sentence, " * 3}


MANDATED = a_plain_stack({**CHEAP_API, "constraints": [a_constraint("support-chat")]})
SHOWN: dict[str, Declaration] = {
    "wins": a_plain_stack(),
    "infinite": a_plain_stack(CHEAP_API),
    "beyond_cap": a_plain_stack({M + "costs.other": usd(100_000)}),
    "below_break_even": a_plain_stack({M + "costs.other": usd(30_000)}),
    "indeterminate": a_plain_stack({M + "benchmark.gpus": 2}),
    "mandated": approved(MANDATED),
    "a constraint that does not stand": MANDATED,
    "a shadow": a_plain_stack(a_shadow()),
    "long names": a_plain_stack({
        M + "name": LONG_NAME,
        "models[1]": another_model("b", {"costs.other": usd(9_999_999)}),
        "constraints": [a_constraint(LONG_NAME, "b") | {"evidence": "https://" + "x" * 200}],
    }),
}  # fmt: skip


def widest(report: str) -> str:
    return max(report.splitlines(), key=len)


@pytest.mark.parametrize("name", SHOWN)
def test_a_report_fits_in_80_columns_whatever_the_verdict(name):
    assert len(widest(text(decided(SHOWN[name])))) <= WIDTH, widest(text(decided(SHOWN[name])))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_report_of_an_example_fits_in_80_columns(name):
    report = text(decide_example(name))

    assert len(widest(report)) <= WIDTH, widest(report)
    assert all(line == line.rstrip() for line in report.splitlines())
    assert "\x1b" not in report, "no colour: it is read in CI logs too"


def test_a_report_says_the_verdict_first_and_every_figure_after_it():
    report = text(decide_plain())

    assert report.startswith(
        "break-even decision of stack.yaml, as of 2026-11-21\n"
        "VERDICT: wins - self-hosting is cheaper at the declared volume\n"
        "         deploying is allowed\n"
    )
    for row in (
        "    support-chat                       3,650.00  1.00 x node of 1 x",
        "  total                               26,280.00",
        "  self-hosted                     0.0694 USD/Mtok",
        "  hosted                          0.5000 USD/Mtok",
        "  break-even V*                   7.3 B",
        "  declared volume                 52.56 B",
        "  capacity at the cap             210.2 B",
        "  headroom at this volume         300.0%",
        "  set-up cost                     0.00 USD, paid back in month 1",
        "  hosted price                    0.0694444444444 USD/Mtok (now 0.5)",
    ):
        assert row in report, f"{row!r} is not in\n{report}"


def test_what_cannot_be_judged_is_told_before_any_figure():
    lines = text(decided(SHOWN["indeterminate"])).splitlines()

    assert lines[1].startswith("VERDICT: indeterminate - it cannot be judged")
    assert lines[2] == "         deploying is REFUSED"
    assert lines[3].startswith("  blocking: models[0].benchmark.gpus: found 2; allowed: 1")


def test_a_shadow_shows_its_end_and_its_cap():
    report = text(decided(SHOWN["a shadow"]))

    assert "a shadow: ends 2026-12-05, may cost 100,000.00 USD until then" in report
    assert "capacity                        not limited in a shadow's judgement" in report
    assert "ceiling of the benchmark" in report


def test_a_mandate_shows_what_an_auditor_asks_for():
    report = text(decided(SHOWN["mandated"]))

    for row in ("stands", "Head of Legal, 2026-11-01", "2027-10-31", "LEGAL-1234", "2,598.80"):
        assert row in report


def test_several_models_are_shown_each_on_what_it_alone_causes():
    report = text(decide_plain({"models[1]": another_model("b", {"costs.other": usd(30_000)})}))

    assert "  support-chat                    wins, saves 22,630.00 USD/month" in report
    assert "  b                               below_break_even, costs 7,370.00 more" in report
    assert "x 0.709665144597, all models alike" in report, "flips move all models alike"


def test_markdown_leads_with_the_verdict_and_folds_the_rest():
    lines = markdown(decide_plain()).splitlines()

    assert lines[0] == "## Break-even: `wins`, deploying is allowed"
    assert "| self-hosted | 3,650.00 | 0.0694 |" in lines
    assert "| hosted | 26,280.00 | 0.5000 |" in lines
    assert lines[-1] == "</details>"


def test_markdown_leads_with_what_cannot_be_judged():
    lines = markdown(decided(SHOWN["indeterminate"])).splitlines()
    blocking = next(line for line in lines if line.startswith("- **blocking** "))

    assert "models[0].benchmark.gpus: found 2" in blocking
    assert lines.index(blocking) < lines.index("| | USD/month | USD/Mtok |")


def test_the_formulas_stand_there_with_the_numbers_put_in():
    told = explain(decide_plain({M + "hosted.retry_fraction": 0.01}))

    for line in (
        "p           = [0.8889 (0 x 0.5 + 1 x 0.5) + 0.1111 x 0.5] (1 - 0 x 0) (1 + 0.01)",
        "c           = 5 USD/h x 730 h = 3,650.00 USD a node-month",
        "q           = 20,000 tokens/s a replica at the SLO",
        "U           = 1/(b P) = 1/(1 x 1) = 1",
        "u           = U T q = 1 x 2,628,000 s x 20,000 = 52.56 B tokens a node-month",
        "infinite?   c/u + v = 0.0694444 < p = 0.505 USD/Mtok",
        "S           = 3,650.00   H = 26,542.80 USD/month",
        "verdict     : wins",
    ):
        assert line in told, f"{line!r} is not in\n{told}"


def no_constants(name: str) -> NoReturn:
    pytest.fail(f"{name} is not JSON: what does not exist is null")


def as_json(stack: Declaration) -> dict[str, Any]:
    """Return what a program reads."""
    written = json.dumps(with_basis(decided(stack)))
    content: dict[str, Any] = json.loads(written, parse_constant=no_constants)
    return content


@pytest.mark.parametrize("name", SHOWN)
def test_a_record_is_plain_json_whatever_the_verdict(name):
    content = as_json(SHOWN[name])

    assert content["as_of"] == "2026-11-21"
    assert content["model_version"] == "2"
    assert len(content["inputs_hash"]) == len(content["declaration_hash"]) == 64


def test_what_does_not_exist_is_null():
    whole = as_json(SHOWN["infinite"])["whole"]

    assert whole["break_even_tokens_per_month"] is None
    assert whole["safe_break_even_tokens_per_month"] is None
    assert as_json(SHOWN["a shadow"])["whole"]["capacity_tokens_per_month"] is None


def test_the_costs_of_a_record_add_up_to_its_bills():
    content = as_json(
        a_plain_stack({"models[1]": another_model("b", {"costs.other": usd(30_000)})})
    )
    own = sum(content["shared_costs_usd_per_month"].values())
    own += sum(sum(m["costs_usd_per_month"].values()) for m in content["models"].values())
    hosted = [sum(m["hosted_costs_usd_per_month"].values()) for m in content["models"].values()]

    assert own == pytest.approx(content["whole"]["self_hosted_usd_per_month"])
    assert sum(hosted) == pytest.approx(content["whole"]["hosted_usd_per_month"])


def test_every_cost_of_a_record_has_its_basis():
    content = as_json(SHOWN["wins"])

    assert content["cost_basis"]["shared"].keys() == content["shared_costs_usd_per_month"].keys()
    for name, model in content["models"].items():
        assert content["cost_basis"][name].keys() == model["costs_usd_per_month"].keys()
        assert (
            content["hosted_cost_basis"][name].keys() == model["hosted_costs_usd_per_month"].keys()
        )


def test_a_record_names_the_day_of_each_price():
    dates = record(decide_plain())["price_dates"]

    assert dates == {
        "fireworks qwen3-8b": "2026-09-25",
        "node of 1 x h100-sxm-80gb, own price": "2026-11-01",
    }


def test_a_record_shows_no_rounding_noise():
    content = record(decide_plain({M + "workload.tokens_per_month": 52_560_000_000 / 3}))

    assert content["whole"]["hosted_usd_per_month"] == 8760
    assert content["whole"]["hosted_usd_per_mtok"] == 0.5


def test_the_summary_is_what_the_next_update_has_to_know():
    decision = decide_plain()
    kept = summary(decision)

    assert decision.verdict is Verdict.WINS
    assert kept.items() >= {"verdict": "wins", "allowed": True, "as_of": "2026-11-21"}.items()
    assert kept["self_hosted_usd_per_month"] == 3650
