"""What must hold between an AWS account and the rest of a stack; checked when it is declared."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Final

from stacks.aws.closed import closed_problems
from stacks.aws.node_checks import node_problems
from stacks.aws.target import Eks, NoEgress, PrivateApi
from stacks.costs import CostLine
from stacks.errors import ContradictionError
from stacks.gateway import TlsIssuer
from stacks.observability import PrometheusOperator
from stacks.pool import CatalogNode
from stacks.purchase import CapacityBlock, CapacityReservation
from stacks.sources import StoreSource

if TYPE_CHECKING:
    from stacks.stack import ServedModel, Stack

FROM_TARGET: Final = (
    *("control_plane", "cpu_nodes", "storage", "networking", "load_balancing"),
    "egress_and_cross_zone",
)
"""Lines of operations.infrastructure that follow from target eks."""
LONGEST_IDLE_S: Final = 4000
"""The longest idle time-out of an Application Load Balancer."""

Problems = Iterator[ContradictionError]


def aws_problems(stack: "Stack") -> Problems:
    """Yield what does not go together, first of all in the account itself."""
    yield from _computed_lines(stack)
    eks = stack.target
    if not isinstance(eks, Eks):
        yield from _only_on_aws(stack)
        return
    yield from _account(eks)
    yield from _api(eks)
    yield from node_problems(eks, stack)
    yield from _balancer(eks, stack)
    yield from _installed(stack)
    for index, model in enumerate(stack.models):
        yield from _pool(f".models[{index}].pool", model, eks)
        yield from _start(f".models[{index}]", model, eks)
    yield from _reserved_once(stack)
    if isinstance(eks.network.egress, NoEgress):
        yield from closed_problems(eks, stack)


def _computed_lines(stack: "Stack") -> Problems:
    on_aws, lines = isinstance(stack.target, Eks), stack.operations.infrastructure
    for name in type(lines).model_fields:
        line: CostLine = getattr(lines, name)
        computed = on_aws and name in FROM_TARGET
        if bool(line.from_target) is not computed:
            yield ContradictionError(
                field=f".operations.infrastructure.{name}",
                found=f"{'from_target' if line.from_target else 'another form'}, "
                f"with target.kind: {stack.target.kind}",
                allowed=f"from_target: true with target eks, on {', '.join(FROM_TARGET)}",
                remedy="write from_target: true: it is computed from what is made"
                if computed
                else "say what it costs: nothing is made that it could be computed from",
            )


def _only_on_aws(stack: "Stack") -> Problems:
    for index, model in enumerate(stack.models):
        if isinstance(model.serving.source, StoreSource):
            yield ContradictionError(
                field=f".models[{index}].serving.source.kind",
                found=f"store, with target.kind: {stack.target.kind}",
                allowed="store with target eks, which makes the bucket",
                remedy="declare the bucket that is there: source: {kind: s3, uri: ...}",
            )


def _account(eks: Eks) -> Problems:
    for index, zone in enumerate(eks.zones):
        if zone[:-1] != eks.region or zone in eks.zones[:index]:
            yield ContradictionError(
                field=f".target.zones[{index}]",
                found=zone,
                allowed=f"zones of {eks.region}, each once",
                remedy="name zones of the stack's region",
            )
    arns = [(f".cluster.administrators[{i}]", a) for i, a in enumerate(eks.cluster.administrators)]
    if eks.load_balancer:
        arns.append((".load_balancer.certificate_arn", eks.load_balancer.certificate_arn))
    for field, arn in arns:
        _, _, _, region, account, _ = arn.split(":", 5)
        if account != eks.account or region not in ("", eks.region):
            yield ContradictionError(
                field=f".target{field}",
                found=arn,
                allowed=f"one of account {eks.account}" + (f" in {eks.region}" if region else ""),
                remedy="name the account's own, or correct target.account and target.region",
            )


def _api(eks: Eks) -> Problems:
    """Yield networks that cannot be connected: their addresses are the VPC's own."""
    api, vpc = eks.cluster.api, IPv4Network(eks.network.cidr)
    for index, cidr in enumerate(api.cidrs if isinstance(api, PrivateApi) else ()):
        if IPv4Network(cidr).subnet_of(vpc):
            yield ContradictionError(
                field=f".target.cluster.api.cidrs[{index}]",
                found=f"{cidr}, a part of target.network.cidr ({vpc})",
                allowed="ranges of connected networks; the VPC's own addresses reach the API anyway",
                remedy="take it out, or give the VPC a range that no connected network has",
            )


def _balancer(eks: Eks, stack: "Stack") -> Problems:
    outside = stack.gateway.exposure == "load_balancer"
    if outside is not (eks.load_balancer is not None):
        yield ContradictionError(
            field=".target.load_balancer",
            found=f"{'one' if eks.load_balancer else 'none'}, with gateway.exposure: {stack.gateway.exposure}",
            allowed="a load balancer where gateway.exposure is load_balancer, and only there",
            remedy="declare both or neither",
        )
    silence = stack.gateway.longest_silence_seconds
    if outside and silence >= LONGEST_IDLE_S:
        yield ContradictionError(
            field=".gateway.longest_silence_seconds",
            found=f"{silence:g}, behind an Application Load Balancer",
            allowed=f"below {LONGEST_IDLE_S}, its longest idle time-out",
            remedy="lower it, or let clients stream: then an answer is not silent",
        )


def _installed(stack: "Stack") -> Problems:
    """Yield what a cluster that has just been made does not have."""
    if isinstance(stack.observability.prometheus, PrometheusOperator):
        yield ContradictionError(
            field=".observability.prometheus.kind",
            found="operator, with target.kind: eks",
            allowed="own: a new cluster has no operator",
            remedy="declare prometheus: {kind: own, ...}",
        )
    if isinstance(stack.gateway.tls, TlsIssuer):
        yield ContradictionError(
            field=".gateway.tls.kind",
            found="issuer, with target.kind: eks",
            allowed="a Secret, or none: a new cluster has no cert-manager, and ACM has the certificate",
            remedy="let the load balancer end TLS (target.load_balancer.certificate_arn)",
        )


def _pool(place: str, model: "ServedModel", eks: Eks) -> Problems:
    node, purchase = model.pool.node, model.pool.purchase
    if not isinstance(node, CatalogNode) or node.region != eks.region:
        found = node.region if isinstance(node, CatalogNode) else node.kind
        yield ContradictionError(
            field=f"{place}.node",
            found=f"{found}, with target.region: {eks.region}",
            allowed=f"kind: instance with region: {eks.region}",
            remedy="declare what the pool is made of: the price is that of its region",
        )
    if isinstance(purchase, CapacityReservation | CapacityBlock) and (
        purchase.reservation is None or purchase.zone not in eks.zones
    ):
        yield ContradictionError(
            field=f"{place}.purchase.zone",
            found=f"{purchase.zone or 'nothing'}",
            allowed=f"the zone of the reservation, one of {', '.join(eks.zones)}",
            remedy="name reservation and zone as `aws ec2 describe-capacity-reservations` does",
        )
    if isinstance(purchase, CapacityBlock) and (eks.ends is None or purchase.ends < eks.ends):
        yield ContradictionError(
            field=f"{place}.purchase.ends",
            found=f"{purchase.ends}, with target.ends: {eks.ends or 'none, it stays'}",
            allowed="a block that lasts as long as the stack",
            remedy="say in target.ends when the stack is taken down, or buy a longer block",
        )


def _reserved_once(stack: "Stack") -> Problems:
    """Yield a reservation of two pools: it would be priced twice, and has nodes for one."""
    holders: dict[str, str] = {}
    for index, model in enumerate(stack.models):
        purchase = model.pool.purchase
        if (
            not isinstance(purchase, CapacityReservation | CapacityBlock)
            or not purchase.reservation
        ):
            continue
        holder = holders.setdefault(purchase.reservation, model.name)
        if holder != model.name:
            yield ContradictionError(
                field=f".models[{index}].pool.purchase.reservation",
                found=f"{purchase.reservation}, which the pool of {holder} has already",
                allowed="a reservation or block for each pool: all its nodes are priced for that one",
                remedy="name one of its own, or divide the reservation in two",
            )


def _start(place: str, model: "ServedModel", eks: Eks) -> Problems:
    serving = model.serving
    if serving.cold_start_phases is None:
        yield ContradictionError(
            field=f"{place}.serving.cold_start_phases",
            found="nothing, with target.kind: eks",
            allowed="image_seconds, weights_seconds and engine_seconds of one measured start",
            remedy="add them: await times, holds and the scaler's lead follow from them",
        )
    if isinstance(serving.source, StoreSource) and eks.model_store is None:
        yield ContradictionError(
            field=f"{place}.serving.source.kind",
            found="store, without target.model_store",
            allowed="store where the stack has a bucket",
            remedy="declare target.model_store, or read the weights from elsewhere",
        )
