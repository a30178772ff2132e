"""What physics allows: whether the model fits the replica, and how fast it could at best be.

Upper bounds only: a declared throughput above the ideal is impossible, whatever the engine does
(docs/model.md#physics).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

GIB: Final = 2**30

BYTES_PER_WEIGHT: Final = {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "int4": 0.5, "fp4": 0.5}
"""Bytes of one parameter, scales and outliers aside."""

BYTES_PER_KV_ELEMENT: Final = {"bf16": 2.0, "fp8": 1.0}

PLAUSIBLE: Final = (0.3, 0.85)
"""Measured over ideal: 0.48 to 0.77 on nine published runs (facts behind docs/model.md#physics)."""


class Silicon(NamedTuple):
    """The GPUs of one replica, taken together."""

    memory_bytes: float
    """What the engine may use of it."""
    bytes_per_second: float
    dense_flops: float
    """Dense operations per second at the precision that computes."""


class Network(NamedTuple):
    """The figures of a model that memory and speed depend on."""

    weight_bytes: float
    active_weight_bytes: float
    active_parameters: float
    kv_bytes_per_token: float


def kv_bytes_per_token(
    *, layers: int, elements_per_layer: int, kv_heads: int, precision: str, gpus: int
) -> float:
    """Return KV-cache bytes a token holds in the replica.

    Layers x elements x bytes, an element being one number of K or V: 2 x heads x head_dim of them in
    a layer, or the latent of MLA. With more GPUs than KV heads the heads are replicated.
    Llama-3.1-8B, bf16, one GPU: 32 x (2 x 8 x 128) x 2 = 131,072 bytes.
    """
    copies = max(1.0, gpus / kv_heads)
    return layers * elements_per_layer * copies * BYTES_PER_KV_ELEMENT[precision]


def kv_tokens(silicon: Silicon, network: Network) -> float:
    """Return the tokens whose KV cache fits beside the weights; negative where those do not fit."""
    return (silicon.memory_bytes - network.weight_bytes) / network.kv_bytes_per_token


def ideal_tokens_per_second(
    silicon: Silicon, network: Network, *, input_tokens: float, cached: float, output_tokens: float
) -> float:
    """Return the roofline with MFU = MBU = 1: input and output tokens a second of one replica.

    A decode step of B sequences takes max((W + B ctx kv) / BW, 2 N B / F), a prefill 2 N ISL / F, and
    B / (t_decode + B / OSL t_prefill) output tokens come out a second. B is all that memory holds at
    the mean context. `cached` is the share of the input that a prefix cache saves.
    """
    context = input_tokens + output_tokens / 2
    batch = max(1.0, kv_tokens(silicon, network) / context)
    compute = 2 * network.active_parameters / silicon.dense_flops
    memory = network.active_weight_bytes + batch * context * network.kv_bytes_per_token
    decode = max(memory / silicon.bytes_per_second, compute * batch)
    prefill = compute * input_tokens * (1 - cached)
    output_rate = batch / (decode + batch / output_tokens * prefill)
    return output_rate * (input_tokens + output_tokens) / output_tokens


def dense_flops(tflops: Mapping[str, float], precision: str) -> float:
    """Return dense operations per second of one GPU for weights of a precision.

    Weights of 4 and 8 bits compute in their own precision where the GPU has it, else in bf16 after
    they were widened; int8 counts as twice bf16, which all GPUs since 2018 have.
    """
    bf16 = tflops["bf16"]
    by_precision = {
        "bf16": bf16,
        "fp8": tflops.get("fp8", bf16),
        "int8": 2 * bf16,
        "int4": bf16,
        "fp4": tflops.get("fp4", tflops.get("fp8", bf16)),
    }
    return by_precision[precision] * 1e12


def tensor_parallel_sizes(attention_heads: int, *, up_to: int) -> list[int]:
    """Return the numbers of GPUs that the attention heads divide over evenly."""
    return [gpus for gpus in range(1, up_to + 1) if attention_heads % gpus == 0]


def gib(amount_bytes: float) -> float:
    """Return bytes as GiB."""
    return amount_bytes / GIB
