"""Keys that nobody reads, and files that are no stack."""

from tests.gate.bad_input import LOAD, Wrong

M = "models[0]."


def key(field: str, near: str) -> Wrong:
    """A key of the demo stack that does not exist, and the one that is meant."""
    return Wrong(
        f"unknown key {field}", field, "an unknown key", changes={field: 1}, remedy=near or "remove"
    )


def file(
    what: str, text: str | bytes, field: str, found: str, *, allowed: str = "", remedy: str = ""
) -> Wrong:
    """A whole file."""
    return Wrong(what, field, found, text=text, allowed=allowed, remedy=remedy)


KEYS = (
    key("purpos", "did you mean purpose?"),
    key("gate.horizon", "did you mean horizon_months?"),
    key("operations.poeple", "did you mean people?"),
    key("operations.people.oncall", "did you mean on_call?"),
    key("operations.infrastructure.storage.usd_per_mont", "did you mean usd_per_month?"),
    key(M + "workloads", "did you mean workload?"),
    key(M + "workload.slo.ttft_p99", "did you mean ttft_p99_ms?"),
    key(LOAD + ".burst", "did you mean burst_factor?"),
    key(M + "hosted.negotiated.input_usd_per_mtoken", "did you mean input_usd_per_mtok?"),
    key(M + "pool.node.instance", "did you mean instance_type?"),
    key(M + "pool.replicas.maximum", "did you mean max?"),
    key(M + "benchmark.tokens_per_second", "did you mean total_tokens_per_second?"),
    key(M + "costs.model_update", "did you mean model_updates?"),
    key(M + "serving.cold_start_second", "did you mean cold_start_seconds?"),
    key("data_residency", "remove it"),
)

KINDS = (
    Wrong(
        "a kind of load that does not exist",
        LOAD + ".kind",
        "'busines_hours'",
        changes={LOAD + ".kind": "busines_hours"},
        remedy="did you mean business_hours?",
    ),
    Wrong(
        "a load without a kind", LOAD, "nothing in it", changes={LOAD: {}}, allowed="kind: trace"
    ),
    Wrong(
        "a load in a word", LOAD, "'constant'", changes={LOAD: "constant"}, allowed="kind: trace"
    ),
    Wrong(
        "a target that does not exist",
        "target.kind",
        "'gke'",
        changes={"target.kind": "gke"},
        allowed="render, kubernetes, eks",
    ),
    Wrong(
        "a precision that nothing serves",
        M + "weights.precision",
        "'fp16'",
        changes={M + "weights.precision": "fp16"},
        allowed="'bf16', 'fp8'",
    ),
    Wrong(
        "below_break_even ignored",
        "gate.on_below_break_even",
        "'ignore'",
        changes={"gate.on_below_break_even": "ignore"},
        allowed="'warn' or 'refuse'",
    ),
)

STACK = "config.breakeven:stack"
FILES = (
    file("an empty file", "", "", "nothing", allowed="a mapping with config"),
    file("a list instead of a mapping", "- a\n- b\n", "", "a list of 2"),
    file("a single word", "hello\n", "", "'hello'"),
    file("a bracket that never closes", "config: [1,\n", "line 2, column 1", "broken YAML"),
    file("a tab as indent", "config:\n\tx: 1\n", "line 2, column 1", "broken YAML"),
    file("two documents", "a: 1\n---\nb: 2\n", "line 2, column 1", "broken YAML"),
    file("a key twice", "config: {}\nconfig: {}\n", "line 2, column 1", "the key config twice"),
    file("a list as a key", "{[a, b]: c}\n", "line 1, column 2", "a key that is no text"),
    file("a day that no calendar has", "a: 2026-02-30\n", "line 1, column 4", "2026-02-30"),
    file("a number of 5,000 digits", f"a: {'9' * 5000}\n", "line 1, column 4", "99999999"),
    file("brackets without end", "[" * 200_000, "", "thousands of brackets"),
    file("an object of Python", "a: !!python/object:os.system {}\n", "line 1, column 4", "tag"),
    file("Latin-1", "config: {a: caf\xe9}\n".encode("latin-1"), "", "not UTF-8"),
    file("UTF-16", "config: {}\n".encode("utf-16"), "", "not UTF-8"),
    file("no config", "encryptionsalt: v1:x\n", "config", "nothing", allowed="breakeven:stack"),
    file("config as a list", "config: [1]\n", "config", "a list of 1"),
    file("no breakeven:stack", "config: {}\n", STACK, "nothing", allowed="purpose, target"),
    file("a stack in a word", "config: {breakeven:stack: demo}\n", STACK, "'demo'"),
    file("an encrypted stack", "config: {breakeven:stack: {secure: AA}}\n", STACK, "encrypted"),
    file(
        "another key of this project",
        "config: {breakeven:stak: {}}\n",
        "config.breakeven:stak",
        "an unknown key",
        remedy="did you mean breakeven:stack?",
    ),
    file(
        "a slip in the project's name",
        "config: {breakevn:stack: {}}\n",
        "config.breakevn:stack",
        "an unknown key",
        remedy="did you mean breakeven:stack?",
    ),
    file("a key without a project", "config: {stack: {}}\n", "config.stack", "an unknown key"),
)

SHAPES = (*KEYS, *KINDS, *FILES)
