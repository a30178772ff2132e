"""What must hold between parts of a stack that are declared apart; checked when it is declared."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from stacks.aws.checks import aws_problems
from stacks.aws.target import Eks
from stacks.cpu_nodes import processor_problems
from stacks.errors import ContradictionError
from stacks.names import name_problems
from stacks.observability import BundledStores, OwnLangfuse
from stacks.pool import Autoscaled
from stacks.target import node_start_seconds

if TYPE_CHECKING:
    from stacks.stack import ServedModel, Stack

CAREFUL = ("staging", "production")
"""Purposes of environments that others depend on."""


def check_consistency(stack: "Stack") -> None:
    """Raise ContradictionError for the first thing that does not go together."""
    for problem in _problems(stack):
        raise problem


def names_of(model: "ServedModel") -> tuple[str, ...]:
    """Return every name under which clients may ask for a model: its own, aliases, adapters."""
    serving = model.serving
    return (model.name, *serving.aliases, *(adapter.name for adapter in serving.adapters))


def _problems(stack: "Stack") -> Iterator[ContradictionError]:
    yield from _names(stack)
    yield from name_problems([model.name for model in stack.models])
    for index, model in enumerate(stack.models):
        yield from _scaling(f".models[{index}].serving", model)
        yield from _windows(f".models[{index}].serving.scaling", model)
        yield from _fallback_price(f".models[{index}].serving.fallback", model)
        yield from _cold_starts(f".models[{index}].serving", model, stack)
        yield from _request_times(f".models[{index}].serving", model, stack)
        yield from _evaluation(f".models[{index}].serving", model)
        yield from processor_problems(f".models[{index}]", model)
    yield from _keys(stack)
    yield from _environment(stack)
    yield from aws_problems(stack)


def _names(stack: "Stack") -> Iterator[ContradictionError]:
    owners: dict[str, str] = {}
    for index, model in enumerate(stack.models):
        for name in names_of(model):
            if name in owners:
                yield ContradictionError(
                    field=f".models[{index}].serving"
                    if name != model.name
                    else f".models[{index}].name",
                    found=f"{name} again, which stands for {owners[name]}",
                    allowed="one meaning for each name of a model, alias or adapter",
                    remedy="rename one of them; clients ask for a model by its name",
                )
            owners[name] = model.name
        for number, adapter in enumerate(model.serving.adapters):
            if not adapter.id.startswith("/") and adapter.revision is None:
                yield ContradictionError(
                    field=f".models[{index}].serving.adapters[{number}].revision",
                    found=f"none, for {adapter.id}",
                    allowed="the commit that was evaluated",
                    remedy="pin it, or give an absolute path",
                )


def _scaling(place: str, model: "ServedModel") -> Iterator[ContradictionError]:
    serving, autoscaled = model.serving, isinstance(model.pool.scaling, Autoscaled)
    if autoscaled is not (serving.scaling is not None):
        kind = model.pool.scaling.kind
        yield ContradictionError(
            field=f"{place}.scaling",
            found=f"{'an autoscaler' if serving.scaling else 'none'}, with pool.scaling.kind: {kind}",
            allowed="scaling (cooldown_seconds, ...) with an autoscaled pool, and only there",
            remedy="declare both or neither: the gate prices what the autoscaler does",
        )
    if serving.hold_seconds and (model.pool.replicas.min or not autoscaled):
        yield ContradictionError(
            field=f"{place}.hold_seconds",
            found=f"{serving.hold_seconds}, although a replica is always up",
            allowed="0, but where pool.replicas.min is 0",
            remedy="take it out: with a replica up a request is answered or refused at once",
        )


def _windows(place: str, model: "ServedModel") -> Iterator[ContradictionError]:
    scaling, most = model.serving.scaling, model.pool.replicas.max
    for index, window in enumerate(scaling.windows if scaling else ()):
        if window.replicas > most:
            yield ContradictionError(
                field=f"{place}.windows[{index}].replicas",
                found=f"{window.replicas}, with pool.replicas.max: {most}",
                allowed=f"up to {most}",
                remedy="raise the cap, which the gate prices, or keep fewer replicas up",
            )


def _fallback_price(place: str, model: "ServedModel") -> Iterator[ContradictionError]:
    """Yield a cap that would be counted at the price of another model."""
    fallback, comparator = model.serving.fallback, model.hosted.model
    if fallback is None or fallback.input_usd_per_mtok is not None:
        return
    if _last_segment(fallback.model) != _last_segment(comparator):
        yield ContradictionError(
            field=f"{place}.input_usd_per_mtok",
            found=f"nothing, although {fallback.model} is not {comparator}, whose price is known",
            allowed="both prices of a fallback that is not the model of hosted.model",
            remedy="declare input_usd_per_mtok and output_usd_per_mtok: daily_cap_usd is counted by them",
        )


def _last_segment(model: str) -> str:
    """Return a model's name without what providers put before it."""
    return model.rpartition("/")[2].lower()


def _evaluation(place: str, model: "ServedModel") -> Iterator[ContradictionError]:
    if model.serving.evaluation and model.serving.scaling and not model.pool.replicas.min:
        yield ContradictionError(
            field=f"{place}.evaluation",
            found="one, with pool.replicas.min: 0",
            allowed="an evaluation where a replica is always up",
            remedy="keep one replica up, or take the evaluation out: nobody would be there to answer it",
        )


def _cold_starts(place: str, model: "ServedModel", stack: "Stack") -> Iterator[ContradictionError]:
    serving = model.serving
    node_s, replica_s = node_start_seconds(stack.target), serving.cold_start_seconds
    cold, hold = node_s + replica_s, serving.hold_seconds
    start = f"a cold start of {replica_s:g} s" + (
        f" after {node_s:g} s for a node" if node_s else ""
    )
    if serving.scaling and serving.scaling.cooldown_seconds <= cold:
        yield ContradictionError(
            field=f"{place}.scaling.cooldown_seconds",
            found=f"{serving.scaling.cooldown_seconds:g}, with {start}",
            allowed=f"more than {cold:g}",
            remedy="raise it: a replica would go as soon as it has come",
        )
    if serving.scaling and not model.pool.replicas.min and hold <= cold:
        yield ContradictionError(
            field=f"{place}.hold_seconds",
            found=f"{hold}, with {start} and pool.replicas.min: 0",
            allowed=f"more than {cold:g}",
            remedy="hold the first request for longer than a replica needs, or keep one replica up",
        )


def _request_times(
    place: str, model: "ServedModel", stack: "Stack"
) -> Iterator[ContradictionError]:
    serving, gateway = model.serving, stack.gateway
    hold = serving.hold_seconds
    silent = hold + gateway.longest_request_seconds
    if hold and gateway.longest_silence_seconds < silent:
        yield ContradictionError(
            field=".gateway.longest_silence_seconds",
            found=f"{gateway.longest_silence_seconds:g}, although {model.name} is held for {hold} s "
            f"and may then answer for {gateway.longest_request_seconds:g} s",
            allowed=f"from {silent:g}",
            remedy="raise it: the gateway would end a held request whose answer is not streamed",
        )
    if gateway.longest_request_seconds > serving.drain_seconds:
        yield ContradictionError(
            field=f"{place}.drain_seconds",
            found=f"{serving.drain_seconds:g}, although a request may take "
            f"{gateway.longest_request_seconds:g} s (gateway.longest_request_seconds)",
            allowed=f"from {gateway.longest_request_seconds:g}",
            remedy="raise it, or allow shorter requests: a replica that stops would cut them off",
        )


def _keys(stack: "Stack") -> Iterator[ContradictionError]:
    known: dict[str, ServedModel] = {n: model for model in stack.models for n in names_of(model)}
    for index, key in enumerate(stack.gateway.keys):
        for name in key.models:
            if name not in known:
                yield ContradictionError(
                    field=f".gateway.keys[{index}].models",
                    found=f"{name}, which is no model of this stack",
                    allowed=", ".join(known),
                    remedy="name a model, alias or adapter of this stack",
                )
        reachable = [known[name] for name in key.models if name in known]
        if key.may_fall_back and not any(model.serving.fallback for model in reachable):
            yield ContradictionError(
                field=f".gateway.keys[{index}].may_fall_back",
                found=f"true, although {_listed(key.models)} has no fallback",
                allowed="true where a model of the key declares serving.fallback",
                remedy="declare base_url, model and daily_cap_usd of the fallback, or take the permission away",
            )


def _environment(stack: "Stack") -> Iterator[ContradictionError]:
    gateway = stack.gateway
    if gateway.exposure == "load_balancer" and not (gateway.tls or isinstance(stack.target, Eks)):
        yield ContradictionError(
            field=".gateway.tls",
            found="none, with exposure: load_balancer",
            allowed="a certificate: keys and prompts never cross a network in clear text",
            remedy="name a Secret or a cert-manager issuer, or keep exposure: cluster",
        )
    langfuse = stack.observability.langfuse
    if (
        stack.purpose == "production"
        and isinstance(langfuse, OwnLangfuse)
        and isinstance(langfuse.stores, BundledStores)
    ):
        yield ContradictionError(
            field=".observability.langfuse.stores",
            found="bundled, with purpose: production",
            allowed="external stores: the bundled ones have one node and no backup",
            remedy="give Postgres, ClickHouse, Redis and a bucket, or use an existing Langfuse",
        )
    if stack.purpose in CAREFUL and stack.gateway.replicas < 2:  # noqa: PLR2004 - one and a spare
        yield ContradictionError(
            field=".gateway.replicas",
            found=f"{stack.gateway.replicas}, with purpose: {stack.purpose}",
            allowed="from 2",
            remedy="let one gateway go on while the other is replaced",
        )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names)
