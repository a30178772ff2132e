"""The gate's share of a `pulumi preview` of the demo stack, imports included.

    python bench/preview_share.py [--rounds 10]

Each round runs a real preview of a copy of the program, and then a fresh interpreter that imports
what the program needs anyway (pulumi, its Kubernetes SDK) and is timed from there: importing the
gate and the stacks, reading the stack, deciding, and writing report and record.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.engine.declared import new_project  # noqa: E402 - a script sees its own folder only
from tests.engine.pulumi_cli import PulumiProject  # noqa: E402
from tools.bootstrap import search_path  # noqa: E402

LIMIT = 0.10
"""Of the wall time of a preview; the limit that the project has set itself."""
GATE_ALONE = """\
import os, sys, time
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
import yaml, pulumi, pulumi_kubernetes.apps.v1, pulumi_kubernetes.core.v1, pulumi_kubernetes.policy.v1
declared = yaml.safe_load(open("stacks/Pulumi.demo.yaml"))["config"]["breakeven:stack"]
start = time.perf_counter()
from pathlib import Path
from gate.clock import as_of_day
from gate.decision import decide
from gate.record import record, summary
from gate.report.text import text
from gate.standing import standing
from stacks.reading import parse_stack
stack = parse_stack(declared, file="stacks/Pulumi.demo.yaml")
decision = decide(stack, file="stacks/Pulumi.demo.yaml", folder=Path("stacks"), as_of=as_of_day())
standing(decision, None), text(decision), record(decision), summary(decision)
print(time.perf_counter() - start)
"""


def preview_seconds(project: PulumiProject) -> float:
    """Return the wall time of one preview."""
    start = time.perf_counter()
    project.preview("demo").expect()
    return time.perf_counter() - start


def gate_seconds(project: PulumiProject) -> float:
    """Return what the gate takes of a program's process."""
    ran = subprocess.run(
        [sys.executable, "-c", GATE_ALONE],
        cwd=project.directory,
        env=project.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(ran.stdout)


def main() -> None:
    """Print the medians, and the gate's share round by round."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    path = search_path("demo")
    with tempfile.TemporaryDirectory() as folder:
        project = new_project(Path(folder), path)
        del project.environment["PYTHONDONTWRITEBYTECODE"]  # a reader's second preview is compiled
        project.init("demo")
        # The first round warms the file cache and is not counted.
        taken = [(preview_seconds(project), gate_seconds(project)) for _ in range(rounds + 1)][1:]
    shares = [gate / preview for preview, gate in taken]
    print(f"pulumi preview   {statistics.median(preview for preview, _ in taken) * 1000:6.0f} ms")
    print(f"of that the gate {statistics.median(gate for _, gate in taken) * 1000:6.0f} ms")
    print(
        f"share            {statistics.median(shares):6.1%}  from {min(shares):.1%} to {max(shares):.1%}"
    )
    print(f"{rounds} rounds; limit {LIMIT:.0%}")


if __name__ == "__main__":
    main()
