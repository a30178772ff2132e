"""Whether a hard constraint stands: complete, in its time, and bound to the decision it was approved for."""

import hashlib
import json
from datetime import date
from typing import NamedTuple

from stacks.constraint import Approval, HardConstraint

RENEW_DAYS = 30
"""An approval takes a month at the most; the note comes that early."""
CENT = 0.005
"""Premiums are approved to the cent."""


class ConstraintStatus(NamedTuple):
    """What is to be said of one constraint."""

    constraint: HardConstraint
    reasons: tuple[str, ...]
    """Why it does not stand; empty where it does."""
    premium_usd_per_month: float
    """What self-hosting its models costs more than the comparators."""
    note: str = ""
    """What an approver may want to know although it stands."""

    @property
    def stands(self) -> bool:
        """Return whether it lets its models through."""
        return not self.reasons


def seal(constraint: HardConstraint, *, inputs_hash: str, premium_usd_per_month: float) -> str:
    """Return SHA-256 over the constraint and what was approved; a later edit of either breaks it."""
    content = constraint.model_dump(mode="json", exclude={"approval"})
    approved = [inputs_hash, f"{premium_usd_per_month:.2f}"]
    text = json.dumps([content, approved], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def approval_of(
    constraint: HardConstraint, *, inputs_hash: str, premium_usd_per_month: float
) -> Approval:
    """Return the approval of a decision, for the approver to put into the stack file."""
    premium = round(premium_usd_per_month, 2)
    return Approval(
        inputs_hash=inputs_hash,
        premium_usd_per_month=premium,
        seal=seal(constraint, inputs_hash=inputs_hash, premium_usd_per_month=premium),
    )


def status(
    constraint: HardConstraint, *, inputs_hash: str, premium_usd_per_month: float, as_of: date
) -> ConstraintStatus:
    """Return whether the constraint stands for the decision at hand.

    It does with unchanged inputs, whatever prices did since; with changed inputs only while the
    premium is no higher than the one that was approved.
    """
    unbound, note = _binding(constraint, inputs_hash, premium_usd_per_month)
    days_left = (constraint.expires - as_of).days
    if 0 <= days_left <= RENEW_DAYS and not note:
        note = f"it expires on {constraint.expires}: renew it in time (docs/overriding.md)"
    early = f"approved on {constraint.approved_on}, a day in the future"
    future = [early] if constraint.approved_on > as_of else []
    expired = [f"expired on {constraint.expires}"] if constraint.expires < as_of else []
    return ConstraintStatus(
        constraint=constraint,
        reasons=(*future, *expired, *unbound),
        premium_usd_per_month=premium_usd_per_month,
        note=note,
    )


def _binding(constraint: HardConstraint, inputs_hash: str, premium: float) -> tuple[list[str], str]:
    """Return what is wrong with the approval, and what else is to be said of it."""
    approval = constraint.approval
    if approval is None:
        return ["no decision was approved; run `python -m gate approve` on the stack file"], ""
    approved = approval.premium_usd_per_month
    expected = seal(constraint, inputs_hash=approval.inputs_hash, premium_usd_per_month=approved)
    if approval.seal != expected:
        return ["the seal does not fit: constraint or approval were edited after it was made"], ""
    dearer = premium > approved + CENT
    amounts = f"{premium:,.2f} USD a month, {approved:,.2f} approved"
    if approval.inputs_hash == inputs_hash:
        return [], f"prices moved: the premium is now {amounts}" if dearer else ""
    if dearer:
        return [f"the inputs changed and the premium rose: {amounts}; it needs a new approval"], ""
    return [], f"the inputs changed since the approval; the premium did not rise ({amounts})"
