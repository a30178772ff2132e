"""What goes over the wire between the engine and a provider: values, unknowns, names."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from google.protobuf import struct_pb2  # type: ignore[import-untyped]
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's own word for a value that is only known once something was made."""

Values = dict[str, Any]


class Urn(NamedTuple):
    """What a resource is, and what the program calls it."""

    kind: str
    """The class of pulumi_aws, such as eks.NodeGroup."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind}::{self.name}"


def urn_of(text: str) -> Urn:
    """Return the kind and the name that a URN ends with."""
    _, _, types, name = text.split("::", 3)
    return Urn(kind_of(types.split("$")[-1]), name)


def kind_of(token: str) -> str:
    """Return eks.NodeGroup for aws:eks/nodeGroup:NodeGroup."""
    _, module, name = token.split(":")
    return f"{module.split('/')[0]}.{name}"


def values(message: struct_pb2.Struct) -> Values:
    """Return a message as plain values; whole numbers are integers again."""
    return {key: _whole(value) for key, value in MessageToDict(message).items()}


def message(of: Mapping[str, Any]) -> struct_pb2.Struct:
    """Return plain values as a message."""
    made = struct_pb2.Struct()
    made.update(of)
    return made


def at(value: object, path: str) -> Iterator[Any]:
    """Yield all that is at a path such as routes.natGatewayId, in every element of a list."""
    if isinstance(value, list):
        for element in value:
            yield from at(element, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        first, _, rest = path.partition(".")
        if value.get(first) is not None:
            yield from at(value[first], rest)


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: _whole(each) for key, each in value.items()}
        case list():
            return [_whole(each) for each in value]
    return value
