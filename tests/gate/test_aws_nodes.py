"""What target eks says of GPU nodes: those that are kept warm, their disks, and which types it takes."""

from contextlib import nullcontext as none
from datetime import date

import pytest

from gate import facts
from gate.aws_nodes import check_local_disks
from gate.costs import total
from gate.nodes import plan_nodes
from stacks.errors import InputError, Place
from stacks.reading import parse_stack
from tests.eks import M, decide_eks
from tests.factories import Changes, a_stack
from tests.gate.test_aws_costs import declared, lines


@pytest.mark.parametrize(
    ("stack", "own"), [(declared(), False), (parse_stack(a_stack(), file="x"), True)]
)
def test_a_node_of_ones_own_is_advised_only_where_the_target_takes_it(stack, own):
    with pytest.raises(InputError) as caught:
        plan_nodes(stack.models[0].pool, Place("x"), target=stack.target, as_of=date(2020, 1, 1))
    (problem,) = caught.value.problems

    assert ("node.kind: own" in problem.remedy) is own


WARM: Changes = {"target.gpu_nodes.warm_nodes": 2}
COMMITTED: Changes = {
    M + "pool.purchase": {
        "kind": "savings_plan",
        "term_months": 12,
        "committed_nodes": 14,
        "usd_per_hour": 4,
        "evidence": "contract 3",
        "checked": "2026-11-01",
    }
}


@pytest.mark.parametrize(
    ("changes", "usd_per_hour"),
    [
        (WARM, (14 + 2) * 6.88),
        ({"target.gpu_nodes.warm_nodes": 20}, (14 + 14) * 6.88),
        ({**WARM, **COMMITTED}, 14 * 4 + 2 * 6.88),
    ],
)
def test_each_warm_node_runs_once_beyond_the_cap_and_the_ceiling_counts_it(changes, usd_per_hour):
    [case] = decide_eks(changes).cases

    assert case.nodes.ceiling_usd_per_hour == pytest.approx(usd_per_hour)


def test_a_warm_node_has_a_disk_always_and_runs_for_no_hour_of_the_bill():
    cold, warm = decide_eks(), decide_eks(WARM)
    disk = 200 * 0.08 + 3000 * 0.005 + 375 * 0.04

    assert warm.cases[0].node_item == cold.cases[0].node_item
    assert total(warm.shared) - total(cold.shared) == pytest.approx(2 * disk)


def test_root_disks_beside_local_ones_are_paid_without_more_iops_and_mb_per_s():
    found = lines(declared({"target.gpu_nodes.local_disks": True}))

    assert found["GPU node disks"] == pytest.approx(14 * 200 * 0.08)
    assert not {"GPU node disks, IOPS", "GPU node disks, MB/s"} & found.keys()


@pytest.mark.parametrize(("local_disk_gb", "declares", "refused"), [
    (None, True, True), (None, False, False), (3800, True, False),
])  # fmt: skip
def test_local_disks_are_refused_on_a_type_without(local_disk_gb, declares, refused):
    bare = facts.instance("p5.4xlarge")._replace(name="p3.2xlarge", local_disk_gb=local_disk_gb)
    eks, place = declared({"target.gpu_nodes.local_disks": declares}).target, Place("x", "node")
    expected = pytest.raises(InputError, match=r"p3\.2xlarge, with target") if refused else none()

    with expected:
        check_local_disks(bare, eks, place)
