"""The load shape s(t), and what a pool must hold ready for it (docs/model.md#load)."""

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gate.economics.bills import Need
from gate.economics.units import SECONDS_PER_MONTH


class LoadProfile(NamedTuple):
    """Load over the intervals of a period that repeats, relative to its mean."""

    relative: tuple[float, ...]
    """s(t), mean 1, in the order of time; its ends are neighbours."""
    interval_minutes: float
    burst_factor: float = 1.0
    """b: the peak minute over the mean of its interval; replicas are sized for b s(t)."""

    @property
    def peak_to_mean(self) -> float:
        """Return P, without the burst factor."""
        return max(self.relative)


def profile(
    loads: Sequence[float], *, interval_minutes: float, burst_factor: float = 1.0
) -> LoadProfile:
    """Return the profile of loads in any unit, at least one of them above zero."""
    mean = math.fsum(loads) / len(loads)
    relative = tuple(load / mean for load in loads)
    return LoadProfile(
        relative=relative, interval_minutes=interval_minutes, burst_factor=burst_factor
    )


def needs_of_fixed_pool(load: LoadProfile, *, node_tokens_per_second: float) -> tuple[Need, ...]:
    """Return what a pool sized for the peak needs: b P / (T q) nodes a token, at any time."""
    peak = load.burst_factor * load.peak_to_mean
    return (Need(peak / (SECONDS_PER_MONTH * node_tokens_per_second), 1),)


def needs_at_utilization(utilization: float, *, node_tokens_per_second: float) -> tuple[Need, ...]:
    """Return what a pool needs that was measured (or assumed) to run at `utilization` of saturation."""
    return (Need(1 / (utilization * SECONDS_PER_MONTH * node_tokens_per_second), 1),)


def needs_of_autoscaled_pool(
    load: LoadProfile, *, node_tokens_per_second: float, lead_minutes: float, hold_minutes: float
) -> tuple[Need, ...]:
    """Return what an autoscaled pool needs: s'(t) / (T q) nodes a token in each interval.

    s'(t) is the maximum of b s over [t - hold, t + lead]: capacity is there `lead` (the cold start)
    before the load is, and stays for `hold` (the cool-down); both are rounded up to whole intervals.
    """
    held = running_maximum(
        load.relative,
        before=math.ceil(hold_minutes / load.interval_minutes),
        after=math.ceil(lead_minutes / load.interval_minutes),
    )
    levels = Counter(held)
    unit = load.burst_factor / (SECONDS_PER_MONTH * node_tokens_per_second)
    return tuple(Need(level * unit, count) for level, count in sorted(levels.items()))


def running_maximum(values: Sequence[float], *, before: int, after: int) -> list[float]:
    """Return for each value the maximum of its `before` predecessors, itself and `after` successors.

    The values repeat: the last is the predecessor of the first. Linear in their number.
    """
    size = len(values)
    if before + after + 1 >= size:
        return [max(values)] * size
    candidates: deque[int] = deque()
    result = []
    for position in range(-before, size + after):
        while candidates and values[candidates[-1] % size] <= values[position % size]:
            candidates.pop()
        candidates.append(position)
        if position >= after:
            while candidates[0] < position - after - before:
                candidates.popleft()
            result.append(values[candidates[0] % size])
    return result


def weekly_diurnal(*, peak_to_mean: float, weekend_factor: float) -> list[float]:
    """Return 168 hourly loads, Monday first: a day is 1 + (peak_to_mean - 1) cos, highest at 15:00.

    `peak_to_mean` (1 to 2) is that of a working day; Saturday and Sunday are `weekend_factor` of it.
    """
    swing = peak_to_mean - 1
    day = [1 + swing * math.cos(2 * math.pi * (hour - 15) / 24) for hour in range(24)]
    return _week(day, weekend_factor=weekend_factor)


def weekly_business_hours(
    *, first_hour: int, last_hour: int, off_hours_fraction: float, weekend_factor: float
) -> list[float]:
    """Return 168 hourly loads, Monday first: 1 from `first_hour` to before `last_hour`, else a fraction."""
    day = [1.0 if first_hour <= hour < last_hour else off_hours_fraction for hour in range(24)]
    return _week(day, weekend_factor=weekend_factor)


def _week(day: Iterable[float], *, weekend_factor: float) -> list[float]:
    hours = list(day)
    return hours * 5 + [hour * weekend_factor for hour in hours] * 2
