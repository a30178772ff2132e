"""What the gate may not need: it runs in a second, anywhere, without Pulumi."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOREIGN = ("pulumi", "numpy", "polars", "genai_prices", "components", "requests")
PROGRAM = f"""
import sys
from gate.cli import main
import gate.decision
codes = [
    main(["check", "stacks/Pulumi.demo.yaml", "--as-of", "2026-11-21", "--format", "json"]),
    main(["explain", "stacks/Pulumi.demo-refused.yaml", "--as-of", "2026-11-21"]),
    main(["schema"]),
]
foreign = [name for name in {FOREIGN} if name in sys.modules]
sys.exit(f"imported: {{foreign}}" if foreign else f"exit codes: {{codes}}" if codes != [0, 1, 0] else 0)
"""


def test_the_gate_decides_without_pulumi_or_anything_heavy():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, f"import it where it is used: {result.stderr}"
