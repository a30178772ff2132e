"""Valid stacks to vary: the demo stack, and a plain one whose bills are worked out by hand."""

import copy
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from gate.constraints import approval_of
from gate.decision import Decision, decide
from stacks.reading import parse_stack, read_stack

AS_OF: Final = date(2026, 11, 21)
"""The day on which every test judges: the facts were read by then."""
STACKS: Final = Path(__file__).parent.parent / "stacks"
NONE: Final = {"zero_because": "left out of this test"}
ABSENT: Final = object()
"""In place of a value: takes the key out."""

Changes = Mapping[str, object]
Declaration = dict[str, Any]


@cache
def _demo() -> Declaration:
    """Return the demo stack; its load trace is found from any folder."""
    document = yaml.safe_load((STACKS / "Pulumi.demo.yaml").read_text(encoding="utf-8"))
    stack: Declaration = document["config"]["breakeven:stack"]
    load = stack["models"][0]["workload"]["load"]
    load["file"] = str(STACKS / load["file"])
    return stack


def a_stack(changes: Changes | None = None) -> Declaration:
    """Return the demo stack with values put in by path: `{"models[0].pool.replicas.max": 4}`."""
    return with_changes(copy.deepcopy(_demo()), changes or {})


def with_changes(stack: Declaration, changes: Changes) -> Declaration:
    """Return the stack with values put in by path; what only follows from others follows them."""
    for path, value in changes.items():
        put(stack, path, value)
    if not any(path.startswith("gateway") or ".serving.scaling" in path for path in changes):
        serving_follows(stack)
    if any(".hosted.model" in path or path.endswith(".hosted") for path in changes):
        _prices_follow(stack)
    return stack


def serving_follows(stack: Declaration) -> None:
    """Make how a stack is served go with what is judged, where the latter makes sense at all.

    Every key knows every model; a pool that is autoscaled, and no other, has a scaler; where it may
    sleep, the first request is held.
    """
    models = stack.get("models")
    if not isinstance(models, list) or not all(isinstance(model, dict) for model in models):
        return
    names = [str(model.get("name")) for model in models]
    for key in stack.get("gateway", {}).get("keys", ()):
        if names and all(re.fullmatch("[a-z][-a-z0-9]*", name) for name in names):
            key["models"] = names
    for model in models:
        pool, serving = model.get("pool"), model.get("serving")
        if isinstance(pool, dict) and isinstance(serving, dict):
            _scaler_follows(pool, serving)


def _scaler_follows(pool: Declaration, serving: Declaration) -> None:
    scaling, replicas = pool.get("scaling"), pool.get("replicas")
    if not isinstance(scaling, dict):
        return
    scaled = scaling.get("kind") == "autoscaled"
    sleeps = scaled and isinstance(replicas, dict) and replicas.get("min") in (0, "0")
    serving["scaling"] = {"cooldown_seconds": 1800} if scaled else None
    serving["hold_seconds"] = 480 if sleeps else 0


def _prices_follow(stack: Declaration) -> None:
    """Declare the prices of the fallbacks: another comparator says nothing about them."""
    for model in stack["models"]:
        if fallback := model["serving"].get("fallback"):
            fallback |= {"input_usd_per_mtok": 0.2, "output_usd_per_mtok": 0.2}


def external_stores(**changes: object) -> Declaration:
    """Return stores of Langfuse that are there: ClickHouse is a cluster, all are asked by TLS."""
    return {
        "kind": "external",
        "postgres_host": "pg.example.com",
        "clickhouse_host": "ch.example.com",
        "clickhouse_cluster": True,
        "redis_host": "redis.example.com",
        "s3_bucket": "traces",
        "s3_region": "us-east-1",
    } | changes


def put(stack: Declaration, path: str, value: object) -> None:
    """Put a value at a path, as `pulumi config set --path` does; ABSENT takes it out."""
    *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
    here: Any = stack
    for part in way:
        here = here[part]
    if value is ABSENT:
        del here[last]
    elif isinstance(here, list) and last == len(here):
        here.append(copy.deepcopy(value))
    else:
        here[last] = copy.deepcopy(value)


def decided(stack: Declaration, *, as_of: date = AS_OF) -> Decision:
    """Return the decision about a stack given as plain data."""
    declared = parse_stack(stack, file="stack.yaml")
    return decide(declared, file="stack.yaml", folder=STACKS, as_of=as_of)


def decide_stack(changes: Changes | None = None, *, as_of: date = AS_OF) -> Decision:
    """Return the decision about the demo stack with these changes."""
    return decided(a_stack(changes), as_of=as_of)


@cache
def decide_example(name: str) -> Decision:
    """Return the decision about a stack file of stacks/."""
    stack = read_stack(STACKS / name)
    return decide(stack, file=f"stacks/{name}", folder=STACKS, as_of=AS_OF)


def own_node(usd_per_hour: float, *, gpu: str = "h100-sxm-80gb", gpus: int = 1) -> Declaration:
    """Return a node with a price of one's own."""
    return {
        "kind": "own",
        "gpu": gpu,
        "gpus": gpus,
        "usd_per_hour": usd_per_hour,
        "evidence": "quote 17",
        "checked": "2026-11-01",
    }


_PLAIN: Final[Changes] = {
    "gate.horizon_months": 12,
    "operations.set_up": {"hours": 0, "usd": 0},
    "models[0].workload.tokens_per_month": 52_560_000_000,
    "models[0].workload.growth_per_month": 0,
    "models[0].workload.load": {"kind": "constant"},
    "models[0].hosted.negotiated.input_usd_per_mtok": 0.5,
    "models[0].hosted.negotiated.output_usd_per_mtok": 0.5,
    "models[0].hosted.retry_fraction": 0,
    "models[0].pool.node": own_node(5),
    "models[0].pool.replicas": {"min": 1, "max": 4},
    "models[0].pool.scaling": {"kind": "fixed"},
    "models[0].benchmark.total_tokens_per_second": 20_000,
    "models[0].costs.model_updates": {
        "per_year": 0,
        "hours_each": 0,
        "evaluation_usd_each": 0,
        "second_fleet_hours_each": 0,
    }
    | NONE,
    "models[0].costs.escalation": NONE,
    "models[0].costs.egress": NONE,
    "models[0].costs.trace_storage": NONE,
    "models[0].costs.other": NONE,
}


def a_plain_stack(changes: Changes | None = None) -> Declaration:
    """Return a stack whose bills are two products, all other lines being zero.

    20,000 tokens/s x 2,628,000 s = 52.56 B tokens are one replica's month; the declared volume is
    just that. One node is 5 USD/h x 730 h = 3,650 USD; the hosted bill is 52,560 Mtok x 0.5 USD =
    26,280 USD.
    """
    stack = a_stack(_PLAIN)
    shared, hosted = stack["operations"], stack["models"][0]["hosted"]["operations"]
    for lines in (shared["people"], shared["infrastructure"], hosted):
        lines.update(dict.fromkeys(lines, NONE))
    return with_changes(copy.deepcopy(stack), changes or {})


def decide_plain(changes: Changes | None = None, *, as_of: date = AS_OF) -> Decision:
    """Return the decision about the plain stack with these changes."""
    return decided(a_plain_stack(changes), as_of=as_of)


def another_model(name: str, changes: Changes | None = None) -> Declaration:
    """Return a further model for the plain stack: `{"models[1]": another_model("b")}`."""
    model: Declaration = copy.deepcopy(a_plain_stack()["models"][0])
    model["name"] = name
    for path, value in (changes or {}).items():
        put(model, path, value)
    return model


def a_constraint(*models: str) -> Declaration:
    """Return a complete hard constraint that no one has approved yet."""
    return {
        "category": "residency",
        "models": list(models),
        "statement": "Patient records must be processed on machines in our own rooms.",
        "evidence": "https://intranet.example/policies/data-residency-4.2",
        "zero_retention_insufficient_because": "the provider's machines are abroad whatever is kept",
        "approver": "Head of Legal",
        "approved_on": "2026-11-01",
        "expires": "2027-10-31",
        "ticket": "LEGAL-1234",
    }


def a_shadow(changes: Changes | None = None) -> Changes:
    """Return the changes that make a stack a shadow."""
    shadow = {"ends": "2026-12-05", "spending_cap_usd": 100_000}
    return {"purpose": "shadow", "shadow": shadow, **(changes or {})}


def write_stack(folder: Path, stack: object) -> Path:
    """Write a stack file and return its path."""
    document = {"config": {"breakeven:stack": stack}}
    path = folder / "Pulumi.test.yaml"
    path.write_text(yaml.dump(document, Dumper=_DUMPER, sort_keys=False), encoding="utf-8")
    return path


_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def approved(stack: Declaration, *, as_of: date = AS_OF) -> Declaration:
    """Return the stack with each constraint approved for the decision as it stands."""
    decision, signed = decided(stack, as_of=as_of), copy.deepcopy(stack)
    for status, constraint in zip(decision.constraints, signed["constraints"], strict=True):
        approval = approval_of(
            status.constraint,
            inputs_hash=decision.inputs_hash,
            premium_usd_per_month=status.premium_usd_per_month,
        )
        constraint["approval"] = approval.model_dump(mode="json")
    return signed
