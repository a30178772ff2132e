"""How the addresses of a VPC are shared out, and whether they do for all nodes and pods."""

import ipaddress
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from components.aws.node_groups import NodeGroupPlan
from stacks.aws import made
from stacks.aws.target import Eks
from stacks.errors import Place

WIDEST: Final = 16
"""Shortest prefix of a VPC; AWS gives no larger range."""
NARROWEST: Final = 22
"""Longest prefix that is shared out here: a quarter of it, split again, still holds a public subnet."""
FEWEST_PARTS: Final = 4
"""So that a third zone, or a way out, moves no subnet that is there."""
PUBLIC_PREFIX: Final = 24
"""A public subnet holds a NAT gateway and the balancer's addresses, which are few."""
ADDRESSES_OF_INTERFACE: Final = 50
"""Most IPv4 addresses of a node's network interface, its own included (Amazon EC2 user guide)."""
KEPT_BY_AWS: Final = 5
"""Addresses of each subnet that nobody can have."""
KEPT_FOR_EKS: Final = 16
"""Addresses that EKS asks for in each of the cluster's subnets: its own interfaces, and updates."""
KEPT_FOR_BALANCER: Final = 100
"""Addresses that an Application Load Balancer may grow to."""


class Subnet(NamedTuple):
    """A range of addresses in one zone."""

    zone: str
    cidr: str
    public: bool

    @property
    def name(self) -> str:
        """Return the name of its resources."""
        return f"{'public' if self.public else 'private'}-{self.zone}"


class SubnetPlan(NamedTuple):
    """All subnets of a VPC, in the order of the zones."""

    private: tuple[Subnet, ...]
    """Nodes, pods and endpoints."""
    public: tuple[Subnet, ...]
    """NAT gateways and a public balancer; empty where there is neither."""


def plan_subnets(eks: Eks, groups: Sequence[NodeGroupPlan], place: Place) -> SubnetPlan:
    """Return the subnets of a stack whose nodes come to `groups` at their caps.

    Raises:
        InputError: a zone's subnet would be too small; it says which range would do.
    """
    cidr = ipaddress.IPv4Network(eks.network.cidr)
    needed = max(addresses_in(zone, eks, groups) for zone in eks.zones)
    narrowest = _narrowest_for(needed, len(eks.zones))
    if not WIDEST <= cidr.prefixlen <= (narrowest or 0):
        raise place.error(
            found=f"{cidr}; a zone's subnet would have {_private_size(cidr.prefixlen, eks):,} addresses,"
            f" and all nodes with their pods take {needed:,}",
            allowed=f"from /{WIDEST} to /{narrowest}"
            if narrowest
            else f"nothing: a VPC has a /{WIDEST} at most, and that is too small",
            remedy="declare a range of that size"
            if narrowest
            else "lower replicas.max, or use larger nodes",
        )
    return _shared_out(cidr, eks.zones, public=has_public(eks))


def has_public(eks: Eks) -> bool:
    """Return whether anything needs a public subnet."""
    return made.public_addresses(eks) > 0


def addresses_of_node(max_pods: int) -> int:
    """Return the most addresses that the VPC CNI takes for a node.

    It takes whole interfaces, and keeps one more than it needs: 110 pods are three interfaces with 49
    addresses for pods each, and a spare one makes 4 x 50 = 200. Nodes with smaller interfaces take less.
    """
    interfaces = math.ceil(max_pods / (ADDRESSES_OF_INTERFACE - 1)) + 1
    return interfaces * ADDRESSES_OF_INTERFACE


def addresses_in(zone: str, eks: Eks, groups: Sequence[NodeGroupPlan]) -> int:
    """Return the most addresses that a zone's private subnet has to hold.

    All nodes of a group that may be in the zone: where others have no capacity, all are in one.
    """
    nodes = sum(
        group.most_nodes * addresses_of_node(group.max_pods)
        for group in groups
        if zone in group.zones
    )
    internal = eks.load_balancer is not None and eks.load_balancer.scheme == "internal"
    others = KEPT_BY_AWS + KEPT_FOR_EKS + len(made.interface_endpoints(eks))
    return nodes + others + (KEPT_FOR_BALANCER if internal else 0)


def _parts(zones: int) -> int:
    """Return into how many equal parts the VPC is split: one for what is public, one for each zone."""
    return max(FEWEST_PARTS, 1 << math.ceil(math.log2(zones + 1)))


def _private_size(prefix: int, eks: Eks) -> int:
    return (1 << 32 - prefix) // _parts(len(eks.zones))


def _narrowest_for(needed: int, zones: int) -> int | None:
    """Return the longest prefix of a VPC whose parts hold so many addresses; None where none does."""
    bits = math.ceil(math.log2(needed * _parts(zones)))
    prefix = min(32 - bits, NARROWEST)
    return prefix if prefix >= WIDEST else None


def _shared_out(cidr: ipaddress.IPv4Network, zones: Sequence[str], *, public: bool) -> SubnetPlan:
    first, *others = cidr.subnets(prefixlen_diff=int(math.log2(_parts(len(zones)))))
    longer = max(PUBLIC_PREFIX, first.prefixlen + math.ceil(math.log2(len(zones))))
    small = first.subnets(new_prefix=longer) if public else ()
    private = zip(zones, others, strict=False)
    return SubnetPlan(
        private=tuple(Subnet(zone, str(part), public=False) for zone, part in private),
        public=tuple(
            Subnet(zone, str(part), public=True) for zone, part in zip(zones, small, strict=False)
        ),
    )
