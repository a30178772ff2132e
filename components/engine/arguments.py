"""The command line and the environment of one vLLM engine, from settings that are known at plan time.

Pure: neither Pulumi nor the gate. Every flag is written out in full and stands in the list of the
pinned vLLM (known_arguments.py), so that an engine never starts on a default that a later
release may change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.engine.extra_arguments import (
    ArgumentProblem,
    ArgumentValue,
    ExtraArgument,
    check_extra_arguments,
)
from components.engine.known_arguments import argument_of

__all__ = [
    "ArgumentError",
    "ArgumentProblem",
    "EngineSettings",
    "ExtraArgument",
    "arguments",
    "check_extra_arguments",
    "environment",
]

ALWAYS = (
    # The kubelet and Prometheus ask every few seconds: their lines would bury the requests'.
    "--disable-access-log-for-endpoints=/health,/metrics",
    # A stream carries its token counts only when asked; billing, limits and traces need them always.
    "--enable-force-include-usage",
    # Cached input has a price of its own at the hosted comparator, so it must be counted apart.
    "--enable-prompt-tokens-details",
    # One X-Request-Id from the gateway's log to the engine's answer.
    "--enable-request-id-headers",
)

DEFAULTS: dict[str, ArgumentValue] = {
    # The sampling that the model's authors publish with the weights, and pinned by the same revision.
    # At `vllm` a client that names no temperature gets 1.0, not what the model was tuned for. Its
    # max_new_tokens caps nobody: it only stands in where a client gives no limit (get_max_tokens in
    # 0.33.0). Declare `vllm` where every client sends its own sampling.
    "--generation-config": "auto",
}
"""Written out unless the stack declares the same flag among its own arguments."""

FIXED_ENVIRONMENT = {
    # Any user id may run the pod, and one that the image does not know has no name: torch asks for
    # the name when it chooses where to cache, and takes it from here before it looks it up.
    "USER": "vllm",
    # Nothing about what is served leaves the cluster.
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # vLLM closes an idle connection after 5 s; a router keeps its own for longer and would send a
    # request into one that is just being closed.
    "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "75",
    # Development endpoints (new weights, remote calls, cache resets) ask for no key.
    "VLLM_SERVER_DEV_MODE": "0",
    # A second series for each counter, its creation time, which nothing reads.
    "PROMETHEUS_DISABLE_CREATED_SERIES": "true",
}

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What one engine is started with. Flags are those of the same name unless another is given."""

    model: str
    """Repository on the model hub, or a path in the container."""
    revision: str | None
    """Commit of the repository, for weights and tokenizer; None for a path."""
    served_model_name: str
    """What clients send as `model`, and the label `model_name` of every metric."""
    port: int
    """TCP port of the HTTP server, on all of the pod's addresses."""
    tensor_parallel_size: int
    """GPUs that share each layer."""
    pipeline_parallel_size: int
    """Groups of GPUs that share out the layers; a pod has as many GPUs as the product of the two."""
    max_model_len: int
    """Longest input plus output of one request, tokens. Explicit, because a model's own length can
    exceed what the KV cache holds, and the engine then refuses to start."""
    max_num_seqs: int | None
    """Most requests in a batch; None leaves it to vLLM, which goes by the GPU's memory: 1024 from
    70 GiB on (A100 excepted), else 256 (0.33.0)."""
    gpu_memory_utilization: float
    """Share of the GPU's memory that the engine takes, above 0 and at most 1."""
    dtype: str
    """Precision of weights and activations; `auto` takes the checkpoint's."""
    quantization: str | None
    """Method of quantization; None takes what the checkpoint says."""
    kv_cache_dtype: str
    """Precision of the KV cache; `auto` is the model's."""
    enable_prefix_caching: bool
    """Whether equal beginnings of prompts are computed once."""
    shutdown_timeout_s: int
    """Seconds that requests in flight have to finish after SIGTERM; 0 cuts them off at once."""
    load_format: str | None
    """How weights are read, `runai_streamer` for instance; None lets vLLM see."""
    tool_call_parser: str | None
    """Parser of tool calls; naming one lets the model choose tools by itself."""
    reasoning_parser: str | None
    """Parser that takes the reasoning out of an answer."""
    extra: tuple[ExtraArgument, ...]
    """What the stack declares beyond these, checked by `check_extra_arguments`."""


class ArgumentError(ValueError):
    """Arguments that the pinned vLLM would refuse, or that would change what others rely on."""

    def __init__(self, problems: Sequence[ArgumentProblem]) -> None:
        super().__init__("; ".join(f"{p.found}: {p.remedy}" for p in problems))
        self.problems = tuple(problems)


def arguments(settings: EngineSettings) -> tuple[str, ...]:
    """Return the words after `vllm serve`: the model, then one `--flag=value` a word.

    The order is fixed, and the stack's own arguments are sorted, so that moving a line of a stack's
    file replaces no pod. Raises ArgumentError where `check_extra_arguments` finds something.
    """
    if problems := check_extra_arguments(settings.extra):
        raise ArgumentError(problems)
    declared = DEFAULTS | dict(settings.extra)
    pairs = (*_from_settings(settings), *sorted(declared.items()))
    words = (word for flag, value in pairs if value is not None for word in _words(flag, value))
    return (settings.model, *words, *ALWAYS)


def _from_settings(settings: EngineSettings) -> Iterator[tuple[str, ArgumentValue | None]]:
    yield "--revision", settings.revision
    yield "--served-model-name", settings.served_model_name
    yield "--port", settings.port
    yield "--tensor-parallel-size", settings.tensor_parallel_size
    yield "--pipeline-parallel-size", settings.pipeline_parallel_size
    yield "--max-model-len", settings.max_model_len
    yield "--max-num-seqs", settings.max_num_seqs
    yield "--gpu-memory-utilization", settings.gpu_memory_utilization
    yield "--dtype", settings.dtype
    yield "--quantization", settings.quantization
    yield "--kv-cache-dtype", settings.kv_cache_dtype
    yield "--enable-prefix-caching", settings.enable_prefix_caching
    yield "--shutdown-timeout", settings.shutdown_timeout_s
    yield "--load-format", settings.load_format
    # vLLM refuses automatic tool choice without a parser, and uses no parser without it.
    yield "--enable-auto-tool-choice", True if settings.tool_call_parser else None
    yield "--tool-call-parser", settings.tool_call_parser
    yield "--reasoning-parser", settings.reasoning_parser


def _words(flag: str, value: ArgumentValue) -> Iterator[str]:
    if value is False:
        known = argument_of(flag)
        yield (known and known.negative) or flag
    elif value is True:
        yield flag
    elif isinstance(value, tuple):
        yield from (flag, *value)
    else:
        yield f"{flag}={value}"


def environment(
    *,
    weights_path: str,
    engine_cache_path: str,
    home_path: str,
    startup_budget_s: int,
    offline: bool,
) -> dict[str, str]:
    """Return the engine's environment variables, secrets apart.

    The three paths must be writable by the pod's user: `weights_path` holds the hub's downloads,
    `engine_cache_path` compiled graphs (kept, they shorten the next cold start) and `home_path` what
    other libraries write. `startup_budget_s` is what the startup probe allows; `offline` says that
    the weights are in place and the hub must not be asked.
    """
    variables = {
        "HOME": home_path,
        "HF_HOME": weights_path,
        "VLLM_CACHE_ROOT": engine_cache_path,
        # The API server gives up on its engine after 600 s; the startup probe alone decides that.
        "VLLM_ENGINE_READY_TIMEOUT_S": str(startup_budget_s),
    }
    return FIXED_ENVIRONMENT | variables | (OFFLINE if offline else {})
