"""What is noticed about an account on AWS that does not stop it: what ends soon, and what is old."""

from datetime import date

import pytest

from gate.findings import Level
from stacks.errors import Problem
from tests.eks import M, decide_eks
from tests.factories import AS_OF, Changes


def noticed(changes: Changes, field: str, *, as_of: date = AS_OF) -> list[tuple[Level, Problem]]:
    findings = decide_eks(changes, as_of=as_of).findings
    return [(each.level, each.problem) for each in findings if each.problem.field == field]


def version(name: str, support: str = "standard") -> Changes:
    return {
        "target.cluster.version": name,
        "target.cluster.support": support,
        "target.gpu_nodes.ami_release": f"{name}.2-20260818",
    }


@pytest.mark.parametrize(
    ("name", "support", "as_of", "said"),
    [
        ("1.36", "standard", AS_OF, None),
        ("1.34", "standard", date(2026, 9, 2), None),
        ("1.34", "standard", date(2026, 9, 3), "1.34, whose standard support ends on 2026-12-02"),
        ("1.34", "extended", AS_OF, None),
        ("1.31", "extended", AS_OF, "1.31, whose extended support ends on 2026-11-26"),
        ("1.36", "extended", AS_OF, None),
    ],
)
def test_the_end_of_support_is_told_a_quarter_ahead(name, support, as_of, said):
    found = noticed(version(name, support), "target.cluster.version", as_of=as_of)

    assert [problem.found for _, problem in found] == ([said] if said else [])
    assert all(level is Level.ADVISORY for level, _ in found)


@pytest.mark.parametrize(("day", "old"), [(date(2027, 2, 14), False), (date(2027, 2, 15), True)])
def test_an_ami_older_than_half_a_year_is_pointed_out(day, old):
    found = noticed({}, "target.gpu_nodes.ami_release", as_of=day)

    assert [problem.found for _, problem in found] == (
        ["1.36.2-20260818, released on 2026-08-18"] if old else []
    )


def test_a_price_that_grew_old_is_named_by_where_it_stands():
    decision = decide_eks(as_of=date(2027, 9, 21))
    found = {each.problem.field: each.problem for each in decision.findings}

    assert found["prices.nat_gateway_hour"].file == "gate/data/operations.yaml"
    assert "last checked on 2026-09-20" in found["prices.nat_gateway_hour"].found
    assert "target.system_nodes.instance_type" in found


PHASES = M + "serving.cold_start_phases"


@pytest.mark.parametrize(
    ("weights_seconds", "source", "told"),
    [
        (1.31, {"kind": "hub"}, True),
        (1.32, {"kind": "hub"}, False),
        (1.31, {"kind": "volume", "claim": "weights", "path": "/w"}, False),
    ],
)
def test_weights_do_not_come_faster_than_the_network_carries_them(weights_seconds, source, told):
    """By hand: 15.26 GiB x 2^30 x 8 bits / 100 Gbit/s of a p5.4xlarge are 1.311 s."""
    phases = {"image_seconds": 150, "weights_seconds": weights_seconds, "engine_seconds": 210}
    changes = {
        PHASES: phases,
        M + "serving.cold_start_seconds": 360 + weights_seconds,
        M + "serving.source": source,
    }
    found = noticed(changes, PHASES + ".weights_seconds")

    assert bool(found) is told
    assert all("p5.4xlarge has 100 Gbit/s" in problem.allowed for _, problem in found)
