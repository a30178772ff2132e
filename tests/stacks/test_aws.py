"""What does not go together on AWS: each contradiction gets one message with the way out."""

import pytest

from stacks.errors import InputError, Problem
from stacks.reading import parse_stack
from tests.eks import ACCOUNT, BALANCED, BALANCER, CLOSED, STORED, M, an_eks_stack
from tests.factories import Changes, Declaration, a_stack, own_node

INFRASTRUCTURE = "operations.infrastructure."
PURCHASE = M + "pool.purchase"
QUOTE = {"usd_per_hour": 4, "evidence": "quote 2", "checked": "2026-11-01"}
ID = "cr-0123456789abcdef0"
BLOCK = {"kind": "capacity_block", "starts": "2026-11-01", "ends": "2026-12-31", **QUOTE}
BOUGHT = BLOCK | {"reservation": ID, "zone": "us-east-1a"}
RESERVED = {"kind": "capacity_reservation", "reservation": ID, "zone": "us-east-1d", "nodes": 14}
HELD = RESERVED | {"zone": "us-east-1a"}
OTHER_ARN = "arn:aws:acm:us-west-2:123456789012:certificate/0"
OPEN = ["0.0.0.0/0"]
PUBLIC = {"kind": "public", "cidrs": OPEN}
HALVES = ["0.0.0.0/1", "128.0.0.0/1"]
OPERATOR = {
    "kind": "operator",
    "namespace": "monitoring",
    "address": "http://prometheus.monitoring:9090",
}
SLEEPS: Changes = {
    M + "pool.replicas.min": 0,
    M + "serving.hold_seconds": 660,
    M + "serving.scaling": {"cooldown_seconds": 1800},
    "gateway.longest_silence_seconds": 900,
}


def second(purchase: dict[str, object]) -> Declaration:
    """Return a further model of the stack, whose nodes are bought so."""
    model: Declaration = an_eks_stack({M + "name": "summaries", PURCHASE: purchase})["models"][0]
    return model


# what is changed, the field, what is found, what is allowed, what to do
ON_AWS: tuple[tuple[Changes, str, str, str, str], ...] = (
    ({INFRASTRUCTURE + "storage": {"usd_per_month": 4, "source": "bill"}},
     INFRASTRUCTURE + "storage", "another form", "with target eks", "it is computed from what is made"),
    ({INFRASTRUCTURE + "monitoring": {"from_target": True}},
     INFRASTRUCTURE + "monitoring", "from_target", "on control_plane", "say what it costs"),
    ({"target.zones[2]": "us-west-2c"},
     "target.zones[2]", "us-west-2c", "zones of us-east-1", "zones of the stack's region"),
    ({"target.zones[2]": "us-east-1a"},
     "target.zones[2]", "us-east-1a", "each once", "zones of the stack's region"),
    ({"target.zones[2]": "us-east-1"},
     "target.zones[2]", "'us-east-1'", "an availability zone, e.g. us-east-1a", "correct"),
    ({"target.cluster.administrators[0]": "arn:aws:iam::999999999999:role/deploy"},
     "target.cluster.administrators[0]", "999999999999", f"one of account {ACCOUNT}", "target.account"),
    ({"target.cluster.administrators[0]": "arn:aws:iam::123456789012:user/jo"},
     "target.cluster.administrators[0]", "user/jo", "the ARN of an IAM role", "correct"),
    ({**BALANCED, "target.load_balancer.certificate_arn": OTHER_ARN},
     "target.load_balancer.certificate_arn", "us-west-2", "in us-east-1", "target.region"),
    ({"target.cluster.version": "1.35"},
     "target.gpu_nodes.ami_release", "with cluster.version: 1.35", "a release of 1.35", "the control plane first"),
    ({"target.gpu_nodes.warm_nodes": 1, "target.gpu_nodes.scaler": "karpenter"},
     "target.gpu_nodes.warm_nodes", "without a group", "bought on demand", "take it out"),
    ({"target.network.cidr": "10.0.0.0/15"},
     "target.network.cidr", "10.0.0.0/15", "from /16 to /28", "take one"),
    ({"target.network.cidr": "8.8.0.0/16"},
     "target.network.cidr", "8.8.0.0/16", "a private range", "take one"),
    *(
        ({"target.network.cidr": cidr}, "target.network.cidr", cidr, "172.16.0.0/12, 192.168.0.0/16", "take one")
        for cidr in ("127.0.0.0/16", "169.254.0.0/16", "198.18.0.0/16", "240.0.0.0/16", "192.0.2.0/24")
    ),
    ({"target.gpu_nodes.ami_release": "latest"},
     "target.gpu_nodes.ami_release", "'latest'", "e.g. 1.36.2-20260818", "correct"),
    ({"gateway.exposure": "load_balancer"},
     "target.load_balancer", "none, with gateway.exposure: load_balancer", "and only there", "both or neither"),
    ({"target.load_balancer": BALANCER},
     "target.load_balancer", "one, with gateway.exposure: ", "and only there", "both or neither"),
    ({**BALANCED, "gateway.longest_silence_seconds": 4000},
     "gateway.longest_silence_seconds", "4000", "below 4000", "let clients stream"),
    ({"observability.prometheus": OPERATOR},
     "observability.prometheus.kind", "operator", "has no operator", "kind: own"),
    ({"gateway.tls": {"kind": "issuer", "name": "letsencrypt", "host": "llm.example.com"}},
     "gateway.tls.kind", "issuer", "no cert-manager", "certificate_arn"),
    ({M + "pool.node": own_node(5)},
     M + "pool.node", "own, with target.region: us-east-1", "kind: instance", "the price is that of its region"),
    ({M + "pool.node.region": "us-west-2"},
     M + "pool.node", "us-west-2", "region: us-east-1", "the price is that of its region"),
    ({PURCHASE: RESERVED},
     PURCHASE + ".zone", "us-east-1d", "one of us-east-1a, us-east-1b", "describe-capacity-reservations"),
    ({PURCHASE: HELD, "models[1]": second(HELD)},
     "models[1].pool.purchase.reservation", f"{ID}, which the pool of support-chat has", "for each pool",
     "one of its own"),
    ({PURCHASE: HELD, "models[1]": second(BOUGHT), "target.ends": "2026-12-31"},
     "models[1].pool.purchase.reservation", f"{ID}, which the pool of support-chat has", "for each pool",
     "one of its own"),
    ({PURCHASE: RESERVED | {"reservation": "r-1"}},
     PURCHASE + ".reservation", "'r-1'", "cr- and 8 to 17 hex digits", "correct"),
    ({PURCHASE: BLOCK, "target.ends": "2026-12-31"},
     PURCHASE + ".zone", "nothing", "the zone of the reservation", "describe-capacity-reservations"),
    ({PURCHASE: BLOCK | {"reservation": ID}, "target.ends": "2026-12-31"},
     PURCHASE + ".zone", "nothing, beside the other", "both or neither", "add zone"),
    ({PURCHASE: BOUGHT},
     PURCHASE + ".ends", "none, it stays", "as long as the stack", "buy a longer block"),
    ({PURCHASE: BOUGHT, "target.ends": "2027-01-01"},
     PURCHASE + ".ends", "target.ends: 2027-01-01", "as long as the stack", "buy a longer block"),
    ({M + "serving.cold_start_phases": None},
     M + "serving.cold_start_phases", "nothing", "of one measured start", "the scaler's lead follow"),
    ({M + "serving.source": STORED[M + "serving.source"]},
     M + "serving.source.kind", "store, without target.model_store", "has a bucket", "target.model_store"),
    (SLEEPS, M + "serving.hold_seconds", "a cold start of 420 s after 240 s for a node", "more than 660",
     "longer than a replica needs"),
    ({M + "serving.scaling.cooldown_seconds": 660},
     M + "serving.scaling.cooldown_seconds", "a cold start of 420 s after 240 s for a node", "more than 660",
     "as soon as it has come"),
    ({"target.cluster.api": {"kind": "private", "cidrs": ["172.16.0.0/12", "10.0.128.0/20"]}},
     "target.cluster.api.cidrs[1]", "a part of target.network.cidr (10.0.0.0/16)", "connected networks", "take it out"),
    ({**CLOSED, "target.registry": None},
     "target.registry", "none, with network.egress.kind: none", "of the stack's own", "docs/aws.md"),
    ({**CLOSED, "target.charts": {}},
     "target.charts.keda", "nothing, with network.egress.kind: none", "without the internet", "copy the chart of keda"),
    ({**CLOSED, **BALANCED},
     "target.load_balancer.scheme", "internet-facing", "no public subnet", "through the VPC"),
    ({**CLOSED, M + "serving.source": {"kind": "hub"}},
     M + "serving.source", "the model hub", "filled_from: elsewhere", "copy the revision"),
    ({**CLOSED, M + "serving.source.filled_from": "hub"},
     M + "serving.source", "the model hub", "filled_from: elsewhere", "copy the revision"),
    ({"target.network.cidr": "10.0.0.1/16"},
     "target.network.cidr", "'10.0.0.1/16'", "in CIDR notation", "the network's first address"),
    ({"target.cluster.api": {"kind": "public", "cidrs": HALVES}},
     "target.cluster.api.open_because", "nothing, with cidrs 0.0.0.0/1, 128.0.0.0/1", "shorter than /8", "say why"),
    ({"target.cluster.api": {"kind": "private", "cidrs": ["10.0.0.0/8", *HALVES]}},
     "target.cluster.api.cidrs", "0.0.0.0/1, 128.0.0.0/1", "connected with the VPC, /8 or longer", "name the networks"),
    ({"target.cluster.api": PUBLIC},
     "target.cluster.api.open_because", "nothing, with cidrs 0.0.0.0/0", "and only there", "say why everybody may"),
    ({**BALANCED, "target.load_balancer.cidrs": OPEN},
     "target.load_balancer.open_because", "nothing, with cidrs 0.0.0.0/0", "and only there", "say why everybody may"),
    ({**BALANCED, "target.load_balancer.open_because": "everybody has a key of their own"},
     "target.load_balancer.open_because", "a reason", "and only there", "name the ranges"),
    ({"target.system_nodes": {"instance_type": "m7i.xlarge", "min": 4, "max": 3}},
     "target.system_nodes.max", "3, below the floor", "from min (4)", "raise the cap"),
    ({"target.system_nodes.min": 2},
     "target.system_nodes.min", "2, with 3 zones", "3 or more: a pod whose volume", "or declare fewer zones"),
    ({"target.gpu_nodes.scaler": "karpenter", "target.system_nodes.max": 4},
     "target.system_nodes.min", "3, with max: 4", "min and max alike", "in both"),
    ({"target.gpu_nodes.zone": "us-east-1d"},
     "target.gpu_nodes.zone", "us-east-1d", "one of target.zones: us-east-1a", "add this one"),
    ({"target.account": 123456789012},
     "target.account", "123456789012", "in quotes", "quotes"),
)  # fmt: skip
ELSEWHERE = (
    ({INFRASTRUCTURE + "storage": {"from_target": True}},
     INFRASTRUCTURE + "storage", "with target.kind: render", "with target eks", "say what it costs"),
    ({M + "serving.source": STORED[M + "serving.source"]},
     M + "serving.source.kind", "store, with target.kind: render", "which makes the bucket", "kind: s3"),
)  # fmt: skip


def refused(stack: Declaration) -> Problem:
    with pytest.raises(InputError) as caught:
        parse_stack(stack, file="x.yaml")
    (problem,) = caught.value.problems
    return problem


def check(problem: Problem, field: str, found: str, allowed: str, remedy: str) -> None:
    assert problem.field == field
    assert found in problem.found
    assert allowed in problem.allowed
    assert remedy in problem.remedy


@pytest.mark.parametrize(("changes", "field", "found", "allowed", "remedy"), ON_AWS)
def test_a_contradiction_on_aws_is_told_with_the_way_out(changes, field, found, allowed, remedy):
    check(refused(an_eks_stack(changes)), field, found, allowed, remedy)


@pytest.mark.parametrize(("changes", "field", "found", "allowed", "remedy"), ELSEWHERE)
def test_what_only_aws_has_is_refused_elsewhere(changes, field, found, allowed, remedy):
    check(refused(a_stack(changes)), field, found, allowed, remedy)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        BALANCED,
        STORED,
        CLOSED,
        {PURCHASE: HELD},
        {PURCHASE: HELD, "models[1]": second(HELD | {"reservation": "cr-00000001"})},
        {"target.network.cidr": "100.64.0.0/16"},
        {"target.gpu_nodes.zone": "us-east-1c"},
        {"target.gpu_nodes.scaler": "karpenter"},
        {"target.cluster.api": {"kind": "private", "cidrs": ["10.0.0.0/8", "192.168.0.0/16"]}},
        {"target.zones": ["us-east-1a", "us-east-1b"], "target.system_nodes.min": 2},
        {PURCHASE: BOUGHT, "target.ends": "2026-12-31"},
        {**SLEEPS, M + "serving.hold_seconds": 661},
        {"target.cluster.api": PUBLIC | {"open_because": "there is no network of our own"}},
    ],
)
def test_what_goes_together_is_taken(changes):
    assert parse_stack(an_eks_stack(changes), file="x.yaml").target.kind == "eks"
