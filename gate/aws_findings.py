"""What is noticed about target eks: versions whose support ends, an old AMI, prices that aged."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from gate import facts
from gate.aws_costs import aws_prices
from gate.aws_nodes import system_nodes
from gate.facts.tables import names
from gate.findings import Finding, advisory, blocking, of_age
from gate.nodes import NodePlan
from stacks.aws.target import Eks
from stacks.errors import Place
from stacks.stack import Stack

SOON_DAYS: Final = 90
"""An upgrade of control plane and nodes is planned, tried in staging and done in a quarter."""
AMI_MAX_AGE_DAYS: Final = 180
"""AWS releases an AMI about every week; half a year without one misses its security fixes."""


def aws_findings(
    stack: Stack, plans: Sequence[NodePlan], root: Place, as_of: date
) -> Iterator[Finding]:
    """Yield what was noticed; nothing where the target is not eks."""
    eks, place = stack.target, root.at("target")
    if not isinstance(eks, Eks):
        return
    yield from _end(eks, place.at("ends"), as_of)
    yield from _version(eks, place.at("cluster.version"), as_of)
    yield from _ami(eks, place.at("gpu_nodes.ami_release"), as_of)
    yield from _ages(stack, plans, root, as_of)


def _end(eks: Eks, place: Place, as_of: date) -> Iterator[Finding]:
    if eks.ends is not None and eks.ends < as_of:
        yield blocking(
            place,
            found=f"{eks.ends}, which has passed",
            allowed=f"from {as_of}, or nothing: then the stack stays",
            remedy="take the stack down, or declare how long it is to live",
        )


def _version(eks: Eks, place: Place, as_of: date) -> Iterator[Finding]:
    name, extended = eks.cluster.version, eks.cluster.support == "extended"
    supported = _supported(as_of, extended=extended)
    try:
        known = facts.kubernetes(name)
    except facts.UnknownFact:
        yield blocking(
            place,
            found=f"{name}, a version that EKS is not known to have",
            allowed=supported,
            remedy="correct it, or add its days to gate/data/kubernetes.yaml",
        )
        return
    ends = known.extended_ends if extended else known.standard_ends
    if ends is None:
        return
    kind = "extended" if extended else "standard"
    remedy = "declare the next version, nodes too: EKS upgrades it by itself otherwise"
    if as_of >= ends:
        found = f"{name}, whose {kind} support ended on {ends}"
        yield blocking(place, found=found, allowed=supported, remedy=remedy)
    elif (ends - as_of).days <= SOON_DAYS:
        found = f"{name}, whose {kind} support ends on {ends}"
        yield advisory(place, found=found, allowed=supported, remedy=remedy)


def _supported(as_of: date, *, extended: bool) -> str:
    """Return the versions whose declared support lasts for more than a quarter."""
    lasting = []
    for name in names("kubernetes"):
        known = facts.kubernetes(name)
        ends = known.extended_ends if extended else known.standard_ends
        if known.on_eks <= as_of and (ends is None or (ends - as_of).days > SOON_DAYS):
            lasting.append(name)
    return ", ".join(lasting) or "a version that gate/data/kubernetes.yaml does not have yet"


def _ami(eks: Eks, place: Place, as_of: date) -> Iterator[Finding]:
    """Yield an old AMI; one of an ended version has the same cause as the version it follows."""
    release = eks.gpu_nodes.ami_release
    released = _released(release)
    if released is None:
        yield blocking(
            place,
            found=f"{release}, which ends in no day",
            allowed="<version>-<YYYYMMDD>",
            remedy="copy the name of the release from github.com/awslabs/amazon-eks-ami/releases",
        )
    elif (as_of - released).days > AMI_MAX_AGE_DAYS:
        yield advisory(
            place,
            found=f"{release}, released on {released}",
            allowed=f"a release of the last {AMI_MAX_AGE_DAYS} days",
            remedy="name a newer release of the same version; the nodes are replaced one by one",
        )


def _released(release: str) -> date | None:
    day = release.rsplit("-", 1)[1]
    try:
        return date.fromisoformat(day)
    except ValueError:
        return None


def _ages(stack: Stack, plans: Sequence[NodePlan], root: Place, as_of: date) -> Iterator[Finding]:
    """Yield what the ages of the prices call for; a price is named by where it stands."""
    prices = {price.key: price for _, price in aws_prices(stack, plans, root, as_of)}
    limit = facts.max_age_days("infrastructure_price")
    for key, price in prices.items():
        place = Place("gate/data/operations.yaml", f"prices.{key}")
        yield from of_age(place, checked=price.source.checked, as_of=as_of, max_age_days=limit)
    system = system_nodes(stack, root, as_of=as_of)
    if system is not None:
        checked, place = system.price.source.checked, root.at("target.system_nodes.instance_type")
        limit = facts.max_age_days(facts.price_kind(system.instance.name))
        yield from of_age(place, checked=checked, as_of=as_of, max_age_days=limit)
