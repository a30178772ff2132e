"""Engines take the key that the gateway sends, and a second one while it is rotated."""

import pytest
import yaml

from components.engine.keys import keys_text

OLD, NEW = "old-key-of-the-engines", "new-key-of-the-engines"


@pytest.mark.parametrize(
    ("secrets", "keys"),
    [
        ({"engine-key": OLD}, [OLD]),
        ({"engine-key": OLD, "engine-key-next": NEW}, [NEW, OLD]),
        ({"engine-key": OLD, "engine-key-next": OLD}, [OLD]),
        ({"engine-key": OLD, "key-web": NEW}, [OLD]),
    ],
)
def test_the_file_has_the_keys_and_nothing_else(secrets: dict[str, str], keys: list[str]):
    assert yaml.safe_load(keys_text(secrets)) == {"api-key": keys}


def test_no_engine_is_replaced_when_the_keys_change_places():
    before = keys_text({"engine-key": OLD, "engine-key-next": NEW})

    assert keys_text({"engine-key": NEW, "engine-key-next": OLD}) == before
