"""Values that are fine alone and do not go together."""

from tests.factories import ABSENT, Changes, a_stack, own_node
from tests.gate.bad_input import LOAD, Wrong

M = "models[0]."
PURCHASE = M + "pool.purchase"
COMMITTED = {
    "kind": "reserved",
    "term_months": 12,
    "committed_nodes": 15,
    "usd_per_hour": 4,
    "evidence": "quote 1",
    "checked": "2026-11-01",
}
BLOCK = {
    "kind": "capacity_block",
    "usd_per_hour": 4,
    "starts": "2026-10-01",
    "ends": "2026-11-20",
    "evidence": "quote 2",
    "checked": "2026-10-01",
}
STORAGE = "operations.infrastructure.storage"
UPDATES = M + "costs.model_updates"
FIXED: Changes = {M + "pool.scaling": {"kind": "fixed"}}


def line(what: str, place: str, content: object, found: str, field: str = "") -> Wrong:
    """A cost line with this content."""
    return Wrong(what, place + field, found, changes={place: content})


COSTS = (
    line("a cost line that says nothing", STORAGE, {}, "none of the forms"),
    line(
        "a cost line with two forms",
        STORAGE,
        {"usd_per_month": 4, "source": "bill", "hours_per_month": 2},
        "usd_per_month and hours_per_month",
    ),
    line("a zero without a reason", STORAGE, {"usd_per_month": 0, "source": "bill"}, "0",
         ".usd_per_month"),
    line("a reason of one word", STORAGE, {"zero_because": "none"}, "'none'", ".zero_because"),
    line("a reason of blanks", STORAGE, {"zero_because": " " * 20}, "'  ", ".zero_because"),
    line("an amount without a source", STORAGE, {"usd_per_month": 4}, "nothing", ".source"),
    line("a source without an amount", M + "costs.egress",
         {"source": "bill", "zero_because": "all within the cluster"}, "beside source",
         ".usd_per_mtok"),
    line("a fact without a quantity", STORAGE, {"fact": "gp3_gb_month"}, "nothing", ".quantity"),
    line("a rate without a source", M + "costs.egress", {"usd_per_mtok": 1}, "nothing", ".source"),
    line("a share of escalations to nobody", M + "costs.escalation",
         {"self_hosted_fraction": 0.1}, "none of the forms"),
    line("a frontier model without a provider", M + "costs.escalation",
         {"model": "gpt-5", "self_hosted_fraction": 0.1}, "none of the forms"),
    line("a reason for no escalation, and a share", M + "costs.escalation",
         {"zero_because": "equal weights", "self_hosted_fraction": 0.1}, "beside a fraction",
         ".zero_because"),
    Wrong("no updates, and no reason", UPDATES + ".zero_because", "nothing, with per_year: 0",
          changes={UPDATES + ".per_year": 0}),
)  # fmt: skip

POOLS = (
    Wrong(
        "a cap below the floor",
        M + "pool.replicas.max",
        "4, below the floor",
        changes={M + "pool.replicas": {"min": 5, "max": 4}},
        allowed="from min (5)",
    ),
    Wrong(
        "a replica larger than its node",
        M + "pool.gpus_per_replica",
        "2, which does not divide the 1 GPUs of p5.4xlarge",
        changes={M + "pool.gpus_per_replica": 2, M + "benchmark.gpus": 2},
        allowed="1",
    ),
    Wrong(
        "replicas that leave GPUs of their node idle",
        M + "pool.gpus_per_replica",
        "3, which does not divide the 8 GPUs of node of 8 x h100-sxm-80gb",
        changes={
            M + "pool.node": own_node(40, gpus=8),
            M + "pool.gpus_per_replica": 3,
            M + "benchmark.gpus": 3,
        },
        allowed="1, 2, 4, 8",
    ),
    Wrong(
        "more nodes committed than the cap needs",
        PURCHASE + ".committed_nodes",
        "15",
        changes={PURCHASE: COMMITTED},
        allowed="up to the 14 nodes",
    ),
    Wrong(
        "a term that nobody sells",
        PURCHASE + ".term_months",
        "24",
        changes={PURCHASE: COMMITTED | {"term_months": 24}},
        allowed="12 or 36",
    ),
    Wrong("a block that has ended", PURCHASE + ".ends", "has passed", changes={PURCHASE: BLOCK}),
    Wrong(
        "a block that ends before it starts",
        PURCHASE + ".ends",
        "2026-09-01, with a start on 2026-10-01",
        changes={PURCHASE: BLOCK | {"ends": "2026-09-01"}},
    ),
    Wrong(
        "capacity ordered later than it starts",
        M + "pool.scaling.lead_minutes",
        "5 min",
        changes={M + "pool.scaling.lead_minutes": 5},
        allowed="cold start of 7 min",
    ),
    Wrong(
        "a volume above the capacity",
        M + "workload.tokens_per_month",
        "1e+12",
        changes={M + "workload.tokens_per_month": 1e12},
        allowed="replicas.max (14)",
        remedy="raise pool.replicas.max",
    ),
)

LOADS = (
    Wrong(
        "only a peak, for a pool that follows the load",
        LOAD,
        "only a peak",
        changes={LOAD: {"kind": "peak_to_mean", "ratio": 3}},
        remedy="pool.scaling.kind: fixed",
    ),
    Wrong(
        "a peak below the mean",
        LOAD + ".ratio",
        "0.5",
        changes={LOAD: {"kind": "peak_to_mean", "ratio": 0.5}, **FIXED},
        allowed="from 1",
    ),
    Wrong(
        "an office that closes when it opens",
        LOAD + ".last_hour",
        "9, with first_hour 9",
        changes={
            LOAD: {
                "kind": "business_hours",
                "first_hour": 9,
                "last_hour": 9,
                "off_hours_fraction": 0,
                "weekend_factor": 0,
            }
        },
    ),
    Wrong(
        "a utilization that volume and replicas contradict",
        LOAD,
        "a utilization of 0.900",
        changes={
            LOAD: {"kind": "assumed_utilization", "utilization": 0.9},
            M + "pool.replicas": {"min": 14, "max": 14},
            **FIXED,
        },
        allowed="within 10%",
    ),
    Wrong(
        "a batch price that nobody gave",
        M + "hosted.batch_discount_fraction",
        "with a batch_fraction above 0",
        changes={M + "hosted.batch_fraction": 0.3},
        allowed="0 to 1",
    ),
    Wrong(
        "two models with one name",
        "models[1].name",
        "support-chat again",
        changes={"models[1]": a_stack()["models"][0]},
    ),
    Wrong(
        "a node without its own price",
        M + "pool.node.usd_per_hour",
        "nothing",
        changes={M + "pool.node": own_node(5), M + "pool.node.usd_per_hour": ABSENT},
    ),
)

TOGETHER = (*COSTS, *POOLS, *LOADS)
