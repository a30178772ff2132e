"""How old the facts are: past its limit a fact is stale, past twice the limit it decides nothing."""

from datetime import date
from typing import NamedTuple

from gate.facts import tables
from gate.facts.records import Source


class Age(NamedTuple):
    """How old a fact is, beside what its kind allows."""

    days: int
    """Days since the source is known to have said so; negative when asked about an earlier day."""
    max_days: int
    """Days after which it is stale."""

    @property
    def stale(self) -> bool:
        """Whether it should be read again."""
        return self.days > self.max_days

    @property
    def expired(self) -> bool:
        """Whether it is too old to decide with: past twice its limit."""
        return self.days > 2 * self.max_days


def age(source: Source, kind: str, *, as_of: date) -> Age:
    """Return how old a fact of a kind is on a day; the kinds are in gate/data/operations.yaml."""
    days = (as_of - source.checked).days
    return Age(days=days, max_days=tables.max_age_days(kind))


def price_kind(instance: str) -> str:
    """Return the kind of fact that an instance's price is: a CPU node's moves like the rest."""
    return "instance_price" if tables.instance(instance).gpus else "infrastructure_price"
