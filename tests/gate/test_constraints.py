"""When a hard constraint stands: complete, in its time, and bound to what was approved."""

from datetime import date, timedelta

import pytest

from gate.constraints import ConstraintStatus, approval_of, status
from stacks.constraint import Approval, HardConstraint
from tests.factories import AS_OF, a_constraint

HASH, OTHER_HASH = "a" * 64, "b" * 64
PREMIUM = 1234.56
EXPIRES = date(2027, 10, 31)


def approved(**changes: object) -> HardConstraint:
    """Return a constraint approved at PREMIUM for HASH, and edited after that."""
    constraint = HardConstraint.model_validate(a_constraint("chat"))
    approval = approval_of(constraint, inputs_hash=HASH, premium_usd_per_month=PREMIUM)
    return constraint.model_copy(update={"approval": approval, **changes})


def judged(
    constraint: HardConstraint,
    *,
    inputs_hash: str = HASH,
    premium: float = PREMIUM,
    as_of: date = AS_OF,
) -> ConstraintStatus:
    return status(constraint, inputs_hash=inputs_hash, premium_usd_per_month=premium, as_of=as_of)


def test_it_stands_for_what_was_approved():
    found = judged(approved())

    assert found.stands
    assert (found.reasons, found.note) == ((), "")
    assert found.premium_usd_per_month == PREMIUM


def test_without_an_approval_it_does_not_hold_yet():
    found = judged(approved(approval=None))

    assert not found.stands
    assert "run `python -m gate approve`" in found.reasons[0]


@pytest.mark.parametrize(
    ("day", "stands"),
    [
        (date(2026, 10, 31), False),
        (date(2026, 11, 1), True),
        (EXPIRES, True),
        (EXPIRES + timedelta(1), False),
    ],
)
def test_it_holds_from_its_approval_to_its_last_day(day, stands):
    assert judged(approved(), as_of=day).stands is stands


@pytest.mark.parametrize(("days_before", "noted"), [(31, False), (30, True), (0, True)])
def test_a_month_before_its_end_it_asks_to_be_renewed(days_before, noted):
    note = judged(approved(), as_of=EXPIRES - timedelta(days_before)).note

    assert ("renew it in time" in note) is noted


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"statement": "Patient records should be processed in our own rooms."}, "statement"),
        ({"expires": date(2027, 11, 1)}, "a later end"),
        ({"models": ("chat", "search")}, "one more model"),
        ({"approver": "Head of Platform"}, "another approver"),
        ({"evidence": "https://intranet.example/other"}, "other evidence"),
    ],
)
def test_whatever_is_edited_after_the_approval_breaks_the_seal(changes, why):
    found = judged(approved(**changes))

    assert not found.stands, why
    assert "the seal does not fit" in found.reasons[0]


@pytest.mark.parametrize("forged", [{"inputs_hash": OTHER_HASH}, {"premium_usd_per_month": 9999}])
def test_an_approval_that_is_edited_breaks_its_own_seal(forged):
    approval = approved().approval
    assert approval
    edited = approved(approval=Approval.model_validate({**approval.model_dump(), **forged}))

    assert not judged(edited, inputs_hash=OTHER_HASH).stands


@pytest.mark.parametrize(
    ("inputs_hash", "premium", "stands", "said"),
    [
        (HASH, PREMIUM + 1000, True, "prices moved: the premium is now 2,234.56"),
        (HASH, PREMIUM - 1000, True, ""),
        (OTHER_HASH, PREMIUM, True, "the premium did not rise"),
        (OTHER_HASH, PREMIUM - 1000, True, "the premium did not rise"),
        (OTHER_HASH, PREMIUM + 0.004, True, "the premium did not rise"),
        (OTHER_HASH, PREMIUM + 0.006, False, "it needs a new approval"),
        (OTHER_HASH, PREMIUM + 1000, False, "the inputs changed and the premium rose: 2,234.56"),
    ],
)
def test_a_change_for_the_worse_needs_a_new_approval_a_price_move_does_not(
    inputs_hash, premium, stands, said
):
    found = judged(approved(), inputs_hash=inputs_hash, premium=premium)

    assert found.stands is stands
    assert said in (*found.reasons, found.note)[0] if said else not found.note


def test_all_that_is_wrong_with_it_is_told():
    found = judged(approved(approval=None), as_of=EXPIRES + timedelta(1))

    assert [reason.split(" ")[0] for reason in found.reasons] == ["expired", "no"]


@pytest.mark.parametrize(
    ("approved_on", "expires", "allowed"),
    [
        ("2026-11-01", "2027-11-01", True),
        ("2026-11-01", "2027-11-02", False),
        ("2026-02-28", "2027-02-28", True),
        ("2026-11-01", "2026-11-02", True),
        ("2026-11-01", "2026-11-01", False),
    ],
)
def test_it_lasts_twelve_months_at_most(approved_on, expires, allowed):
    content = a_constraint("chat") | {"approved_on": approved_on, "expires": expires}
    try:
        HardConstraint.model_validate(content)
        accepted = True
    except ValueError:
        accepted = False

    assert accepted is allowed
