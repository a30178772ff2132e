"""What happens to inputs before anything else: they are looked through, named and completed."""

import hashlib
from collections.abc import Iterator, Mapping

from tests.aws import rules, shapes
from tests.aws.kinds import kinds
from tests.aws.shapes import Problem
from tests.aws.wire import Urn, Values

DEFAULTS = "__defaults"
"""The input in which the real provider, too, keeps which properties it filled in."""


def problems(kind: str, given: Values) -> Iterator[Problem]:
    """Yield what the real provider would not take."""
    arguments = shapes.arguments_of(kind)
    if kind not in kinds() or arguments is None:
        yield Problem("", f"the stand-in does not know {kind}: add it to tests/aws/kinds/")
        return
    yield from shapes.problems(arguments, given)
    for path, reason in rules.malformed(kind, given):
        yield Problem(path, reason)


def named(urn: Urn, given: Values, *, old: Values, seed: bytes) -> Values:
    """Return the inputs with a name, if the kind has one: the old one, or one of its own."""
    name = kinds()[urn.kind].named
    if not name or given.get(name) is not None:
        return given
    prefix = given.get(f"{name}Prefix") or f"{urn.name}-"
    kept = old.get(name) if auto_named(urn.kind, old) else None
    made = f"{prefix}{hashlib.sha256(seed).hexdigest()[:7]}"
    return given | {name: kept or made, DEFAULTS: [name]}


def auto_named(kind: str, given: Values) -> bool:
    """Return whether two of these resources can be there at once."""
    name = kinds()[kind].named
    return not name or name in (given.get(DEFAULTS) or [])


def with_defaults(kind: str, given: Values, region: str, tags: Mapping[str, str]) -> Values:
    """Return the inputs with the provider's region and tags, where the kind has them."""
    names = shapes.names_of(kind)
    added: Values = {"region": given.get("region") or region} if "region" in names else {}
    if "tags" in names:
        added["tagsAll"] = {**tags, **(given.get("tags") or {})}
    return given | added
