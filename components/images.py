"""The image of each part, by digest: the stack's own, or that of components/images.yaml."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from stacks.errors import InputError, Place, Problem
from stacks.target import Render, Target

PLACEHOLDER_DIGEST: Final = "sha256:" + 64 * "0"
LOCK: Final = Path(__file__).with_name("images.yaml")

Images = Mapping[str, str]
"""Image by digest of each part, by its name in images.yaml."""


@cache
def locked_images() -> Images:
    """Return the images of images.yaml; one without a digest has the placeholder of zeros."""
    entries = yaml.safe_load(LOCK.read_text(encoding="utf-8"))
    return {
        name: f"{e['repository']}:{e['tag']}@{e.get('digest', PLACEHOLDER_DIGEST)}"
        for name, e in entries.items()
    }


def stack_images(declared: Images, needed: frozenset[str], target: Target, *, file: str) -> Images:
    """Return the images of a stack; `needed` are those that it deploys.

    Raises:
        InputError: the stack names an image that no part has, or a needed one has no digest yet
            and the target is live; all of them at once.
    """
    known, place = locked_images(), Place(file, "images")
    unknown = [
        place.at(name).problem(
            found="an unknown name", allowed=", ".join(known), remedy="name a part of images.yaml"
        )
        for name in declared
        if name not in known
    ]
    images = {**known, **{name: image for name, image in declared.items() if name in known}}
    unpinned = [
        problem
        for name in sorted(needed)
        if (problem := placeholder_problem(images[name], place.at(name), target))
    ]
    if problems := [*unknown, *unpinned]:
        raise InputError(*problems)
    return images


def placeholder_problem(image: str, place: Place, target: Target) -> Problem | None:
    """Return what is wrong with an image that has no digest yet; None on a target that only renders."""
    if not image.endswith(PLACEHOLDER_DIGEST) or isinstance(target, Render):
        return None
    name = image.partition("@")[0]
    return place.problem(
        found=f"{name} with a placeholder for its digest",
        allowed="the digest that your registry serves",
        remedy="python tools/pin_images.py STACK asks for it and writes it down; by hand: "
        f"docker buildx imagetools inspect {name}",
    )
