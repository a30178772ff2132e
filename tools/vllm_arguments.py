"""Write components/engine/vllm_arguments.json: every `vllm serve` argument of the pinned vLLM wheel.

The list comes from the wheel's own argument parser, never from its documentation. The parser needs
torch and compiled kernels to be imported, but no GPU: tools/vllm_on_cpu.py.

    python tools/vllm_arguments.py            write the list
    python tools/vllm_arguments.py --check    compare; exit code 1 when the list is out of date
"""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.console import SetupError, run
from tools.environment import ROOT
from tools.vllm_on_cpu import Vllm, pinned, vllm_on_cpu

LIST = ROOT / "components" / "engine" / "vllm_arguments.json"
READER = Path(__file__).with_name("vllm_parser.py").resolve()
REFRESH = "python tools/vllm_arguments.py"


def main(argv: Sequence[str]) -> int:
    """Return the exit code: 0 written or current, 1 out of date, 2 the list could not be made."""
    parser = argparse.ArgumentParser(description="List every argument of the pinned `vllm serve`.")
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    check = parser.parse_args(argv).check
    try:
        made = made_list(pinned().version)
    except (SetupError, OSError) as error:
        print(f"tools/vllm_arguments.py: {error}", file=sys.stderr)
        return 2
    return compare(made, checked_in()) if check else write(made, checked_in())


def checked_in() -> dict[str, Any]:
    """Return the checked-in list, or an empty one where there is none that can be read."""
    try:
        return dict(json.loads(LIST.read_text()))
    except (OSError, ValueError):
        return {}


def write(made: dict[str, Any], before: dict[str, Any]) -> int:
    """Write the list; the date moves only when something else did."""
    if before.get("made") and made == before | {"made": made["made"]}:
        made["made"] = before["made"]
    LIST.write_text(rendered(made))
    say(
        f"wrote {LIST.relative_to(ROOT)}: {len(made['arguments'])} arguments of vllm {made['vllm']}"
    )
    return 0


def compare(made: dict[str, Any], before: dict[str, Any]) -> int:
    """Return 0 when the checked-in list is what the wheel says, dates aside; else say what is not."""
    if made == before | {"made": made["made"]}:
        say(f"{LIST.relative_to(ROOT)} is current: vllm {made['vllm']}")
        return 0
    old, new = ({a["flags"][0]: a for a in text.get("arguments", [])} for text in (before, made))
    flags = [flag for flag in sorted({*old, *new}) if old.get(flag) != new.get(flag)]
    heads = [key for key in made if key != "made" and made[key] != before.get(key)]
    print(
        f"{LIST.relative_to(ROOT)} is out of date: {', '.join(heads)} differ"
        f"{' at ' if flags else ''}{' '.join(flags[:5])}{' and more' if flags[5:] else ''}. "
        f"Refresh it with: {REFRESH}",
        file=sys.stderr,
    )
    return 1


def rendered(made: dict[str, Any]) -> str:
    """Return the list as JSON with one argument, or one environment variable, a line."""
    parts = []
    for key, value in made.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f" {json.dumps(line)}" for line in value) + "\n]"
        parts.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def made_list(version: str) -> dict[str, Any]:
    """Return the list for `version`, from the wheel of that version."""
    vllm = vllm_on_cpu(version)
    wheel = json.loads((vllm.overlay / "wheel.json").read_text())
    contents = read_by_parser(vllm)
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return {"vllm": version, **wheel, "made": today, **contents}


def read_by_parser(vllm: Vllm) -> dict[str, Any]:
    """Return what the parser of the overlay says, with nothing of the caller's environment in it."""
    result = vllm.overlay / "arguments.json"
    run(
        "reading the parser, about half a minute",
        [vllm.python, READER, result],
        cwd=ROOT,
        env=vllm.environment(home=vllm.overlay),
        remedy=f"See what vllm {vllm.version} changed, and {READER.name}.",
    )
    return dict(json.loads(result.read_text()))


def say(line: str) -> None:
    """Print a line of progress at once."""
    print(f"vllm-arguments: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
