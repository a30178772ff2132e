"""The command line of one vLLM engine, from settings that are known at plan time.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What one engine is started with. Flags are those of the same name unless another is given."""

    model: str
    """Repository on the model hub, address in a bucket, or a path in the container."""
    revision: str | None
    """Commit of the repository, for weights and tokenizer; None for another source."""
    served_model_name: tuple[str, ...]
    """What clients send as `model`; the first is the label `model_name` of every metric."""
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
    70 GiB on (A100 excepted), else 256; on a CPU 128 (0.33.0)."""
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
    max_num_queued_reqs: int
    """Requests held at once, running and waiting; the next is answered 503."""
    max_num_queued_tokens: int
    """Input tokens that wait for their first answer; above that a request is answered 503."""
    load_format: str | None
    """How weights are read, `runai_streamer` for instance; None lets vLLM see."""
    model_loader_extra_config: str | None
    """Further options of that loader, as JSON."""
    lora_modules: tuple[str, ...]
    """Adapters served beside the model, each as JSON; none turns them off."""
    max_lora_rank: int
    """Largest rank of an adapter; memory is taken for it."""
    otlp_traces_endpoint: str | None
    """Where spans are sent; None sends none."""
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
    names = settings.served_model_name
    yield "--served-model-name", names if len(names) > 1 else names[0]
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
    yield "--max-num-queued-reqs", settings.max_num_queued_reqs
    yield "--max-num-queued-tokens", settings.max_num_queued_tokens
    yield "--load-format", settings.load_format
    yield "--model-loader-extra-config", settings.model_loader_extra_config
    yield from _adapters(settings)
    yield "--otlp-traces-endpoint", settings.otlp_traces_endpoint
    # vLLM refuses automatic tool choice without a parser, and uses no parser without it.
    yield "--enable-auto-tool-choice", True if settings.tool_call_parser else None
    yield "--tool-call-parser", settings.tool_call_parser
    yield "--reasoning-parser", settings.reasoning_parser


def _adapters(settings: EngineSettings) -> Iterator[tuple[str, ArgumentValue]]:
    if settings.lora_modules:
        yield "--enable-lora", True
        # All in one batch: at vLLM's 1 a request waits until no other adapter's is running.
        yield "--max-loras", len(settings.lora_modules)
        yield "--max-lora-rank", settings.max_lora_rank
        yield "--lora-modules", settings.lora_modules


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
