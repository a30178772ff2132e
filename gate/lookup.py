"""Facts looked up for a place in a stack file: what is not known is answered there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from gate import facts
from stacks.errors import InputError, Place, Problem

SHOWN = 12
"""Known names that are listed in a message."""


@contextmanager
def answering(place: Place) -> Iterator[None]:
    """Turn an unknown fact into the answer for the place that named it.

    Raises:
        InputError: the fact is unknown.
    """
    try:
        yield
    except facts.UnknownFact as error:
        more = f" and {len(error.allowed) - SHOWN} more" if len(error.allowed) > SHOWN else ""
        near = f"did you mean {error.nearest}? " if error.nearest else ""
        problem = Problem(
            file=place.file,
            field=place.path,
            found=f"{error.found}, an unknown {error.kind}",
            allowed=", ".join(error.allowed[:SHOWN]) + more,
            remedy=f"{near}see `python -m gate prices`; gate/data/README.md says how to add one",
        )
        raise InputError(problem) from None


def instance_price(instance: str, *, region: str, as_of: date) -> facts.PriceRecord | None:
    """Return the on-demand price in force on a day; None where none is known."""
    try:
        return facts.instance_price(instance, region=region, purchase="on_demand", as_of=as_of)
    except facts.UnknownFact:
        return None


def hosted_price(*, provider: str, model: str, as_of: date) -> facts.HostedPrice | None:
    """Return the list price in force on a day; None where the provider lists none."""
    try:
        return facts.hosted_price(provider=provider, model=model, as_of=as_of)
    except facts.UnknownFact:
        return None
