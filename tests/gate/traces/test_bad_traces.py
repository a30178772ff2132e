"""Bad trace files: each yields one message with file, field, found, allowed and remedy."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gate.traces import read_trace
from stacks.errors import InputError, Problem

HOURLY = "hour,requests,input_tokens,output_tokens"
HOURS = [f"{hour},10,{1000 + hour},100" for hour in range(30)]
PER_REQUEST = "TIMESTAMP,ContextTokens,GeneratedTokens"
REQUESTS = [f"2026-01-01 00:{minute:02}:30.1234567,90,10" for minute in range(40)]


def lines(header: str, rows: Sequence[str], **changed: str) -> str:
    """Return a file with some rows (row_5="...") written otherwise; an empty one is left out."""
    written = [changed.get(f"row_{index}", row) for index, row in enumerate(rows)]
    return "\n".join([header, *filter(None, written)]) + "\n"


def hours(**changed: str) -> str:
    return lines(HOURLY, HOURS, **changed)


def requests(**changed: str) -> str:
    return lines(PER_REQUEST, REQUESTS, **changed)


def problem_of(path: Path) -> Problem:
    with pytest.raises(InputError) as refusal:
        read_trace(path)
    (problem,) = refusal.value.problems
    return problem


BAD_FILES: dict[str, tuple[str | bytes, str, str]] = {
    # name: content, field, a part of what was found
    "empty": ("", "", "an empty file"),
    "an empty first line": ("\n" + hours(), "", "an empty first line"),
    "a header only": (HOURLY + "\n", "", "0 hours of load"),
    "two lines": (lines(HOURLY, HOURS[:2]), "", "2 hours of load"),
    "a day less an hour": (lines(HOURLY, HOURS[:23]), "", "23 hours of load"),
    "other columns": (lines("time,tokens", HOURS), "line 1", "the columns time, tokens"),
    "no header": (lines(HOURS[0], HOURS[1:]), "line 1", "the columns 0, 10, 1000, 100"),
    "semicolons": (hours().replace(",", ";"), "line 1", "hour;requests;input_tokens"),
    "UTF-16": (hours().encode("utf-16"), "", "bytes that are not UTF-8"),
    "UTF-16 without a mark": (hours().encode("utf-16-le"), "", "bytes that are not UTF-8"),
    "Latin-1 in the header": (f"hour\xe9,{hours()}".encode("latin-1"), "", "not UTF-8"),
    "Latin-1 in a row": (hours(row_5="5,10,1000\xe9,100").encode("latin-1"), "", "not UTF-8"),
    "compressed": (b"\x1f\x8b\x08\x00\xff\xfe", "", "bytes that are not UTF-8"),
    "carriage returns": (hours().replace("\n", "\r"), "line 1", "bare carriage return"),
    "a stray quote": (hours(row_5='5,"' + "x" * 200_000), "", "text that is no CSV"),
    "a NUL": (hours(row_5="5,10,10\0,100"), "line 7, input_tokens", "'10\\x00'"),
    "an hour twice": (hours(row_6=HOURS[5]), "line 8, hour", "hour 5 again"),
    "hours out of order": (hours(row_4=HOURS[5], row_5=HOURS[4]), "line 7, hour", "after hour 5"),
    "a fraction of an hour": (hours(row_5="5.5,10,1000,100"), "line 7, hour", "5.5"),
    "a negative hour": (hours(row_0="-1,10,1000,100"), "line 2, hour", "'-1'"),
    "an hour that is a time": (hours(row_29="1700000000,1,1,1"), "line 31, hour", "1700000000"),
    "a missing hour": (hours(row_5=""), "hour", "no row for hour 5"),
    "negative tokens": (hours(row_5="5,10,-1,100"), "line 7, input_tokens", "'-1'"),
    "NaN": (hours(row_5="5,10,1000,nan"), "line 7, output_tokens", "'nan'"),
    "infinity": (hours(row_5="5,10,inf,100"), "line 7, input_tokens", "'inf'"),
    "more tokens than there are": (
        hours(row_5="5,10,1e308,1e308"),
        "line 7, input_tokens",
        "1e308",
    ),
    "text": (hours(row_5="5,10,many,100"), "line 7, input_tokens", "'many'"),
    "no number": (hours(row_5="5,10,,100"), "line 7, input_tokens", "''"),
    "a row that ends early": (hours(row_5="5,10,1000"), "line 7, output_tokens", "nothing"),
    "a row that ends at once": (hours(row_5="5"), "line 7, input_tokens", "nothing"),
    "a thousands separator": (hours(row_5="5,10,1,000,100"), "line 7", "more values than"),
    "all zeros": (lines(HOURLY, [f"{hour},0,0,0" for hour in range(30)]), "", "no tokens"),
    "requests: a header only": (PER_REQUEST + "\n", "", "a header and no rows"),
    "requests: too short": (lines(PER_REQUEST, REQUESTS[:20]), "", "20 minutes of load"),
    "requests: no time": (requests(row_5=",90,10"), "TIMESTAMP", "nothing"),
    "requests: no such time": (requests(row_5="yesterday,90,10"), "TIMESTAMP", "'yesterday'"),
    "requests: a day first": (requests(row_5="13/01/2026 10:00,9,1"), "TIMESTAMP", "'13/01/2026"),
    "requests: Unix seconds": (requests(row_5="1767225600.5,9,1"), "TIMESTAMP", "'1767225600.5'"),
    "requests: a clock never set": (
        requests(row_5="1970-01-01 00:00,9,1"),
        "TIMESTAMP",
        "56 years",
    ),
    "requests: negative": (requests(row_5=REQUESTS[5].replace("90", "-90")), "", "`-90`"),
    "requests: text": (requests(row_5=REQUESTS[5].replace("90", "many")), "", "`many`"),
    "requests: a fraction": (requests(row_5=REQUESTS[5].replace("90", "9.5")), "", "`9.5`"),
    "requests: too many": (requests(row_5=REQUESTS[5].replace("90", "1" * 12)), "", "`1111"),
    "requests: no count": (requests(row_5=REQUESTS[5].replace("90", "")), "minute 20", "no token"),
    "requests: a row that ends early": (requests(row_5=REQUESTS[5][:30]), "minute 20", "no token"),
    "requests: a separator": (requests(row_5=REQUESTS[5] + ",1"), "", "more fields than defined"),
    "requests: an empty line": (requests(row_5=REQUESTS[5] + "\n"), "a row without", "no token"),
    "requests: all zeros": (requests().replace(",90,10", ",0,0"), "", "no tokens in any row"),
    "requests: zeros for a day": (
        f"{PER_REQUEST}\n2026-01-01 00:00,0,0\n2026-01-02 00:30,90,10\n",
        "",
        "no tokens in any row",
    ),
    "requests: Latin-1": (requests(row_5="\xe9,90,10").encode("latin-1"), "", "invalid utf-8"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_what_is_wrong_and_what_to_do(name: str, tmp_path: Path):
    content, field, found = BAD_FILES[name]
    path = tmp_path / "trace.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    problem = problem_of(path)

    assert problem.file == str(path)
    assert problem.field.startswith(field), f"{problem}: the field should begin with {field!r}"
    assert found in problem.found, f"{problem}: should say that {found!r} was found"
    assert problem.allowed, "say what is allowed"
    assert problem.remedy, "say what to do"
    assert len(str(problem)) < 700, "one line that can be read"
    assert "\n" not in str(problem), "one line that can be read"


def test_a_directory_is_refused(tmp_path: Path):
    assert problem_of(tmp_path).found == "a directory"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("absent.csv", "no such file or directory"),
        ("x" * 300, "file name too long"),
        ("nul\0.csv", "a path that cannot exist"),
        ("trace.csv/below", "not a directory"),
    ],
    ids=["absent", "too long", "with a NUL", "below a file"],
)
def test_a_path_that_cannot_be_read_is_refused(name: str, found: str, tmp_path: Path):
    (tmp_path / "trace.csv").write_text(hours(), encoding="utf-8")

    assert problem_of(tmp_path / name).found == found


def test_the_files_that_the_bad_ones_are_made_from_are_good(tmp_path: Path):
    (tmp_path / "hourly.csv").write_text(hours(), encoding="utf-8")
    (tmp_path / "requests.csv").write_text(requests(), encoding="utf-8")

    assert len(read_trace(tmp_path / "hourly.csv").tokens) == 30
    assert len(read_trace(tmp_path / "requests.csv").tokens) == 40
