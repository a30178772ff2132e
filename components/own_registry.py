"""Images in the registry of the stack's own account: what must lie there, and under which names. Pure."""

from typing import Final

from components.aws.names import cluster_name
from components.needed_images import ImagePath, every_image, field_of
from stacks.aws.target import Eks, NoEgress
from stacks.errors import Place, Problem
from stacks.stack import Stack

PARTS: Final = "images"
"""Field of a stack that names images by the part they are for."""


def registry_host(eks: Eks) -> str:
    """Return the host of the account's registry in the stack's region."""
    ending = ".cn" if eks.region.startswith("cn-") else ""
    return f"{eks.account}.dkr.ecr.{eks.region}.amazonaws.com{ending}"


def from_own_registry(stack: Stack) -> Eks | None:
    """Return the target of a stack whose images must all come from its own registry; else None."""
    eks = stack.target
    if isinstance(eks, Eks) and (eks.registry or isinstance(eks.network.egress, NoEgress)):
        return eks
    return None


def registry_problems(stack: Stack, *, file: str) -> tuple[Problem, ...]:
    """Return a problem for each image that comes from elsewhere although it must not."""
    eks = from_own_registry(stack)
    if eks is None:
        return ()
    host = registry_host(eks)
    why = "network.egress.kind: none" if eks.registry is None else "target.registry"
    return tuple(
        Place(file, field_of(path)).problem(
            found=f"{image.partition('@')[0]}, with {why}",
            allowed=f"an image in {host}/, by its digest",
            remedy="python tools/copy_images.py STACK says how to copy it, and what to write here",
        )
        for path, image in every_image(stack).items()
        if not image.startswith(f"{host}/")
    )


def repositories(stack: Stack, name: str) -> dict[str, str]:
    """Return the repositories that the stack called `name` has: their names, by what is in them."""
    images = every_image(stack)
    parts = {part_of(path, image) for path, image in images.items()}
    return {part: f"{cluster_name(name)}/{part}" for part in sorted(parts)}


def part_of(path: ImagePath, image: str) -> str:
    """Return what an image is for: its name under `images`, else the last one of its repository."""
    if path[0] == PARTS:
        return str(path[-1])
    return repository_of(image).rpartition("/")[2]


def repository_of(image: str) -> str:
    """Return an image without tag and digest: a host may have a port, a tag has no slash."""
    name = image.partition("@")[0]
    before, slash, last = name.rpartition("/")
    return f"{before}{slash}{last.partition(':')[0]}"


def own_image(stack: Stack, name: str, path: ImagePath) -> str:
    """Return an image under its name in the own registry; tag and digest stay."""
    assert isinstance(stack.target, Eks), "the caller has looked"  # noqa: S101
    image = every_image(stack)[path]
    if image.startswith(host := f"{registry_host(stack.target)}/"):
        return image
    part = repositories(stack, name)[part_of(path, image)]
    return f"{host}{part}{image.removeprefix(repository_of(image))}"
