"""How a model is served: what an engineer changes on a living stack without a new decision."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.numbers import COMMIT, IMAGE, Count, CountOrZero, Declared, Positive, Share, Text

Precision = Literal["bf16", "fp8", "int8", "int4", "fp4"]
"""What a weight is stored in."""
KvPrecision = Literal["bf16", "fp8"]
"""What a key or value is stored in."""


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
    """Hugging Face id, e.g. meta-llama/Llama-3.1-8B-Instruct, or a path in the image."""
    revision: Annotated[str, Field(pattern=COMMIT)]
    """Commit of the weights: what was benchmarked and evaluated is what is served."""
    precision: Precision
    """bf16, fp8, int8, int4 or fp4."""
    kv_cache_precision: KvPrecision = "bf16"
    """Precision of the KV cache: bf16 or fp8."""
    architecture: Architecture | None = None
    """Needed where the gate does not know the model."""


class Serving(Declared):
    """The engine's pods."""

    image: Annotated[str, Field(pattern=IMAGE)]
    """Image by digest, e.g. vllm/vllm-openai@sha256:..."""
    engine_version: Text
    """Version of the engine in the image; its arguments are checked against it."""
    cold_start_seconds: Positive
    """Measured time from the pod's start until it serves: image, weights, compile, warm-up."""
    drain_seconds: Positive
    """The longest request that is let finish when a replica stops."""
    gpu_memory_utilization: Share = 0.92
    """Share of the GPU's memory the engine takes (vLLM's default)."""
    max_num_seqs: Count | None = None
    """Requests batched at once; left out, the engine's default."""
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
    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes that may run a replica; left out, any node with free GPUs."""
    arguments: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further arguments of the engine, flag (with its dashes) to value; true for a flag without one."""
