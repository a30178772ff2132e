"""What properties a resource has, and which it needs: as pulumi_aws's own argument classes say.

The Python SDK does not look into dictionaries at run time; the real provider does.
"""

import importlib
import inspect
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from pulumi import _types as sdk

from tests.aws.wire import UNKNOWN


class Problem(NamedTuple):
    """A property that is wrong."""

    path: str
    reason: str


@cache
def arguments_of(kind: str) -> type | None:
    """Return the argument class of a kind such as eks.NodeGroup."""
    package, name = kind.split(".")
    module = importlib.import_module(f"pulumi_aws.{package}")
    # Init: where an argument of another resource has the name already.
    found: type | None = getattr(module, f"{name}InitArgs", getattr(module, f"{name}Args", None))
    return found


@cache
def names_of(kind: str) -> frozenset[str]:
    """Return the names of the properties that a kind takes."""
    arguments = arguments_of(kind)
    return frozenset(sdk.input_type_types(arguments)) if arguments else frozenset()


def problems(arguments: type, given: dict[str, Any], place: str = "") -> Iterator[Problem]:
    """Yield what is unknown and what is missing, at every depth."""
    names, types = sdk.input_type_py_to_pulumi_names(arguments), sdk.input_type_types(arguments)
    for name in given:
        if name not in types and not name.startswith("__"):
            yield Problem(
                place + name, f"unexpected property; known are {', '.join(sorted(types))}"
            )
    signature = inspect.signature(arguments.__init__)  # type: ignore[misc]
    for name, parameter in signature.parameters.items():
        required = name in names and parameter.default is inspect.Parameter.empty
        if required and given.get(names[name]) is None:
            yield Problem(place + names[name], "missing required property")
    for name, value in given.items():
        yield from _inside(types.get(name), value, f"{place}{name}")


def _inside(expected: Any, value: object, place: str) -> Iterator[Problem]:
    nested = _nested(expected)
    if nested is None or value in (None, UNKNOWN):
        return
    elements = value if isinstance(value, list) else [value]
    for index, element in enumerate(elements):
        where = f"{place}[{index}]" if isinstance(value, list) else place
        if isinstance(element, dict):
            yield from problems(nested, element, f"{where}.")
        elif element != UNKNOWN:
            yield Problem(where, f"expected an object, found {element!r}")


def _nested(expected: Any) -> type | None:
    """Return the argument class that a property, or each element of it, is of."""
    if isinstance(expected, type):
        return expected if sdk.is_input_type(expected) else None
    if typing.get_origin(expected) is dict or "Mapping" in str(typing.get_origin(expected)):
        return None
    options = typing.get_args(expected)
    return None if str in options else next(filter(None, map(_nested, options)), None)
