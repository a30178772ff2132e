"""How a model is served: what an engineer changes on a living stack without a new decision."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.errors import ContradictionError
from stacks.evaluation import Evaluation
from stacks.numbers import (
    COMMIT,
    IMAGE,
    Amount,
    Count,
    CountOrZero,
    Declared,
    DnsLabel,
    Positive,
    Share,
    Text,
)
from stacks.scaling import Fallback, Scaling
from stacks.sources import Adapter, HubSource, Source

Precision = Literal["bf16", "fp8", "int8", "int4", "fp4"]
"""What a weight is stored in."""
KvPrecision = Literal["bf16", "fp8"]
"""What a key or value is stored in."""

NOT_SERVED = {
    "tgi": "it trails on throughput and suits shops that already run Hugging Face's tooling",
    "bentoml": "it packages and scales an engine, and is none itself",
    "ollama": "it is made for developers' machines, not to serve several tenants",
}
"""Engines that are known and refused, with the reason (docs/serving.md)."""


class Architecture(Declared):
    """The figures of a model that the gate has no facts about, out of its config.json."""

    parameters: Positive
    """All parameters."""
    active_parameters: Positive
    """Parameters used for one token; all of them in a dense model."""
    layers: Count
    """Hidden layers."""
    attention_heads: Count
    """Query heads."""
    kv_heads: Count
    """Key/value heads."""
    head_dim: Count
    """Width of a head."""
    max_position_embeddings: Count
    """The longest context the model was made for."""
    source: Text
    """Where the figures come from."""


class Weights(Declared):
    """The weights that are served."""

    id: Text
    """Hugging Face id, e.g. meta-llama/Llama-3.1-8B-Instruct; where it is read from is serving.source."""
    revision: Annotated[str, Field(pattern=COMMIT)]
    """Commit of the weights: what was benchmarked and evaluated is what is served."""
    precision: Precision
    """bf16, fp8, int8, int4 or fp4."""
    kv_cache_precision: KvPrecision = "bf16"
    """Precision of the KV cache: bf16 or fp8."""
    architecture: Architecture | None = None
    """Needed where the gate does not know the model."""


class ColdStartPhases(Declared):
    """Where the time of a cold start goes, measured; together cold_start_seconds."""

    image_seconds: Amount
    """Pulling and unpacking the image; 0 where nodes have it."""
    weights_seconds: Positive
    """Reading the weights into the GPUs' memory."""
    engine_seconds: Positive
    """Compiling, capturing graphs, warming up, until it serves."""


class Serving(Declared):
    """The engine's pods."""

    engine: Text = "vllm"
    """Engine that serves the model: vllm."""
    image: Annotated[str, Field(pattern=IMAGE)]
    """Image by digest, e.g. vllm/vllm-openai@sha256:..."""
    engine_version: Text
    """Version of the engine in the image; its arguments are checked against it."""
    cold_start_seconds: Positive
    """Measured time from the pod's start until it serves: image, weights, compile, warm-up."""
    cold_start_phases: ColdStartPhases | None = None
    """The same, phase by phase; target eks needs it."""
    drain_seconds: Positive
    """The longest request that is let finish when a replica stops."""
    gpu_memory_utilization: Share = 0.92
    """Share of the GPU's memory that the engine takes (vLLM's default); on a CPU, of memory_gib."""
    max_num_seqs: Count | None = None
    """Requests batched at once; left out, the engine's default."""
    max_queued_requests: Count | None = None
    """Requests a replica holds at once, running and waiting; more are answered 503. Left out, twice
    the requests in flight that it serves within the SLO."""
    cpus: Positive
    """CPU cores a replica requests."""
    memory_gib: Positive
    """Memory a replica requests and may use."""
    spare_gpus_for_rollout: CountOrZero = 0
    """GPUs of the pool left free for a roll-out; with 0 an old replica stops before the new one starts."""
    tool_call_parser: Text | None = None
    """Parser of the model's tool calls, by vLLM's name for it; naming one turns tools on."""
    reasoning_parser: Text | None = None
    """Parser that takes the reasoning out of an answer, by vLLM's name for it."""
    aliases: tuple[DnsLabel, ...] = ()
    """Further names under which clients may ask for the model."""
    source: Source = HubSource(kind="hub")
    """Where the weights are read from."""
    adapters: tuple[Adapter, ...] = ()
    """LoRA adapters served beside the model."""
    max_lora_rank: Literal[8, 16, 32, 64, 128, 256, 320, 512] = 16
    """Largest rank of an adapter."""
    routing: Literal["auto", "cache_aware", "power_of_two", "round_robin"] = "auto"
    """How a router picks a replica; auto is cache_aware where prefixes repeat, else least load."""
    router_replicas: Count = 2
    """Pods of the router."""
    hold_seconds: CountOrZero = 0
    """How long the gateway keeps a request while no replica is up, for keys that may not fall back."""
    scaling: Scaling | None = None
    """The autoscaler; needed where the pool is autoscaled, and only there."""
    fallback: Fallback | None = None
    """Hosted model for what cannot be served; only for keys that may."""
    evaluation: Evaluation | None = None
    """What the model must pass before the gateway's configuration changes."""
    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes that may run a replica; left out, any node that has room."""
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further arguments of the engine, flag (with its dashes) to value; true for a flag without one."""

    @model_validator(mode="after")
    def _phases_are_the_whole(self) -> Self:
        if phases := self.cold_start_phases:
            found = phases.image_seconds + phases.weights_seconds + phases.engine_seconds
            if abs(found - self.cold_start_seconds) >= 1:
                raise ContradictionError(
                    field=".cold_start_phases",
                    found=f"{found:g} s in all",
                    allowed=f"cold_start_seconds, {self.cold_start_seconds:g} s, to the second",
                    remedy="measure both in one start, or correct the one that is wrong",
                )
        return self

    @model_validator(mode="after")
    def _engine_is_served(self) -> Self:
        if self.engine != "vllm":
            reason = NOT_SERVED.get(self.engine, "this version has no arguments for it")
            raise ContradictionError(
                field=".engine",
                found=f"{self.engine}: {reason}",
                allowed="vllm",
                remedy="serve the model with vllm, or keep it hosted",
            )
        return self
