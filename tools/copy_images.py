"""Print how a stack's images get into its own registry: `python tools/copy_images.py STACK`.

For each image a command, which keeps its digest, and then what to write into the stack's file. Nothing is
copied: log in first (`aws ecr get-login-password | crane auth login --username AWS --password-stdin
<registry>`), and make the repositories (docs/aws.md). `crane` is go-containerregistry's.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.images import PLACEHOLDER_DIGEST, locked_images
from components.needed_images import ImagePath, every_image, field_of
from components.own_registry import PARTS, own_image, repository_of
from stacks.aws.target import Eks
from stacks.errors import InputError, Place
from stacks.reading import read_stack
from stacks.stack import Stack
from tools.console import say
from tools.environment import ROOT


def main(arguments: Sequence[str] | None = None, *, folder: Path = ROOT / "stacks") -> int:
    """Return 0 where every image can be copied, 1 where one cannot: all is printed all the same."""
    name = parser().parse_args(arguments).stack
    file = folder / f"Pulumi.{name}.yaml"
    try:
        stack = read_stack(file)
        check_target(stack, str(file))
    except InputError as error:
        say(f"error: {error}")
        return 1
    lines = list(commands(stack, name))
    print(*lines, "", *declarations(stack, name), sep="\n")
    return 1 if any(line.startswith("#") for line in lines) else 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("stack", help="name of a stack with target eks, e.g. regulated")
    return made


def check_target(stack: Stack, file: str) -> None:
    """Check that the stack has a registry of its own.

    Raises:
        InputError: its target is no AWS account.
    """
    if not isinstance(stack.target, Eks):
        raise Place(file, "target.kind").error(
            found=stack.target.kind,
            allowed="eks, whose account has a registry",
            remedy="name a stack that is deployed to AWS",
        )


def commands(stack: Stack, name: str) -> Iterator[str]:
    """Yield a command for each image, or a comment that says why there is none."""
    for path, image in every_image(stack).items():
        own, digest = own_image(stack, name, path), image.partition("@")[2]
        source, to = source_of(path, image, own), own.partition("@")[0]
        if f"@{digest}" == f"@{PLACEHOLDER_DIGEST}":
            yield f"# {field_of(path)}: python tools/pin_images.py {name} asks for its digest first"
        elif repository_of(source) == repository_of(to):
            yield f"# {field_of(path)}: {to} is its own copy already; nobody says where it came from"
        else:
            yield f"crane copy {repository_of(source)}@{digest} {to}"


def source_of(path: ImagePath, image: str, own: str) -> str:
    """Return where an image comes from: what is declared, of a copy the part's name in images.yaml."""
    return locked_images()[str(path[-1])] if image == own and path[0] == PARTS else image


def declarations(stack: Stack, name: str) -> Iterator[str]:
    """Yield what the stack's file says when the images are there."""
    parts = [path for path in every_image(stack) if path[0] == PARTS]
    yield f"# stacks/Pulumi.{name}.yaml, breakeven:stack:"
    yield f"{PARTS}:"
    for path in parts:
        yield f"  {path[-1]}: {own_image(stack, name, path)}"
    for path in every_image(stack):
        if path[0] != PARTS:
            yield f"# {field_of(path)}: {own_image(stack, name, path)}"


if __name__ == "__main__":
    sys.exit(main())
