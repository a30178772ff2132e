"""What Pulumi configuration may look like, and what a stack file may do with YAML."""

import pytest

from stacks.errors import InputError
from stacks.mistakes import described
from stacks.reading import read_stack, refuse_unknown_keys
from tests.factories import a_plain_stack, write_stack


def test_keys_of_other_namespaces_belong_to_their_providers():
    keys = ["breakeven:stack", "breakeven:huggingface_token", "aws:region", "kubernetes:context"]

    refuse_unknown_keys("Pulumi.x.yaml", keys)


@pytest.mark.parametrize(
    ("key", "known"),
    [("breakeven:stacks", "stack"), ("breakeven:hugingface_token", "huggingface_token")],
)
def test_an_unknown_key_of_the_project_names_the_nearest(key, known):
    with pytest.raises(InputError, match=f"did you mean breakeven:{known}?"):
        refuse_unknown_keys("Pulumi.x.yaml", [key])


def test_all_unknown_keys_are_told_at_once():
    with pytest.raises(InputError) as refused:
        refuse_unknown_keys("Pulumi.x.yaml", ["breakeven:stak", "breakeven:token", "aws:region"])

    assert [problem.field for problem in refused.value.problems] == [
        "config.breakeven:stak",
        "config.breakeven:token",
    ]


def test_a_day_may_stand_without_quotes(tmp_path):
    stack = a_plain_stack()
    file = write_stack(tmp_path, stack)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("'2026-09-25'", "2026-09-25"), encoding="utf-8")
    declared = read_stack(file).models[0].hosted.negotiated

    assert "checked: 2026-09-25" in file.read_text(encoding="utf-8")
    assert declared is not None
    assert declared.checked.isoformat() == "2026-09-25"


def test_an_anchor_saves_repeating_oneself(tmp_path):
    file = write_stack(tmp_path, a_plain_stack())

    assert "upgrades: *id001" in file.read_text(encoding="utf-8")
    assert read_stack(file).operations.people.upgrades.zero_because == "left out of this test"


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    file = write_stack(tmp_path, a_plain_stack())
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert read_stack(file).purpose == "trial"


def test_blanks_around_a_text_say_nothing(tmp_path):
    stack = a_plain_stack({"models[0].benchmark.engine": "  vllm "})

    assert read_stack(write_stack(tmp_path, stack)).models[0].benchmark.engine == "vllm"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (5, "5"),
        ("5", "'5'"),
        ([1, 2], "a list of 2"),
        ({"a": 1, "b": 2}, "a mapping with a, b"),
        ({}, "a mapping with nothing in it"),
        ({"secure": "AAAA"}, "an encrypted value"),
        ("x" * 500, "'" + "x" * 119),
    ],
)
def test_a_value_is_described_in_a_few_words(value, words):
    assert described(value) == words
