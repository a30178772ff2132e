"""The hard constraint: the only way past a refusal (docs/overriding.md)."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.errors import ContradictionError
from stacks.numbers import SHA256, Amount, Day, Declared, DnsLabel, Statement, Text

MAX_MONTHS = 12


class Approval(Declared):
    """What was approved: `python -m gate approve` prints it for the approver to put here."""

    inputs_hash: Annotated[str, Field(pattern=SHA256)]
    """Hash of the decision's inputs that the approver saw."""
    premium_usd_per_month: Amount
    """What self-hosting cost more a month than the comparator, when it was approved."""
    seal: Annotated[str, Field(pattern=SHA256)]
    """SHA-256 over the constraint and the two values above: shows a later edit of any of them."""


class HardConstraint(Declared):
    """Why a model must be self-hosted whatever it costs, and who answers for that."""

    category: Literal["residency", "air_gap", "regulator"]
    """The kind of constraint."""
    models: Annotated[tuple[DnsLabel, ...], Field(min_length=1)]
    """Names of the models it is about."""
    statement: Statement
    """What is demanded, in a sentence."""
    evidence: Text
    """The law, contract or policy: a link or a document id."""
    zero_retention_insufficient_because: Statement
    """Why a hosted API under a zero-retention agreement does not satisfy it."""
    approver: Text
    """Who approved the premium: a person, with a role or an address."""
    approved_on: Day
    """Day of the approval."""
    expires: Day
    """Last day it holds, at most 12 months after the approval."""
    ticket: Text
    """Where the approval can be followed."""
    approval: Approval | None = None
    """The decision that was approved; without it the constraint does not hold yet."""

    @model_validator(mode="after")
    def _expires_within_a_year(self) -> Self:
        months = (self.expires.year - self.approved_on.year) * 12
        months += self.expires.month - self.approved_on.month
        too_late = (months, self.expires.day) > (MAX_MONTHS, self.approved_on.day)
        if too_late or self.expires <= self.approved_on:
            raise ContradictionError(
                field=".expires",
                found=f"{self.expires}, approved on {self.approved_on}",
                allowed=f"a day after approved_on, at most {MAX_MONTHS} months later",
                remedy="give it a nearer end; it can be approved again",
            )
        return self
