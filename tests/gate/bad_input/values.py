"""Values of the wrong kind, or outside every sensible range."""

from tests.factories import ABSENT, own_node
from tests.gate.bad_input import Wrong

NAN, INFINITY = float("nan"), float("inf")
M = "models[0]."
PRICE = M + "hosted.negotiated.input_usd_per_mtok"
VOLUME = M + "workload.tokens_per_month"
CAP = M + "pool.replicas.max"
HOLD = M + "pool.scaling.hold_minutes"


def value(
    what: str, field: str, wrong: object, found: str, *, allowed: str = "", remedy: str = ""
) -> Wrong:
    """One field of the demo stack with a wrong value."""
    return Wrong(what, field, found, changes={field: wrong}, allowed=allowed, remedy=remedy)


VALUES = (
    value("a volume is missing", VOLUME, ABSENT, "nothing", remedy="add tokens_per_month"),
    value("the workload is missing", M + "workload", ABSENT, "nothing", remedy="add workload"),
    value("the purpose is missing", "purpose", ABSENT, "nothing", remedy="add purpose"),
    value("a list where a number goes", VOLUME, [1, 2], "a list of 2", allowed="a number"),
    value("a mapping where a number goes", VOLUME, {"a": 1}, "a mapping with a"),
    value("nothing where a number goes", VOLUME, None, "nothing", allowed="a number"),
    value("text where a mapping goes", M + "pool", "p5", "'p5'", allowed="a mapping with node,"),
    value("a number where a list goes", "models", 5, "5", allowed="a list"),
    value("no model at all", "models", [], "a list of 0", allowed="at least 1"),
    value("a negative price", PRICE, -0.2, "-0.2", allowed="from 0.001"),
    value("a price of zero", PRICE, 0, "0", allowed="from 0.001"),
    value("a price that is not a number", PRICE, NAN, "nan"),
    value("an infinite price", PRICE, INFINITY, "inf", allowed="a finite number"),
    value("an infinite volume", VOLUME, INFINITY, "inf", allowed="a finite number"),
    value("infinity as text", VOLUME, "inf", "'inf'", allowed="a plain number"),
    value("YAML's own infinity as text", VOLUME, ".inf", "'.inf'", allowed="a plain number"),
    value("not-a-number as text", PRICE, "nan", "'nan'", allowed="a plain number"),
    value("a truth value as a number", CAP, True, "True", allowed="a plain number"),  # noqa: FBT003
    value("a truth value as an amount", PRICE, False, "False", allowed="a plain number"),  # noqa: FBT003
    value("a hold that the HPA refuses", HOLD, 61, "61", allowed="up to 60", remedy="an hour"),
    value("a number with a blank", CAP, " 5", "' 5'", remedy="no blank"),
    value("a number with a unit", PRICE, "5 USD", "'5 USD'", remedy="no unit"),
    value("a number with a comma", PRICE, "0,20", "'0,20'", remedy="a point before decimals"),
    value("half a replica", CAP, 2.5, "2.5", allowed="a whole number"),
    value("no replica at all", CAP, 0, "0", allowed="from 1"),
    value("a price per token", PRICE, 2e-7, "2e-07", allowed="from 0.001", remedy="per million"),
    value("a price per 10^12 tokens", PRICE, 200_000, "200000", allowed="up to 1000"),
    value("a volume in millions", VOLUME, 150_000, "150000", allowed="from 1e+06"),
    value("a volume times a million", VOLUME, 1.5e17, "1.5e+17", allowed="up to 1e+15"),
    Wrong(
        "a node-hour at the price of a month",
        M + "pool.node.usd_per_hour",
        "5022",
        changes={M + "pool.node": own_node(5022)},
        allowed="up to 2000",
    ),
    value("a fraction in per cent", M + "hosted.retry_fraction", 1.5, "1.5", allowed="up to 1"),
    value("a growth in per cent", M + "workload.growth_per_month", 2, "2", allowed="up to 1"),
    value("a horizon of a lifetime", "gate.horizon_months", 999, "999", allowed="up to 120"),
    value("a cost line of nothing", "operations.infrastructure.storage.usd_per_month", 0, "0"),
    value("a version as a number", M + "benchmark.engine_version", 0.3, "0.3", allowed="quotes"),
    value("a commit as a number", M + "weights.revision", 1234567, "1234567", allowed="quotes"),
    value("a branch for a commit", M + "weights.revision", "main", "'main'", allowed="a commit"),
    value("an image by tag", M + "serving.image", "vllm:0.33", "'vllm:0.33'", allowed="sha256"),
    value(
        "a name with a blank", M + "name", "Support Chat", "'Support Chat'", allowed="lower-case"
    ),
    value("a name that says nothing", M + "weights.id", "   ", "'   '", allowed="at least 1"),
    Wrong(
        "an engine's argument with a list",
        M + "serving.arguments.--x",
        "a list of 1",
        changes={M + "serving.arguments": {"--x": [1]}},
        allowed="text or a whole number or a number or true or false",
    ),
    value("a secret price", PRICE, {"secure": "AAAB"}, "encrypted", remedy="pulumi preview"),
)
