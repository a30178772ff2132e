"""What of an account on AWS a decision depends on: what is priced, and how long a node takes."""

import copy
from collections.abc import Iterator

from tests.eks import BALANCED, BALANCER, STORED, an_eks_stack
from tests.factories import Declaration, decided, put
from tests.gate.test_decision_inputs import hash_of, leaves

AS_DECLARED = an_eks_stack(
    {
        **BALANCED,
        **STORED,
        "target.cluster.support": "extended",
        "target.tags": {"cost-center": "4711"},
        "target.registry": {"gib": 60},
        "target.system_nodes.max": 4,  # so that the floor can be another
        "target.gpu_nodes.warm_nodes": 1,
        "target.gpu_nodes.local_disks": True,
    }
)
NOT_YET_PRICED = {
    "target.gpu_nodes.start_seconds",
    "target.cluster.version",
    "target.cluster.support",
}
"""Not in the bill of today: the lead covers the first, the extended fee will follow from the others."""


def test_on_aws_the_hash_changes_with_what_is_priced_and_not_with_names_releases_or_tags():
    before, bill = hash_of(AS_DECLARED), priced(AS_DECLARED)
    unlike = dict(changed_targets())
    moved = {path for path, changed in unlike.items() if hash_of(changed) != before}

    assert len(unlike) > 25, "the walk reaches the target"
    assert moved == NOT_YET_PRICED | {
        path for path, changed in unlike.items() if priced(changed) != bill
    }


def test_what_is_left_out_is_not_in_the_hash_so_that_it_stays_what_it_was():
    nothing = {"target.gpu_nodes.warm_nodes": 0, "target.gpu_nodes.local_disks": False}

    assert hash_of(an_eks_stack(nothing)) == hash_of(an_eks_stack())


def changed_targets() -> Iterator[tuple[str, Declaration]]:
    """Yield the stack with each leaf of its target changed, alone, where it can be."""
    also = {
        "target.cluster.version": {"target.gpu_nodes.ami_release": "1.35.2-20260818"},
        "target.region": None,
        "target.account": None,
    }
    values = {
        "target.cluster.version": "1.35",
        "target.cluster.support": "standard",
        "target.cluster.log_retention_days": 60,
        "target.cluster.administrators[0]": "arn:aws:iam::123456789012:role/other",
        "target.network.cidr": "10.1.0.0/16",
        "target.network.egress.gateways": "single",
        "target.system_nodes.instance_type": "m7i.2xlarge",
        "target.gpu_nodes.ami_release": "1.36.2-20260819",
        "target.load_balancer.scheme": "internal",
        "target.load_balancer.certificate_arn": f"{BALANCER['certificate_arn']}1",
        "target.load_balancer.cidrs[0]": "203.0.112.0/24",
        "target.usage.internet_gb": 5000,
        "target.zones[0]": "us-east-1d",
        "target.zones[1]": "us-east-1d",
        "target.zones[2]": "us-east-1d",
    }
    for path, value in leaves(AS_DECLARED):
        if not path.startswith("target.") or path.endswith(".kind") or also.get(path, 0) is None:
            continue
        changed = copy.deepcopy(AS_DECLARED)
        numeric = isinstance(value, int) and not isinstance(value, bool)
        other = value + 1 if numeric else not value if isinstance(value, bool) else value + " x"
        put(changed, path, values.get(path, other))
        for follows, with_it in (also.get(path) or {}).items():
            put(changed, follows, with_it)
        yield path, changed


def priced(stack: Declaration) -> float:
    """Return what the models share, all that AWS bills in it."""
    decision = decided(stack)
    return sum(item.usd_per_month for item in decision.shared)
