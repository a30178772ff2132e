"""Days that are none, that have not come yet, or that lie too far back."""

from datetime import timedelta

from gate import facts
from tests.factories import ABSENT, AS_OF, a_constraint, a_shadow, own_node
from tests.gate.bad_input import Wrong

M = "models[0]."
CHECKED = M + "hosted.negotiated.checked"
FUTURE = "a day in the future"

LISTED = facts.instance_price(
    "p5.4xlarge", region="us-east-1", purchase="on_demand", as_of=AS_OF
).source
COMPARED = facts.hosted_price(provider="together", model="Qwen/Qwen3.5-9B", as_of=AS_OF).source
GREW_OLD = LISTED.checked + timedelta(2 * facts.max_age_days("instance_price") + 1)
OUTDATED = COMPARED.checked + timedelta(2 * facts.max_age_days("hosted_price") + 1)
"""The first days on which these two prices are too old to decide with."""


def day(
    what: str, field: str, wrong: object, found: str, *, allowed: str = "", remedy: str = ""
) -> Wrong:
    """One day of the demo stack."""
    return Wrong(what, field, found, changes={field: wrong}, allowed=allowed, remedy=remedy)


def constraint(what: str, field: str, found: str, **changes: object) -> Wrong:
    """One hard constraint, with changes to a complete one."""
    content = a_constraint("support-chat") | changes
    kept = {key: value for key, value in content.items() if value is not ABSENT}
    return Wrong(what, f"constraints[0]{field}", found, changes={"constraints": [kept]})


def shadow(what: str, field: str, found: str, **limits: object) -> Wrong:
    """A shadow, with changes to its limits."""
    content = {"ends": "2026-12-05", "spending_cap_usd": 100_000} | limits
    return Wrong(what, field, found, changes=a_shadow({"shadow": content}))


DAYS = (
    day("a day written the other way round", CHECKED, "25.09.2026", "'25.09.2026'"),
    day("the 30th of February", CHECKED, "2026-02-30", "'2026-02-30'"),
    day("a day as a number", CHECKED, 20260925, "20260925", allowed="YYYY-MM-DD"),
    day("a day with a time", CHECKED, "2026-09-25T10:00", "10:00", allowed="without a time"),
    day("a price checked tomorrow", CHECKED, "2026-11-22", FUTURE, allowed="up to 2026-11-21"),
    day("a measurement of tomorrow", M + "benchmark.measured_on", "2026-11-22", FUTURE),
    day("a quote two years old", CHECKED, "2024-11-21", "2024-11-21", allowed="past 360"),
    day("a benchmark four years old", M + "benchmark.measured_on", "2022-11-21", "2022-11-21"),
    Wrong(
        "a list price that grew old",
        M + "pool.node.instance_type",
        f"last checked on {LISTED.checked}",
        changes={CHECKED: str(GREW_OLD), M + "benchmark.measured_on": str(GREW_OLD)},
        allowed=f"blocking past {2 * facts.max_age_days('instance_price')}",
        remedy="look again",
        as_of=str(GREW_OLD),
    ),
    Wrong(
        "a comparator's list price that grew old",
        M + "hosted.model",
        f"last checked on {COMPARED.checked}",
        changes={
            M + "hosted.negotiated": ABSENT,
            M + "hosted.provider": "together",
            M + "hosted.model": "Qwen/Qwen3.5-9B",
            M + "pool.node": own_node(6.88) | {"checked": str(OUTDATED)},
            M + "benchmark.measured_on": str(OUTDATED),
        },
        allowed=f"blocking past {2 * facts.max_age_days('hosted_price')}",
        as_of=str(OUTDATED),
    ),
    constraint("an approval of tomorrow", ".approved_on", FUTURE, approved_on="2026-11-22"),
    constraint("an approval for 14 months", ".expires", "2028-01-01", expires="2028-01-01"),
    constraint("an approval that ends first", ".expires", "2026-10-01", expires="2026-10-01"),
)

CONSTRAINTS = (
    Wrong("a waiver as a truth value", "constraints", "True", changes={"constraints": True}),
    Wrong(
        "a constraint as a truth value",
        "constraints[0]",
        "True",
        changes={"constraints": [True]},
        allowed="a mapping with category, models, statement, evidence",
    ),
    constraint("no evidence", ".evidence", "nothing", evidence=ABSENT),
    constraint("evidence that says nothing", ".evidence", "' '", evidence=" "),
    constraint("no approver", ".approver", "nothing", approver=ABSENT),
    constraint("no ticket", ".ticket", "nothing", ticket=ABSENT),
    constraint("no word on zero retention", ".zero_retention_insufficient_because", "nothing",
               zero_retention_insufficient_because=ABSENT),
    constraint("a statement of one word", ".statement", "'GDPR'", statement="GDPR"),
    constraint("a category of one's own", ".category", "'security'", category="security"),
    constraint("a model that the stack has not", ".models", "support-bot", models=["support-bot"]),
    constraint("a constraint on nothing", ".models", "a list of 0", models=[]),
    constraint("a seal that is none", ".approval.seal", "'approved'",
               approval={"inputs_hash": "0" * 64, "premium_usd_per_month": 1, "seal": "approved"}),
)  # fmt: skip

SHADOWS = (
    Wrong("a shadow without an end", "shadow", "no shadow", changes={"purpose": "shadow"}),
    Wrong(
        "an end without a shadow",
        "shadow",
        "a shadow, with purpose: trial",
        changes={"shadow": {"ends": "2026-12-05", "spending_cap_usd": 100_000}},
    ),
    shadow("a shadow of 31 days", "shadow.ends", "2026-12-22, 31 days away", ends="2026-12-22"),
    shadow("a shadow that has ended", "shadow.ends", "2026-11-20, passed", ends="2026-11-20"),
    shadow("a cap too small", "shadow.spending_cap_usd", "5,000", spending_cap_usd=5000),
    shadow("no cap", "shadow.spending_cap_usd", "nothing", spending_cap_usd=None),
)

DATES = (*DAYS, *CONSTRAINTS, *SHADOWS)
