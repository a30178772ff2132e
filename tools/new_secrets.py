"""Make the secrets that a stack needs and does not have: `python tools/new_secrets.py STACK`.

Each is random and set with `pulumi config set --secret`, so that it lies encrypted in the stack's file.
One that is there is never touched. Those that somebody else gives out are listed at the end.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import yaml

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.secrets import Needed, needed_secrets
from stacks.errors import InputError
from stacks.reading import PROJECT, read_stack
from tools.console import SetupError, say
from tools.environment import ROOT

KEY = f"{PROJECT}:secrets"


def main() -> int:
    """Return 0 where the stack has all its secrets now, 1 where some must be set by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stack", help="name of a stack, e.g. local")
    stack = parser.parse_args().stack
    try:
        file = ROOT / "stacks" / f"Pulumi.{stack}.yaml"
        needs, there = needed_secrets(read_stack(file)), names_set(file)
        missing = [needed for needed in needs if needed.name not in there]
        for needed in missing:
            if needed.make:
                set_secret(stack, needed, needed.make())
                say(f"made {needed.name}: {needed.purpose}")
    except (InputError, SetupError) as error:
        say(f"error: {error}")
        return 1
    by_hand = [needed for needed in missing if not needed.make]
    for needed in by_hand:
        path = f"{KEY}.{needed.name}"
        say(f"set by hand ({needed.purpose}): pulumi config set --secret --path {path}")
    return 1 if by_hand else 0


def names_set(path: Path) -> set[str]:
    """Return the names of the secrets that a stack file has; no value is decrypted."""
    config = yaml.safe_load(path.read_text(encoding="utf-8")).get("config", {})
    return set(config.get(KEY) or {})


def set_secret(stack: str, needed: Needed, value: str) -> None:
    """Set one secret; the value goes by standard input, where no list of processes shows it."""
    pulumi(["config", "set", "--secret", "--path", f"{KEY}.{needed.name}"], stack, value)


def pulumi(arguments: list[str], stack: str, value: str | None = None) -> str:
    """Return what the CLI prints; raise SetupError with its complaint where it fails."""
    command = ["pulumi", *arguments, "--stack", stack, "--non-interactive", "--color=never"]
    try:
        ran = subprocess.run(
            command, cwd=ROOT, input=value, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        msg = "pulumi is not on PATH: see README, first deploy"
        raise SetupError(msg) from None
    if ran.returncode:
        msg = f"`pulumi {' '.join(arguments)}` failed: {ran.stderr.strip()}"
        raise SetupError(msg)
    return ran.stdout


if __name__ == "__main__":
    sys.exit(main())
