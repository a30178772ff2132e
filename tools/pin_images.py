"""Write the digests of a stack's images into its file: `python tools/pin_images.py STACK`.

Asks each image's registry what is behind its tag, without a login, and pulls nothing. Images of the
models change in place; those of the other parts go under `images`. A digest that is known is left as
it is. All answers are there before the file is written, once; the change is shown.

Only a stand-in registry was asked where this was written, none of the real ones.
"""

import argparse
import difflib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.images import PLACEHOLDER_DIGEST
from components.needed_images import every_image, field_of
from stacks.errors import InputError, Place, Problem
from stacks.reading import read_stack
from tools import stack_text
from tools.console import say
from tools.environment import ROOT
from tools.registry import Registries, RegistryError, tag_of

AT_ONCE = 4
"""Registries' limits are for clients that ask more at a time."""


def main(
    arguments: Sequence[str] | None = None,
    *,
    folder: Path = ROOT / "stacks",
    registries: Registries | None = None,
) -> int:
    """Return 0 where every image has its digest now, 1 where one has none (`--check`: yet)."""
    asked = parser().parse_args(arguments)
    file = folder / f"Pulumi.{asked.stack}.yaml"
    try:
        images = every_image(read_stack(file))
        before = file.read_bytes().decode()
        found = digests(str(file), images, registries or Registries(), renew=asked.renew)
        after = edited(before, found, str(file))
    except InputError as error:
        say(f"error: {error}")
        return 1
    if after == before:
        say("every image has its digest")
    return settle(file, before, after, check=asked.check, wrote=f"{len(found)} digests")


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("stack", help="name of a stack, e.g. local")
    made.add_argument(
        "--check", action="store_true", help="write nothing; 1 if a digest is missing"
    )
    made.add_argument("--renew", action="store_true", help="ask for known digests as well")
    return made


def digests(
    file: str, images: Mapping[stack_text.Path, str], registries: Registries, *, renew: bool
) -> dict[stack_text.Path, str]:
    """Return the images that change, with the digests that registries serve.

    Raises:
        InputError: a registry does not say one; all of them at once.
    """
    asked = {image for image in images.values() if renew or image.endswith(PLACEHOLDER_DIGEST)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(pool.map(lambda image: (image, answer(image, registries)), asked))
    problems = [
        problem(Place(file, field_of(path)), image, said)
        for path, image in images.items()
        if isinstance(said := answers.get(image), RegistryError)
    ]
    if problems:
        raise InputError(*problems)
    return {
        path: str(said)
        for path, image in images.items()
        if (said := answers.get(image, image)) != image
    }


def answer(image: str, registries: Registries) -> str | RegistryError:
    """Return the image by the digest that its registry serves; one of its own stays without a tag."""
    tag, (name, _, digest) = tag_of(image), image.partition("@")
    if tag is None:
        known = f"@{digest}" != f"@{PLACEHOLDER_DIGEST}"
        return image if known else RegistryError(f"{name}, which names no tag to ask for")
    try:
        return f"{name}@{registries.digest(tag)}"
    except RegistryError as error:
        return error


def problem(place: Place, image: str, error: RegistryError) -> Problem:
    """Return what is said of an image whose digest nobody gave."""
    name = image.partition("@")[0]
    return place.problem(
        found=str(error),
        allowed="a tag that its registry serves to everybody",
        remedy="name an image that is there, or write its digest by hand: "
        f"docker buildx imagetools inspect {name}",
    )


def edited(text: str, images: Mapping[stack_text.Path, str], file: str) -> str:
    """Return the file's text with these images.

    Raises:
        InputError: they cannot be put into it as text.
    """
    try:
        return stack_text.with_images(text, images) if images else text
    except stack_text.LayoutError:
        by_hand = ", ".join(f"{field_of(path)}: {image}" for path, image in images.items())
        raise Place(file, "images").error(
            found="a layout that cannot be edited line by line",
            allowed="one image on a line, without anchors",
            remedy=f"write them by hand: {by_hand}",
        ) from None


def settle(file: Path, before: str, after: str, *, check: bool, wrote: str) -> int:
    """Show what changes and, unless it is only to be checked, write it; return the exit code."""
    print(difference(before, after, str(file)), end="")
    if after == before:
        return 0
    if check:
        return 1
    write(file, after)
    say(f"wrote {wrote} to {file}")
    return 0


def difference(before: str, after: str, file: str) -> str:
    """Return the change as a unified diff; empty where there is none."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, fromfile=file, tofile=file))


def write(file: Path, text: str) -> None:
    """Replace the file in one step: whoever reads it sees the old one or the new one."""
    real = file.resolve()
    with tempfile.NamedTemporaryFile("wb", dir=real.parent, delete=False) as new:
        try:
            new.write(text.encode())
            new.close()
            shutil.copymode(real, new.name)
            os.replace(new.name, real)  # noqa: PTH105 - one call, both systems
        except BaseException:  # Ctrl-C too: no second file stays beside the first
            Path(new.name).unlink()
            raise


if __name__ == "__main__":
    sys.exit(main())
