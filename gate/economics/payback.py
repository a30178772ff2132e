"""Growth: the months until the set-up cost is earned back (docs/model.md#payback)."""

from collections.abc import Iterator
from dataclasses import dataclass

from gate.economics.bills import Bills
from gate.economics.units import TIE, cheaper


@dataclass(frozen=True, slots=True, kw_only=True)
class Payback:
    """What the declared growth does to the two bills over the horizon."""

    month: int | None
    """The first month by whose end self-hosting has cost no more in total; None for never within it."""
    losing_months: tuple[int, ...]
    """Months (the first is 1) in which self-hosting is not cheaper."""
    full_in_month: int | None
    """The first month whose volume the pools cannot serve; nothing is computed from there on."""


def payback(
    bills: Bills, *, volume: float, growth_per_month: float, set_up_usd: float, horizon_months: int
) -> Payback:
    """Return the payback of `set_up_usd`, the volume growing by `growth_per_month` (0.05 is 5 %)."""
    behind = set_up_usd
    paid_back: int | None = None
    losing = []
    served, full_in_month = _served(bills, volume, growth_per_month, horizon_months)
    for month, month_volume in enumerate(served, start=1):
        hosted, own = bills.hosted(month_volume), bills.self_hosted(month_volume)
        behind += own - hosted
        if not cheaper(own, hosted):
            losing.append(month)
        if paid_back is None and behind <= 0:
            paid_back = month
    return Payback(month=paid_back, losing_months=tuple(losing), full_in_month=full_in_month)


def _served(
    bills: Bills, volume: float, growth: float, horizon: int
) -> tuple[list[float], int | None]:
    months = list(_volumes(volume, growth, horizon))
    capacity = bills.capacity
    for index, month_volume in enumerate(months):
        if capacity is not None and month_volume > capacity * (1 + TIE):
            return months[:index], index + 1
    return months, None


def _volumes(volume: float, growth: float, horizon: int) -> Iterator[float]:
    for month in range(horizon):
        yield volume * (1 + growth) ** month
