"""The keys that engines take, as a configuration file of vLLM. Pure."""

import json
from collections.abc import Mapping
from typing import Final

KEYS_FILE: Final = "keys.yaml"
CURRENT: Final = "engine-key"
"""The stack's secret that the gateway sends."""
OTHER: Final = "engine-key-next"
"""A second one that engines take as well, while the key is rotated."""


def keys_text(secrets: Mapping[str, str]) -> str:
    """Return the file: every key that engines take, of the stack's secrets.

    Sorted, so that nothing changes for them when the two keys change places: b, a -> ["a", "b"].
    """
    keys = {secrets[name] for name in (CURRENT, OTHER) if name in secrets}
    return json.dumps({"api-key": sorted(keys)}) + "\n"
