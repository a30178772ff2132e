"""What the slots of bench/overhead.py come to: percentiles, CPU by chunk, what a way adds. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.mock_engine import CHUNKS, FIRST_S, GAP_S
from bench.streams import Slot

DIRECT: Final = "direct"
LIMITED: Final = "gateway + router"
LIMITS_MS: Final = {50: 5.0, 99: 25.0}
"""By percentile: what the whole way may add to the time to first token."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One way in one round."""

    way: str
    slot: Slot
    cpu_s: dict[str, float]
    """By process, the client's too."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way over all rounds."""

    name: str
    streams: int
    errors: dict[str, int]
    ttft_ms: dict[int, float]
    """By percentile."""
    gap_ms: dict[int, float]
    """Between chunks, by percentile."""
    cpu_s_per_10k_chunks: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Added:
    """What a way adds to the time to first token over the direct one."""

    way: str
    percentile: int
    ms: float
    rounds_ms: tuple[float, ...]
    """The same, round by round."""
    limit_ms: float | None
    met: bool | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that is printed."""

    machine: str
    asked: str
    load_before: float
    """Of one minute, when the run began."""
    others_cores: float
    """Cores that other processes (and the machine's host) took during the run, on average."""
    ways: tuple[Way, ...]
    added: tuple[Added, ...]
    rss_mib: dict[str, float]


def ways(measured: Sequence[Measured]) -> tuple[Way, ...]:
    """Return each way over all its rounds."""
    return tuple(
        _way(name, [each for each in measured if each.way == name])
        for name in dict.fromkeys(each.way for each in measured)
    )


def added(measured: Sequence[Measured]) -> tuple[Added, ...]:
    """Return what each way adds, and whether the whole way stays within its limits."""
    direct = [each.slot for each in measured if each.way == DIRECT]
    found = []
    for name in dict.fromkeys(each.way for each in measured):
        slots = [each.slot for each in measured if each.way == name]
        for percentile, limit_ms in LIMITS_MS.items() if name != DIRECT else ():
            ms = _added_ms(slots, direct, percentile)
            pairs = zip(slots, direct, strict=True)
            limit = limit_ms if name == LIMITED else None
            found.append(
                Added(
                    way=name,
                    percentile=percentile,
                    ms=ms,
                    rounds_ms=tuple(_added_ms([a], [b], percentile) for a, b in pairs),
                    limit_ms=limit,
                    met=None if limit is None else ms <= limit,
                )
            )
    return tuple(found)


def percentile_of(values: Sequence[float], percentile: int) -> float:
    """Return a percentile; NaN of fewer than two values."""
    if len(values) < 2:
        return float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percentile - 1]


def _added_ms(slots: Sequence[Slot], direct: Sequence[Slot], percentile: int) -> float:
    return percentile_of(_ttft_ms(slots), percentile) - percentile_of(_ttft_ms(direct), percentile)


def _ttft_ms(slots: Sequence[Slot]) -> list[float]:
    return [ms for slot in slots for ms in slot.ttft_ms]


def _way(name: str, rounds: Sequence[Measured]) -> Way:
    slots = [each.slot for each in rounds]
    streams = sum(slot.streams for slot in slots)
    gaps = [ms for slot in slots for ms in slot.gaps_ms]
    kinds = sorted({kind for slot in slots for kind in slot.errors})
    return Way(
        name=name,
        streams=streams,
        errors={kind: sum(slot.errors.get(kind, 0) for slot in slots) for kind in kinds},
        ttft_ms={each: percentile_of(_ttft_ms(slots), each) for each in LIMITS_MS},
        gap_ms={each: percentile_of(gaps, each) for each in LIMITS_MS},
        cpu_s_per_10k_chunks={
            process: sum(each.cpu_s[process] for each in rounds) / max(streams * CHUNKS, 1) * 10_000
            for process in rounds[0].cpu_s
        },
    )


def text(report: Report) -> str:
    """Return the report for readers."""
    lines = [f"{report.machine}; {report.asked}"]
    lines.append(
        f"load before {report.load_before:.2f}; other processes took "
        f"{report.others_cores:.2f} cores during the run\n"
    )
    lines.append(f"{'':<20}streams  errors   TTFT p50   p99 ms    gap p50   p99 ms")
    lines += [
        f"{way.name:<20}{way.streams:7}{sum(way.errors.values()):8}"
        f"{way.ttft_ms[50]:11.1f}{way.ttft_ms[99]:9.1f}{way.gap_ms[50]:11.1f}{way.gap_ms[99]:9.1f}"
        for way in report.ways
    ]
    lines += [f"errors of {way.name}: {way.errors}" for way in report.ways if way.errors]
    processes = list(report.ways[0].cpu_s_per_10k_chunks)
    lines.append("\nCPU s / 10k chunks  " + "".join(f"{name:>14}" for name in processes))
    for way in report.ways:
        taken = (way.cpu_s_per_10k_chunks[name] for name in processes)
        lines.append(f"{way.name:<20}" + "".join(f"{seconds:14.2f}" for seconds in taken))
    sizes = "".join(
        f"{report.rss_mib[name]:14.0f}" if name in report.rss_mib else f"{'-':>14}"
        for name in processes
    )
    lines.append(f"{'RSS at the end, MiB':<20}{sizes}\n")
    return "\n".join([*lines, *_judged(report)])


def _judged(report: Report) -> list[str]:
    (direct,) = (way for way in report.ways if way.name == DIRECT)
    (limited,) = (way for way in report.ways if way.name == LIMITED)
    late_ms = {each: direct.ttft_ms[each] - FIRST_S * 1000 for each in LIMITS_MS}
    failed = sum(limited.errors.values())
    lines = [
        f"{each.way} adds to TTFT p{each.percentile} {each.ms:.1f} ms "
        f"(rounds {min(each.rounds_ms):.1f} to {max(each.rounds_ms):.1f})" + _against(each)
        for each in report.added
    ]
    lines.append(f"{LIMITED}: {failed} errors, limit 0: {'met' if not failed else 'not met'}")
    lines.append(
        f"client and mock alone: direct, a first chunk is {late_ms[50]:.1f} ms (p50) and "
        f"{late_ms[99]:.1f} ms (p99) late, and gaps are {direct.gap_ms[99] - GAP_S * 1000:.1f} ms "
        "too long (p99)"
    )
    return lines


def _against(each: Added) -> str:
    if each.limit_ms is None:
        return ""
    return f", limit {each.limit_ms:.0f}: {'met' if each.met else 'not met'}"
