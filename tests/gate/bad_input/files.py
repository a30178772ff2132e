"""Load traces and measurements that cannot be used."""

import json

from tests.gate.bad_input import LOAD, Wrong

HEADER = "hour,requests,input_tokens,output_tokens\n"
ROWS = [f"{hour},1,{100 + hour},10\n" for hour in range(48)]
EVIDENCE = {
    "kind": "prometheus",
    "query": "sum(rate(vllm:prompt_tokens_total[7d]))",
    "window_start": "2026-11-10",
    "window_end": "2026-11-17",
    "tokens_served": 1e10,
    "replica_hours": 336,
    "saturated_tokens_per_second": 27_159,
}


def trace(
    what: str,
    field: str,
    found: str,
    *rows: str,
    header: str = HEADER,
    allowed: str = "",
    remedy: str = "",
) -> Wrong:
    return Wrong(what, field, found, trace=header + "".join(rows), allowed=allowed, remedy=remedy)


def evidence(what: str, field: str, found: str, **changes: object) -> Wrong:
    return Wrong(what, field, found, evidence=json.dumps(EVIDENCE | changes))


TRACES = (
    trace("a trace with holes", "hour", "no row for hour 10, 11", *ROWS[:10], *ROWS[12:],
          remedy="missing_hours: exclude (unknown) or zero (idle)"),
    trace("an hour twice", "line 12, hour", "hour 9 again", *ROWS[:10], *ROWS[9:]),
    trace("hours out of order", "line 3, hour", "hour 46 after hour 47", *reversed(ROWS)),
    trace("a trace of two lines", "", "1 hours of load", ROWS[0], allowed="24 hours or more"),
    trace("a header alone", "", "0 hours of load"),
    trace("other columns", "line 1", "the columns a, b", "1,2\n", header="a,b\n",
          allowed="hour,requests,input_tokens,output_tokens"),
    trace("a negative load", "line 26, input_tokens", "'-5'", *ROWS[:24], "24,1,-5,0\n"),
    trace("a load that is no number", "line 26, output_tokens", "'nan'", *ROWS[:24],
          "24,1,5,nan\n"),
    trace("thousands separators", "line 2", "more values than", "0,1,1,000,10\n"),
    trace("hours without load", "", "no tokens in any row", *(f"{h},0,0,0\n" for h in range(24))),
    Wrong("an empty trace", "", "an empty file", trace=b""),
    Wrong("a trace in Latin-1", "", "not UTF-8", trace=HEADER.encode() + b"0,\xe9,1,1\n"),
    Wrong("a trace in UTF-16", "", "not UTF-8", trace=HEADER.encode("utf-16"), remedy="iconv"),
)  # fmt: skip

MEASUREMENTS = (
    Wrong("a measurement that is no JSON", "", "no JSON", evidence="tokens: 5"),
    Wrong("an empty measurement", "", "no JSON", evidence=b"", allowed="docs/model.md#measured"),
    Wrong("a measurement as a list", "", "a list of 1", evidence="[1]"),
    evidence("a window that ends first", "window_end", "2026-11-01", window_end="2026-11-01"),
    evidence("a source of one's own", "kind", "'datadog'", kind="datadog"),
    evidence("replicas that were never up", "replica_hours", "0", replica_hours=0),
    evidence("tokens that are no number", "tokens_served", "nan", tokens_served=float("nan")),
)


def stated(what: str, field: str, found: str, **changes: object) -> Wrong:
    """A measurement that can be read, and makes judging impossible."""
    content = json.dumps(EVIDENCE | changes)
    return Wrong(what, LOAD + field, found, evidence=content, remedy=" ")


JUDGED = (
    stated("a utilization above 1", ".evidence", "of saturation", tokens_served=1e12),
    stated("a measurement of next week", ".evidence", "a day in the future", window_end="2026-11-28"),
    stated("a measurement of last year", ".evidence", "2025-11-17",
           window_start="2025-11-10", window_end="2025-11-17"),
)  # fmt: skip

ON_DISK = (*TRACES, *MEASUREMENTS, *JUDGED)
