"""Growth: the months until the set-up cost is earned back (docs/model.md#payback)."""

from collections.abc import Sequence
from typing import NamedTuple

from gate.economics.bills import Bills
from gate.economics.units import TIE, cheaper


class Stream(NamedTuple):
    """The load of one model as it grows."""

    bills: Bills
    volume: float
    """In the first month."""
    growth_per_month: float
    """0.05 is 5 %."""

    def in_month(self, month: int) -> float:
        """Return the volume of a month; the first is 1."""
        return self.volume * (1 + self.growth_per_month) ** (month - 1)

    def fits(self, month: int) -> bool:
        """Return whether the pools can serve that month."""
        capacity = self.bills.capacity
        return capacity is None or self.in_month(month) <= capacity * (1 + TIE)


class Payback(NamedTuple):
    """What the declared growth does to the two bills over the horizon."""

    month: int | None
    """The first month by whose end self-hosting has cost no more in total; None for never within it."""
    losing_months: tuple[int, ...]
    """Months (the first is 1) in which self-hosting is not cheaper."""
    full_in_month: int | None
    """The first month whose volume the pools cannot serve; nothing is computed from there on."""


def payback(
    streams: Sequence[Stream], *, shared_usd: float, set_up_usd: float, horizon_months: int
) -> Payback:
    """Return when `set_up_usd` is paid back; `shared_usd` is paid each month beside the streams."""
    own_total, hosted_total = set_up_usd, 0.0
    paid_back: int | None = None
    losing: list[int] = []
    for month in range(1, horizon_months + 1):
        if not all(stream.fits(month) for stream in streams):
            return Payback(month=paid_back, losing_months=tuple(losing), full_in_month=month)
        hosted = sum(stream.bills.hosted(stream.in_month(month)) for stream in streams)
        own = shared_usd + sum(s.bills.self_hosted(s.in_month(month)) for s in streams)
        own_total, hosted_total = own_total + own, hosted_total + hosted
        if not cheaper(own, hosted):
            losing.append(month)
        if paid_back is None and not cheaper(hosted_total, own_total):
            paid_back = month
    return Payback(month=paid_back, losing_months=tuple(losing), full_in_month=None)
