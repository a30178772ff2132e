"""What changed between two sets of inputs, property by property."""

import re
from collections.abc import Collection, Iterator

from tests.aws.wire import Values


def changed(old: object, new: object, path: str = "") -> Iterator[str]:
    """Yield the path of each value that differs, such as scalingConfig.maxSize or routes[0]."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if not key.startswith("__"):
                below = f'["{key}"]' if "." in key else f".{key}" if path else key
                yield from changed(old.get(key), new.get(key), path + below)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from changed(before, after, f"{path}[{index}]")
    elif old != new:
        yield path


def within(path: str, properties: Collection[str]) -> bool:
    """Return whether a path is one of some properties, or inside one; [0] counts for all elements."""
    plain = re.sub(r"\[\d+\]", "", path)
    return any(plain == each or plain.startswith((f"{each}.", f"{each}[")) for each in properties)


def differences(old: Values, new: Values, ignored: Collection[str]) -> list[str]:
    """Return the changed paths, without those that the program ignores."""
    return [path for path in changed(old, new) if not within(path, ignored)]
