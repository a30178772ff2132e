"""What a declared node is: its GPUs or its processor, its name, and its price."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from gate import facts
from gate.lookup import answering, instance_price
from gate.purchases import NEGOTIATED_PRICE_MAX_AGE_DAYS, Price
from stacks.errors import Place
from stacks.pool import CatalogNode, CpuNode, Node


class Chip(NamedTuple):
    """What computes: one GPU of a node, or the processor of a node without any."""

    name: str
    memory_gib: float | None
    """Its own; None where it computes in its pod's."""
    memory_bandwidth_gb_per_s: float
    """Peak memory bandwidth in GB (10^9 bytes) a second."""
    dense_tflops: Mapping[str, float]
    """Peak dense arithmetic in TFLOPS by precision; absent: not in hardware."""


class Hardware(NamedTuple):
    """A declared node."""

    chip: Chip
    gpus: int
    """GPUs in the node; 0 where its processor computes."""
    node: str
    """Name of the node for a reader, e.g. "p5.4xlarge in us-east-1"."""
    price: Price | None
    """Of one node-hour without a commitment; None where it is not sold so."""


def declared_hardware(node: Node, place: Place, *, as_of: date) -> Hardware:
    """Return what a declared node is; `place` is where it stands in the stack file.

    Raises:
        InputError: the instance type or the GPU is unknown, or the instance has none.
    """
    if isinstance(node, CatalogNode):
        return _instance(node, place, as_of)
    price = Price(
        usd_per_hour=node.usd_per_hour,
        source=node.evidence,
        checked=node.checked,
        label="own price",
        field="node.checked",
        max_age_days=NEGOTIATED_PRICE_MAX_AGE_DAYS,
    )
    if isinstance(node, CpuNode):
        chip = Chip(
            name=node.processor,
            memory_gib=None,
            memory_bandwidth_gb_per_s=node.memory_bandwidth_gb_per_s,
            dense_tflops={"bf16": node.bf16_tflops},
        )
        return Hardware(chip=chip, gpus=0, node=f"node of {node.processor}", price=price)
    with answering(place.at("gpu")):
        chip = _gpu(node.gpu)
    return Hardware(
        chip=chip, gpus=node.gpus, node=f"node of {node.gpus} x {node.gpu}", price=price
    )


def _gpu(name: str) -> Chip:
    gpu = facts.gpu(name)
    return Chip(
        name=gpu.name,
        memory_gib=gpu.memory_gib,
        memory_bandwidth_gb_per_s=gpu.memory_bandwidth_gb_per_s,
        dense_tflops=gpu.dense_tflops,
    )


def _instance(node: CatalogNode, place: Place, as_of: date) -> Hardware:
    with answering(place.at("instance_type")):
        instance = facts.instance(node.instance_type)
    if instance.gpu is None:
        raise place.at("instance_type").error(
            found=f"{node.instance_type}, which has no GPU",
            allowed="an instance type with GPUs",
            remedy="see `python -m gate prices` for the known ones",
        )
    record = instance_price(node.instance_type, region=node.region, as_of=as_of)
    return Hardware(
        chip=_gpu(instance.gpu),
        gpus=instance.gpus,
        node=f"{node.instance_type} in {node.region}",
        price=_listed(record) if record else None,
    )


def _listed(record: facts.PriceRecord) -> Price:
    return Price(
        usd_per_hour=record.usd_per_hour,
        source=record.source.url,
        checked=record.source.checked,
        label="on-demand list price",
        field="node.instance_type",
        max_age_days=facts.max_age_days("instance_price"),
    )
