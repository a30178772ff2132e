"""What a decision depends on: the same inputs always give it, and its hash changes with each of them."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from gate.inputs_hash import declaration_hash, inputs_hash
from gate.record import with_basis
from stacks.errors import InputError
from stacks.reading import parse_stack
from tests.factories import (
    Declaration,
    a_constraint,
    a_plain_stack,
    a_shadow,
    a_stack,
    another_model,
    approved,
    decided,
    put,
    serving_follows,
)

M = "models[0]."
COMMITMENT = {
    "kind": "savings_plan",
    "term_months": 36,
    "committed_nodes": 2,
    "usd_per_hour": 3.25,
    "evidence": "quote 4",
    "checked": "2026-11-01",
}
ESCALATION = {
    "provider": "openai",
    "model": "gpt-4o",
    "self_hosted_fraction": 0.125,
    "hosted_fraction": 0.0625,
}
UPDATES = {
    "per_year": 4,
    "hours_each": 24,
    "evaluation_usd_each": 200,
    "second_fleet_hours_each": 6,
}
ARCHITECTURE = {
    "parameters": 8_190_735_360,
    "active_parameters": 8_190_735_360,
    "layers": 36,
    "attention_heads": 32,
    "kv_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40_960,
    "source": "config.json",
}
PAID_FALLBACK = {
    "serving.fallback.input_usd_per_mtok": 0.25,
    "serving.fallback.output_usd_per_mtok": 0.75,
}
"""Its price is declared, so that it may be any model."""


def a_rich_stack() -> Declaration:
    """Return a stack that declares as much as one can."""
    changes = {
        M + "pool.purchase": COMMITMENT,
        M + "costs.escalation": ESCALATION,
        M + "weights.architecture": ARCHITECTURE,
        M + "weights.kv_cache_precision": "bf16",
        M + "hosted.batch_discount_fraction": 0.5,
        M + "hosted.batch_fraction": 0.25,
        M + "hosted.negotiated.cached_input_usd_per_mtok": 0.25,
        M + "benchmark.prefill_time_fraction": 0.5,
        M + "costs.model_updates": UPDATES,
        M + "costs.other": {"hours_per_month": 2.5},
        M + "serving.gpu_memory_utilization": 0.9,
        M + "serving.arguments": {"--seed": 7},
        **{M + path: price for path, price in PAID_FALLBACK.items()},
        "operations.infrastructure.storage": {"usd_per_month": 12.5, "source": "bill"},
        "operations.infrastructure.networking": {"fact": "nat_gateway_hour", "quantity": 730},
        "models[1]": another_model("second", {"costs.model_updates": UPDATES, **PAID_FALLBACK}),
        "constraints": [a_constraint("second")],
    }
    return approved(a_plain_stack(changes))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of everything a human wrote."""
    if isinstance(value, dict):
        for key, content in value.items():
            yield from leaves(content, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, content in enumerate(value):
            yield from leaves(content, f"{path}[{index}]")
    else:
        yield path, value


def numbers_as_text(stack: Declaration) -> Declaration:
    """Return the stack as `pulumi config set --path` would have written it."""
    written = copy.deepcopy(stack)
    for path, value in leaves(stack):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and "arguments" not in path:
            put(written, path, str(value))
    return written


@pytest.mark.parametrize("stack", [a_stack(), a_rich_stack(), a_plain_stack(a_shadow())])
def test_a_number_that_pulumi_wrote_as_text_is_the_same_number(stack):
    written = numbers_as_text(stack)

    assert written != stack
    assert with_basis(decided(written)) == with_basis(decided(stack))


@pytest.mark.parametrize("text", ["150000000000", "150_000_000_000", "1.5e11", "+1.5E+11", "150e9"])
def test_a_number_may_be_written_in_several_ways(text):
    volume = M + "workload.tokens_per_month"

    assert (
        parse_stack(a_stack({volume: text}), file="x").models[0].workload.tokens_per_month == 1.5e11
    )


def test_the_same_decision_twice_is_identical():
    first, again = (json.dumps(with_basis(decided(a_rich_stack()))) for _ in range(2))

    assert first == again


def test_the_order_of_keys_changes_nothing():
    stack = a_rich_stack()

    assert with_basis(decided(backwards(stack))) == with_basis(decided(stack))


def backwards(value: Any) -> Any:
    """Return a declaration with the keys of every mapping in reverse."""
    if isinstance(value, dict):
        return {key: backwards(content) for key, content in reversed(value.items())}
    return [backwards(content) for content in value] if isinstance(value, list) else value


NOT_DECIDED = ("target.", "gateway.", "observability.", "constraints[")
SERVED = ("[0].serving.", "[1].serving.")
DECIDED_OF_SERVING = ("serving.gpu_memory_utilization", "serving.cold_start_seconds")


def is_decided(path: str) -> bool:
    """Return whether a change of this leaf is a new decision."""
    served = path.startswith(NOT_DECIDED) or any(part in path for part in SERVED)
    return path.endswith(DECIDED_OF_SERVING) or not served


def others(value: Any) -> Iterator[Any]:
    """Yield values unlike this one, of which the schema allows at least one."""
    if value is None or isinstance(value, bool):
        yield from (not value, None)
    elif isinstance(value, int | float):
        yield from (value * 0.75, value + 1, value + 0.125, 36, 12)
    else:
        digit = "1" if value.startswith("0") else "0"
        yield from (
            {"fp8": "bf16", "residency": "air_gap", "warn": "refuse", "trial": "staging"}.get(
                value
            ),
            {"open": "restricted", "restricted": "open"}.get(value),
            "fp8" if value == "bf16" else None,
            "prometheus",
            "2026-11-02",
            digit + value[1:],
            value + "x",
        )


def test_the_hash_changes_with_each_input_and_with_nothing_else():
    stack = a_rich_stack()
    before = hash_of(stack)
    unlike = {path: hash_of(changed) for path, changed in changed_leaves(stack)}
    moved = {path for path, after in unlike.items() if after != before}

    assert len(unlike) > 150, "the walk reaches every leaf"
    assert moved == {path for path in unlike if is_decided(path)}


def changed_leaves(stack: Declaration) -> Iterator[tuple[str, Declaration]]:
    """Yield the stack with each leaf changed, alone.

    A `kind` is the name of a form, and a model that a constraint names has its name twice; how long
    requests are held, and what may leave, follow from what else is declared.
    """
    for path, value in leaves(stack):
        if (
            path.endswith((".kind", ".residency", ".scaling", ".hold_seconds"))
            or (".keys[" in path and ".models[" in path)
            or value == "second"
        ):
            continue
        for other in others(value):
            changed = copy.deepcopy(stack)
            put(changed, path, other)
            is_served = path.startswith("gateway") or ".serving." in path
            if not is_served:
                serving_follows(changed)
            if is_valid(changed) and other != value:
                yield path, changed
                break
        else:
            pytest.fail(f"no other value of {path} is valid: add one to `others`")


def is_valid(stack: Declaration) -> bool:
    try:
        parse_stack(stack, file="stack.yaml")
    except InputError:
        return False
    return True


def hash_of(stack: Declaration) -> str:
    return inputs_hash(parse_stack(stack, file="stack.yaml"), ["what the trace said"])


def test_the_hash_changes_with_what_a_load_trace_says():
    stack = parse_stack(a_stack(), file="stack.yaml")

    assert inputs_hash(stack, ["1,2,3"]) != inputs_hash(stack, ["1,2,4"])
    assert inputs_hash(stack, ["1,2", "3"]) != inputs_hash(stack, ["1", "2,3"])


def test_a_default_that_is_written_out_is_no_new_input():
    written = a_stack({"gate": {"on_below_break_even": "warn", "horizon_months": 24}})
    left_out = {key: value for key, value in written.items() if key != "gate"}

    assert hash_of(written) == hash_of(left_out)


def test_a_constraint_is_a_new_declaration_but_no_new_input():
    plain, bound = a_stack(), a_stack({"constraints": [a_constraint("support-chat")]})
    stacks = [parse_stack(stack, file="stack.yaml") for stack in (plain, bound)]

    assert hash_of(plain) == hash_of(bound)
    assert len({declaration_hash(stack, hash_of(plain)) for stack in stacks}) == 2
