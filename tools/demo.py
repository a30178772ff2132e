"""Show the whole way on this machine: one stack is written out as manifests, one is refused.

State, manifests and, without a login, the CLI's own folder stay inside this folder; no cloud
account, cluster or GPU is touched.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import local_pulumi
from tools.bootstrap import directories
from tools.console import SetupError
from tools.environment import ROOT

ALLOWED, REFUSED = "demo", "demo-refused"
MANIFESTS = ROOT / "out" / ALLOWED
DAY = "2026-11-21"
"""The day the demo is judged on: its prices were current then, and an old checkout still shows a
decision instead of stale prices. Your own stacks are judged as of today."""
REASONS = ("refused", "would change")
"""What the output of a refusal says when it is the decision that refuses, and not an accident."""


def main() -> int:
    """Return 0 if the one stack was deployed and the other refused for the right reason."""
    try:
        day = {"BREAKEVEN_AS_OF": os.environ.get("BREAKEVEN_AS_OF", DAY)}
        announce(f"judged as of {day['BREAKEVEN_AS_OF']}, the day the demo's prices were current")
        environment = local_pulumi.environment(directories("demo")) | day
        for stack in (ALLOWED, REFUSED):
            make_stack(stack, environment)
        deploy_allowed(environment)
        attempt_refused(environment)
    except SetupError as error:
        announce(f"the demo failed: {error}")
        return 1
    announce("the demo is complete: one stack deployed, one refused before its first resource")
    return 0


def make_stack(stack: str, environment: Mapping[str, str]) -> None:
    """Make the stack in the local state if it is not there."""
    declared = ROOT / "stacks" / f"Pulumi.{stack}.yaml"
    # Without its salt, the CLI would write one into the file and lay the rest out anew.
    if not declared.is_file() or "\nencryptionsalt: " not in "\n" + declared.read_text():
        msg = (
            f"{declared.relative_to(ROOT)} is missing or has no `encryptionsalt`. Restore it from "
            'version control; for a new one, run `PULUMI_CONFIG_PASSPHRASE="" pulumi stack init`.'
        )
        raise SetupError(msg)
    if pulumi(["stack", "--stack", stack], environment, quiet=True)[0] == 0:
        return
    code, output = pulumi(["stack", "init", stack, "--no-select"], environment, quiet=True)
    if code:
        msg = f"`pulumi stack init {stack}` failed with exit code {code}\n{output}"
        raise SetupError(msg)


def deploy_allowed(environment: Mapping[str, str]) -> None:
    """Preview and deploy the stack whose numbers are sound."""
    if not MANIFESTS.is_dir():
        # Nothing to update: state that remembers manifests which were deleted would write none.
        forget = ["stack", "rm", ALLOWED, "--force", "--yes", "--preserve-config"]
        pulumi(forget, environment, quiet=True)
        make_stack(ALLOWED, environment)
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        announce(f"pulumi {' '.join(command)} --stack {ALLOWED}")
        code, _ = pulumi([*command, "--stack", ALLOWED], environment)
        if code:
            msg = f"`pulumi {command[0]}` of {ALLOWED} failed with exit code {code}; it should pass"
            raise SetupError(msg)
    files = sorted(path for path in MANIFESTS.rglob("*") if path.is_file())
    if not files:
        msg = f"`pulumi up` of {ALLOWED} passed but wrote nothing to {MANIFESTS.relative_to(ROOT)}/"
        raise SetupError(msg)
    announce(f"manifests in {MANIFESTS.relative_to(ROOT)}/: {len(files)}")
    for path in files:
        print(f"  {path.relative_to(MANIFESTS)}")


def attempt_refused(environment: Mapping[str, str]) -> None:
    """Try to deploy the stack that never breaks even; without a preview, so `up` itself refuses."""
    command = ["up", "--yes", "--skip-preview", "--stack", REFUSED]
    announce(f"pulumi {' '.join(command)}  (this one must be refused)")
    code, output = pulumi(command, environment)
    if code == 0:
        msg = f"`pulumi up` of {REFUSED} was not refused; see stacks/Pulumi.{REFUSED}.yaml"
        raise SetupError(msg)
    if absent := [reason for reason in REASONS if reason not in output]:
        msg = f"`pulumi up` of {REFUSED} failed, but not by our decision: its output lacks {absent}"
        raise SetupError(msg)


def pulumi(
    arguments: list[str], environment: Mapping[str, str], *, quiet: bool = False
) -> tuple[int, str]:
    """Run the CLI, pass its output through as it comes unless quiet, return code and output."""
    colour = "always" if sys.stdout.isatty() and not quiet else "never"
    command = ["pulumi", *arguments, "--non-interactive", "--color", colour]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            if not quiet:
                print(line, end="", flush=True)
    return process.returncode, "".join(lines)


def announce(text: str) -> None:
    """Print a heading between two runs."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped; `make demo` starts over, local state is in .pulumi/")
