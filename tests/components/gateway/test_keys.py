import pytest

from components.gateway.keys import check_keys

GOOD, OTHER = "a" * 22, "b" * 22


@pytest.mark.parametrize(
    ("secrets", "field", "found"),
    [
        ({}, "key-web", "none"),
        ({"key-web": "a" * 21}, "key-web", "21 characters"),
        ({"key-web": "a" * 21 + " "}, "key-web", "other characters"),
        ({"key-web": GOOD, "key-web-next": GOOD}, "key-web-next", "the value of key-web again"),
    ],
)
def test_a_weak_value_is_named_and_never_shown(secrets, field, found):
    (problem,) = check_keys(secrets, ("web",))
    assert problem.field == f"config.breakeven:secrets.{field}"
    assert problem.found == found
    assert GOOD not in str(problem)


def test_two_values_during_a_rotation_are_fine():
    assert check_keys({"key-web": GOOD, "key-web-next": OTHER}, ("web",)) == ()
