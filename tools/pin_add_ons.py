"""Write the versions of EKS add-ons into components/aws/add_ons.yaml: `python tools/pin_add_ons.py 1.36`.

Asks AWS, through the `aws` program and whoever it is logged in as, which version of each add-on is the
default one for a Kubernetes version. A version that is known is left as it is. All answers are there
before the file is written, once; the change is shown.

Only a stand-in for `aws` was asked where this was written.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.aws.add_ons import ADD_ONS, LOCK, parse_lock
from tools.console import SetupError, say
from tools.pin_images import settle

ASKED_S = 60
"""A call takes seconds; one that does not end has no way to AWS."""

Ask = Callable[[str, str], str]
"""Answer of AWS about an add-on, by its name and the Kubernetes version, as JSON text."""


def main(
    arguments: Sequence[str] | None = None,
    *,
    file: Path = LOCK,
    ask: Ask | None = None,
    today: date | None = None,
) -> int:
    """Return 0 where every add-on has its version now, 1 where one has none (`--check`: yet)."""
    asked = parser().parse_args(arguments)
    before = file.read_text(encoding="utf-8")
    known = {} if asked.renew else parse_lock(before).get(asked.version, {})
    try:
        found = versions(asked.version, known, ask or asks_aws(asked.region))
    except SetupError as error:
        say(f"error: {error}")
        return 1
    day = today or datetime.now(tz=UTC).date()
    after = before if found == known else edited(before, asked.version, found, day)
    if after == before:
        say("every add-on has its version")
    return settle(file, before, after, check=asked.check, wrote=f"{len(found)} versions")


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("version", help="Kubernetes version, e.g. 1.36")
    made.add_argument("--region", help="left out, the one that `aws` is set up for")
    made.add_argument(
        "--check", action="store_true", help="write nothing; 1 if a version is missing"
    )
    made.add_argument("--renew", action="store_true", help="ask for known versions as well")
    return made


def versions(minor: str, known: Mapping[str, str], ask: Ask) -> dict[str, str]:
    """Return the version of each add-on: the known one, else the default one of AWS.

    Raises:
        SetupError: AWS cannot be asked, or names no default version.
    """
    return {
        name: known.get(name) or default_version(ask(name, minor), name, minor) for name in ADD_ONS
    }


def default_version(answer: str, name: str, minor: str) -> str:
    """Return the version that AWS takes where none is asked for.

    Raises:
        SetupError: there is none.
    """
    for add_on in _read(answer, name)["addons"]:
        for each in add_on["addonVersions"]:
            if any(
                fits["clusterVersion"] == minor and fits["defaultVersion"]
                for fits in each["compatibilities"]
            ):
                return str(each["addonVersion"])
    msg = f"AWS has no default version of {name} for Kubernetes {minor}: is there such a version?"
    raise SetupError(msg)


def _read(answer: str, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(answer)
    except ValueError:
        msg = f"the answer about {name} is not JSON: {answer[:200]!r}"
        raise SetupError(msg) from None
    return found


def asks_aws(region: str | None) -> Ask:
    """Return what asks AWS through its command line."""

    def ask(name: str, minor: str) -> str:
        program = shutil.which("aws")
        if program is None:
            msg = "there is no `aws` on PATH; install the AWS CLI, version 2, and log in"
            raise SetupError(msg)
        command = [program, "eks", "describe-addon-versions", "--output", "json"]
        command += ["--kubernetes-version", minor, "--addon-name", name]
        command += ["--region", region] if region else []
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, timeout=ASKED_S
            )
        except subprocess.TimeoutExpired:
            msg = (
                f"`{' '.join(command[1:])}` did not end within {ASKED_S} s; is there a way to AWS?"
            )
            raise SetupError(msg) from None
        if done.returncode:
            msg = f"`aws {' '.join(command[1:])}` failed: {done.stderr.strip()}"
            raise SetupError(msg)
        return done.stdout

    return ask


def edited(text: str, minor: str, found: Mapping[str, str], day: date) -> str:
    """Return the file's text with these versions; its comment stays."""
    comment = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    entries: dict[str, Any] = yaml.safe_load(text)
    entries[minor] = {"checked": day.isoformat(), "versions": dict(found)}
    return comment + yaml.safe_dump(entries, sort_keys=False)


if __name__ == "__main__":
    sys.exit(main())
