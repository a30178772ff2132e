"""How fast a per-request trace loads, beside the bare CSV readers that hold all of it in memory.

Usage: python bench/trace_loading.py [--rows 10000000] [--rounds 5]

The readers take turns, each in a fresh process that has imported its library before the clock starts.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SAMPLE: Final = ROOT / "tests/traces/azure-2023-conversation-1-in-32.csv"
KEPT_OF: Final = 32
"""The sample holds one request of so many: each is written so often, which restores the traffic."""
GATE: Final = "gate.traces.read_trace"
LEAST_SPEED: Final = 0.8
"""Of the speed of the faster peer; the limit that the project has set itself."""
SAMPLING_S: Final = 0.005


def read_with_gate(path: Path) -> Callable[[], Any]:
    """Return the call that is timed: the load of each hour."""
    sys.path.insert(0, str(ROOT))
    import polars as pl  # noqa: PLC0415 - before the clock starts

    from gate.traces import read_trace  # noqa: PLC0415

    del pl
    return lambda: read_trace(path)


def read_with_polars(path: Path) -> Callable[[], Any]:
    """Return the call that is timed: a frame with all rows."""
    import polars as pl  # noqa: PLC0415

    return lambda: pl.read_csv(path)


def read_with_pyarrow(path: Path) -> Callable[[], Any]:
    """Return the call that is timed: a table with all rows."""
    from pyarrow import csv  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415

    return lambda: csv.read_csv(path)


READERS: Final = {
    GATE: read_with_gate,
    "polars.read_csv": read_with_polars,
    "pyarrow.csv.read_csv": read_with_pyarrow,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the file, let the readers take turns, print medians, ratio and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--read", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.read:
        print(json.dumps(timed(READERS[options.read[0]], Path(options.read[1]))))
        return
    readers = [name for name in READERS if installed(name)]
    with tempfile.TemporaryDirectory() as folder:
        compare_speed(readers, Path(folder), rows=options.rows, rounds=options.rounds)
        compare_memory(readers, Path(folder), rows=options.rows)


def installed(reader: str) -> bool:
    """Return whether the library is here, and say so where it is not."""
    library = reader.partition(".")[0]
    found = importlib.util.find_spec(library) is not None if library != "gate" else True
    if not found:
        print(f"{library} is not installed: pip install -r bench/requirements.txt")
    return found


def write_trace(path: Path, *, rows: int) -> None:
    """Write the sample's hour again and again, each time an hour later."""
    header, *requests = SAMPLE.read_text(encoding="utf-8").splitlines()
    start = datetime.fromisoformat(requests[0][:26])
    hour = [after(start, request) for request in requests for _ in range(KEPT_OF)]
    moment = datetime(2026, 1, 1, tzinfo=start.tzinfo)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{header}\n")
        for written in range(0, rows, len(hour)):
            date_and_hour = f"{moment:%Y-%m-%d %H}"
            file.writelines(date_and_hour + request for request in hour[: rows - written])
            moment += timedelta(hours=1)


def after(start: datetime, request: str) -> str:
    """Return the row from its minute on, counted from the sample's start."""
    timestamp, _, tokens = request.partition(",")
    seconds = (datetime.fromisoformat(timestamp[:26]) - start).total_seconds()
    return f":{int(seconds // 60):02}:{seconds % 60:010.7f},{tokens}\n"


def compare_speed(readers: Sequence[str], folder: Path, *, rows: int, rounds: int) -> None:
    """Print the median seconds of each reader, and the ratio to the faster peer."""
    path = folder / "trace.csv"
    write_trace(path, rows=rows)
    print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB; medians of {rounds} rounds")
    turns = [{name: measure(name, path) for name in readers} for _ in range(rounds)]
    medians = {name: statistics.median(turn[name]["seconds"] for turn in turns) for name in readers}
    for name, seconds in medians.items():
        spread = sorted(turn[name]["seconds"] for turn in turns)
        print(f"  {name:<22}{seconds:7.2f} s  ({spread[0]:.2f} to {spread[-1]:.2f})")
    peers = {name: seconds for name, seconds in medians.items() if name != GATE}
    fastest = min(peers, key=lambda name: peers[name])
    speed = peers[fastest] / medians[GATE]
    print(f"  {GATE} runs at {speed:.2f} x the speed of {fastest} (limit: {LEAST_SPEED} or more)")


def compare_memory(readers: Sequence[str], folder: Path, *, rows: int) -> None:
    """Print the peak memory of each reader with these rows and with twice as many."""
    double = folder / "double.csv"
    write_trace(double, rows=2 * rows)
    print("peak memory, MB: anonymous (the process's own) and resident (with pages of the file)")
    for name in readers:
        once, twice = (measure(name, path) for path in (folder / "trace.csv", double))
        print(
            f"  {name:<22}{rows:>12,} rows: {once['anonymous_mb']:6,.0f} {once['resident_mb']:6,.0f}"
            f"   {2 * rows:>12,} rows: {twice['anonymous_mb']:6,.0f} {twice['resident_mb']:6,.0f}"
        )


def timed(reader: Callable[[Path], Callable[[], Any]], path: Path) -> dict[str, float]:
    """Return the seconds of one read and the peak of resident memory; runs in a process of its own."""
    import resource  # noqa: PLC0415 - not on Windows

    read = reader(path)
    start = time.perf_counter()
    result = read()
    seconds = time.perf_counter() - start
    del result
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "resident_mb": peak_kib * 1024 / 1e6}


def measure(reader: str, path: Path) -> dict[str, float]:
    """Run `timed` in a fresh process and watch its anonymous memory from outside."""
    command = [sys.executable, __file__, "--read", reader, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        anonymous = 0.0
        while process.poll() is None:
            anonymous = max(anonymous, anonymous_mb(process.pid))
            time.sleep(SAMPLING_S)
        output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        sys.exit(f"{reader} failed on {path}")
    result: dict[str, float] = json.loads(output)
    return {**result, "anonymous_mb": anonymous}


def anonymous_mb(pid: int) -> float:
    """Return what the process holds that is no page of a file (Linux), else 0."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(sizes[0]) * 1024 / 1e6 if sizes else 0.0


if __name__ == "__main__":
    main()
