"""Which `vllm serve` arguments a stack may declare itself, and what to do about the others.

A stack's own arguments are written as long flags with a value, a switch with true or false. What a
setting stands for is refused here: declared twice, the gate would judge one value and the engine
run with the other.
"""

import difflib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from components.engine.known_arguments import (
    KnownArgument,
    argument_of,
    known_arguments,
    negative_forms,
    pinned_version,
)

ArgumentValue = str | float | bool | tuple[str, ...]
"""True or False for a switch, several words as a tuple where vLLM takes them, else one value."""

ExtraArgument = tuple[str, ArgumentValue]
"""A flag as vLLM writes it, `--max-num-batched-tokens`, and its value."""

SETTINGS: Mapping[str, str] = {
    "model_tag": "weights.id",
    "--model": "weights.id",
    "--revision": "weights.revision",
    "--tokenizer-revision": "weights.revision",  # vLLM takes the one for the tokenizer too
    "--served-model-name": "serving.aliases",
    "--tensor-parallel-size": "pool.gpus_per_replica",
    "--max-model-len": "workload.max_input_tokens",
    "--max-num-seqs": "serving.max_num_seqs",
    "--gpu-memory-utilization": "serving.gpu_memory_utilization",
    # It would override the share, unseen by the gate.
    "--kv-cache-memory-bytes": "serving.gpu_memory_utilization",
    "--dtype": "weights.precision",
    "--quantization": "weights.precision",
    "--kv-cache-dtype": "weights.kv_cache_precision",
    "--shutdown-timeout": "serving.drain_seconds",
    "--max-num-queued-reqs": "serving.max_queued_requests",
    "--max-num-queued-tokens": "workload.slo.ttft_p99_ms",  # and the benchmark: engine/admission.py
    "--load-format": "serving.source",
    "--model-loader-extra-config": "serving.source",
    "--enable-lora": "serving.adapters",
    "--lora-modules": "serving.adapters",
    "--max-loras": "serving.adapters",
    "--max-lora-rank": "serving.max_lora_rank",
    "--tool-call-parser": "serving.tool_call_parser",
    "--enable-auto-tool-choice": "serving.tool_call_parser",
    "--reasoning-parser": "serving.reasoning_parser",
}
"""Flags with a setting of their own below the model, which the gate and the manifests read as well."""

_ALWAYS = "leave it out: it is always set"
_ONE_POD = "leave it out: a replica is one pod, and the number of replicas is the stack's"
_PROMPTS = "leave it out: prompts are recorded only as observability.prompts declares"
_HTTP = "leave it out: router, probes and Prometheus speak plain HTTP to the port; TLS ends before"

REFUSED: Mapping[str, str] = {
    "--disable-access-log-for-endpoints": _ALWAYS,
    "--enable-force-include-usage": _ALWAYS,
    "--enable-prompt-tokens-details": _ALWAYS,
    "--enable-request-id-headers": _ALWAYS,
    "--enable-prefix-caching": _ALWAYS,
    "--port": "leave it out: Service, router and probes ask port 8000",
    "--pipeline-parallel-size": "leave it out: the GPUs of a replica share each layer",
    "--otlp-traces-endpoint": "leave it out: spans go to the stack's collector where "
    "observability.langfuse keeps traces",
    "--api-key": "leave it out: keys are the gateway's, and an argument is readable in the pod",
    "--hf-token": "leave it out: put the token into the Secret that becomes HF_TOKEN",
    "--config": "leave it out: declare each argument of the file here, where it is checked",
    "--disable-log-stats": "leave it out: without statistics nothing can be scaled or measured",
    "--download-dir": "leave it out: HF_HOME is on the volume for weights",
    "--help": "leave it out: the engine would print its help and end",
    "--allowed-local-media-path": "leave it out: who may send a request could read files of the pod",
    "--trust-request-chat-template": "leave it out: a request would bring a template that the engine "
    "runs; put the model's into its weights, or set --chat-template",
    "--middleware": "leave it out: it would see every prompt and key; keys, limits and records are "
    "the gateway's",
    "--prefill-context-parallel-size": "leave it out: a pod has tensor x pipeline parallel GPUs",
    **dict.fromkeys(("--host", "--uds", "--grpc", "--grpc-port", "--headless"), _HTTP),
    **dict.fromkeys(("--enable-log-requests", "--enable-log-outputs"), _PROMPTS),
    **dict.fromkeys(("--nnodes", "--node-rank", "--master-addr", "--master-port"), _ONE_POD),
}
"""Flags without a setting that would break what the manifests rely on, with the remedy."""

_FAMILIES = (("--data-parallel-", _ONE_POD), ("--ssl-", _HTTP), ("--enable-ssl-", _HTTP))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentProblem:
    """One declared argument that cannot be passed to the engine."""

    found: str
    """The flag as it was declared, with its value where that is what is wrong."""
    allowed: str
    """What could stand there instead."""
    remedy: str
    """What to do, as an instruction."""


def check_extra_arguments(extra: Sequence[ExtraArgument]) -> tuple[ArgumentProblem, ...]:
    """Return what is wrong with the arguments that a stack declares itself, in their order."""
    problems = [_flag_problem(flag) or _value_problem(flag, value) for flag, value in extra]
    twice = [_twice(one, two) for (one, _), (two, _) in itertools.combinations(extra, 2)]
    return tuple(problem for problem in (*problems, *twice) if problem)


def _flag_problem(flag: str) -> ArgumentProblem | None:
    known = argument_of(flag)
    return _not_to_declare(flag, known) if known else _unknown(flag)


def _not_to_declare(found: str, known: KnownArgument) -> ArgumentProblem | None:
    if not known.deprecated:
        return _owned(found, known)
    remedy = f"leave it out: vLLM {pinned_version()} says that it will be removed"
    return ArgumentProblem(found=found, allowed="a flag that is not deprecated", remedy=remedy)


def _owned(found: str, known: KnownArgument) -> ArgumentProblem | None:
    for flag in known.flags:
        if name := SETTINGS.get(flag):
            remedy = f"set {name}"
            return ArgumentProblem(found=found, allowed=f"the setting {name}", remedy=remedy)
        family = next((text for start, text in _FAMILIES if flag.startswith(start)), None)
        if text := REFUSED.get(flag, family):
            return ArgumentProblem(found=found, allowed="what the component sets", remedy=text)
    return None


def _unknown(flag: str) -> ArgumentProblem:
    plain = "--" + flag.partition("=")[0].lstrip("-").replace("_", "-")
    longs = [long for long in known_arguments() if long.startswith("--")]
    begun = [long for long in longs if long.startswith(plain)]
    forms = (flag, plain[1:], plain, *(begun if len(begun) == 1 else ()))
    for meant in (known_arguments().get(form) or negative_forms().get(form) for form in forms):
        if meant:
            return _not_to_declare(flag, meant) or _misspelt(flag, meant)
    near = begun[:3] or difflib.get_close_matches(plain, longs, n=3)
    remedy = f"write {' or '.join(near)}" if near else "leave it out: vLLM has nothing like it"
    allowed = f"a flag that vLLM {pinned_version()} has, in full"
    return ArgumentProblem(found=flag, allowed=allowed, remedy=remedy)


def _misspelt(flag: str, meant: KnownArgument) -> ArgumentProblem:
    name = meant.flags[0]
    if flag in negative_forms():
        return ArgumentProblem(
            found=flag, allowed=f"{name} with true or false", remedy=f"write {name} with false"
        )
    remedy = f"write {name} and its value apart" if "=" in flag else f"write {name}"
    return ArgumentProblem(found=flag, allowed=f"{name}, in full and with dashes", remedy=remedy)


def _value_problem(flag: str, value: ArgumentValue) -> ArgumentProblem | None:
    known = argument_of(flag)
    words = value if isinstance(value, tuple) else (value,)
    if not known or "." in flag:
        allowed = None  # a key of a JSON argument: only vLLM knows what it takes
    elif (known.nargs == 0) != isinstance(value, bool):
        allowed = "true or false" if known.nargs == 0 else "a value, not true or false"
    elif value is False and not known.negative:
        allowed = "true, or to be left out"
    elif isinstance(value, tuple) and (known.nargs != "+" or not value):
        allowed = "one value or more" if known.nargs == "+" else "one value"
    elif known.choices and not {str(word) for word in words} <= set(known.choices):
        allowed = " or ".join(known.choices)
    else:
        allowed = next((kind for word in words if (kind := _not_of(known.type, word))), None)
    if not allowed:
        return None
    return ArgumentProblem(
        found=f"{flag} {value}", allowed=allowed, remedy=f"give {flag} {allowed}"
    )


def _scaled(word: str) -> None:
    if not re.fullmatch(r"[0-9]+([.][0-9]+)?[kmgt]|[0-9]+[KMGT]?", word):
        raise ValueError(word)


_READERS: Mapping[str, Callable[[str], object]] = {
    "int": int,
    "float": float,
    "json": json.loads,
    "int or 8k or 8K": _scaled,  # 8k is 8000, 8K is 8192
}


def _not_of(kind: str | None, word: str | float) -> str | None:
    try:
        _READERS.get(kind or "", str)(str(word))
    except ValueError:
        return f"a value that reads as {kind}"
    return None


def _twice(one: str, two: str) -> ArgumentProblem | None:
    known = argument_of(one)
    if one != two and ("." in one + two or not known or known is not argument_of(two)):
        return None
    remedy = "leave one out" if one == two else f"keep {one} or {two}"
    return ArgumentProblem(found=two, allowed="each argument once", remedy=remedy)
