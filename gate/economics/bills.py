"""The two bills as functions of the volume: S(x), what serving it oneself costs, and H(x), hosted.

The volume x is in any unit (a token for one model, a multiple of the declared month for a stack of
several); every rate below is per that unit and every amount in USD per month.
"""

from typing import NamedTuple

from gate.economics.units import whole


class Need(NamedTuple):
    """How many nodes a unit of volume needs, and in how many intervals of the load that holds."""

    nodes_per_unit: float
    intervals: int


class Pool(NamedTuple):
    """Nodes of one kind, bought whole."""

    node_usd: float
    """Cost of one more node for a month (730 h of the mean)."""
    min_nodes: int
    """Nodes that are paid for at any volume."""
    max_nodes: float | None
    """Nodes' worth of replicas that may run; not whole where the cap leaves room on the last node."""
    needs: tuple[Need, ...]
    """The load, an entry for each distinct level; a pool sized for its peak has just one."""

    @property
    def intervals(self) -> int:
        """Return the number of intervals the load has."""
        return sum(need.intervals for need in self.needs)

    @property
    def mean_need(self) -> float:
        """Return nodes per unit of volume on average: the limit of R(x)/x for a large volume."""
        return sum(need.nodes_per_unit * need.intervals for need in self.needs) / self.intervals

    @property
    def peak_need(self) -> float:
        """Return nodes per unit of volume in the busiest interval."""
        return max(need.nodes_per_unit for need in self.needs)

    def nodes(self, volume: float) -> float:
        """Return R(x): the mean number of nodes paid for, over the intervals of the load."""
        total = sum(
            need.intervals * max(self.min_nodes, whole(need.nodes_per_unit * volume))
            for need in self.needs
        )
        return total / self.intervals

    def peak_nodes(self, volume: float) -> int:
        """Return the nodes of the busiest interval."""
        return max(self.min_nodes, whole(self.peak_need * volume))


class Bills(NamedTuple):
    """Everything the break-even depends on.

    S(x) = fixed + node_fixed + marginal x + sum over pools of node_usd R(x), and
    H(x) = hosted_fixed + hosted x.
    """

    hosted_usd: float
    """p: hosted price of a unit."""
    marginal_usd: float
    """v: what a unit costs oneself beyond the nodes."""
    fixed_usd: float
    """F: what is paid at any volume and does not move with the price of a node."""
    pools: tuple[Pool, ...]
    node_fixed_usd: float = 0.0
    """The part of F that is paid in nodes (second fleet of a roll-out, commitments); may be negative."""
    hosted_fixed_usd: float = 0.0
    """What using the API costs at any volume: monitoring, migrations, contracts."""

    @property
    def net_fixed_usd(self) -> float:
        """Return the fixed costs that are not paid in nodes, less those of the hosted side."""
        return self.fixed_usd - self.hosted_fixed_usd

    @property
    def all_fixed_usd(self) -> float:
        """Return F: what self-hosting pays more than hosting at any volume; may be negative."""
        return self.net_fixed_usd + self.node_fixed_usd

    @property
    def floor_usd(self) -> float:
        """Return c h/(T q) + v: a unit's cost once every node is full, fixed costs aside."""
        return self.marginal_usd + sum(pool.node_usd * pool.mean_need for pool in self.pools)

    @property
    def capacity(self) -> float | None:
        """Return the largest volume that no pool needs more than its maximum for."""
        limits = [p.max_nodes / p.peak_need for p in self.pools if p.max_nodes is not None]
        return min(limits, default=None)

    def nodes_usd(self, volume: float) -> float:
        """Return G(x): the part of S that moves with the price of a node."""
        pools = sum(pool.node_usd * pool.nodes(volume) for pool in self.pools)
        return self.node_fixed_usd + pools

    def self_hosted(self, volume: float) -> float:
        """Return S(x)."""
        return self.fixed_usd + self.marginal_usd * volume + self.nodes_usd(volume)

    def hosted(self, volume: float) -> float:
        """Return H(x)."""
        return self.hosted_fixed_usd + self.hosted_usd * volume
