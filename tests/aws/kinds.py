"""What AWS makes of a resource, by its kind: the tables in kinds/, read."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.aws.account import Settings, Thing
from tests.aws.wire import UNKNOWN, Values

TABLES: Final = Path(__file__).with_name("kinds")
REGION: Final = "us-east-1"

Named = Mapping[str, tuple[str, ...]]
"""Kinds by the property that names one of them."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a table says of one kind; kinds/network.yaml tells what each field means."""

    id: str
    arn: str = ""
    named: str = ""
    replaces: tuple[str, ...] = ()
    computed: Values = field(default_factory=dict)
    counted: tuple[str, ...] = ()
    known_by: tuple[str, ...] = ()
    needs: Named = field(default_factory=dict)
    held_by: Named = field(default_factory=dict)
    in_use: str = ""
    kept_by: tuple[str, str] | None = None


@cache
def kinds() -> Mapping[str, Kind]:
    """Return all kinds that the stand-in knows."""
    known = {each.name for each in fields(Kind)}
    table: dict[str, dict[str, Any]] = {}
    for path in sorted(TABLES.glob("*.yaml")):
        table |= yaml.safe_load(path.read_text())
    for name, kind in table.items():
        if unknown := kind.keys() - known:
            raise AssertionError(f"{name}: unknown {unknown}")
    return {name: Kind(**kind) for name, kind in table.items()}


def identity(thing: Thing, settings: Settings) -> str:
    """Return the id that AWS gives."""
    return str(_filled(kinds()[thing.kind].id, _words(thing, settings)))


def outputs(thing: Thing, settings: Settings) -> Values:
    """Return what the program sees of a thing: its inputs, and what AWS adds to them."""
    words = _words(thing, settings) | {"id": thing.id}
    return _merged(_filled(_added(thing), words), thing.inputs)


def planned(thing: Thing) -> Values:
    """Return the same before it was made: what AWS adds is unknown."""
    return _merged(_unknown(_added(thing)), thing.inputs)


def _added(thing: Thing) -> Values:
    kind = kinds()[thing.kind]
    arn = {"arn": f"arn:aws:{kind.arn}"} if kind.arn else {}
    return kind.computed | arn | dict.fromkeys(kind.counted, thing.versions)


def _words(thing: Thing, settings: Settings) -> dict[str, Any]:
    ca_file = Path(settings.ca_file)
    ca = ca_file.read_bytes() if ca_file.is_file() else b""
    return (
        {"region": REGION}
        | thing.inputs
        | {
            "code": thing.code,
            "account": settings.account,
            "endpoint": settings.endpoint,
            "ca_data": base64.b64encode(ca).decode(),
        }
    )


def _filled(pattern: Any, words: Mapping[str, Any]) -> Any:
    match pattern:
        case str():
            return pattern.format_map(words)
        case dict():
            return {key: _filled(each, words) for key, each in pattern.items()}
        case list():
            return [_filled(each, words) for each in pattern]
    return pattern


def _unknown(added: Values) -> Values:
    """Objects keep their known inputs beside what is unknown; of a list all is unknown."""
    return {
        key: _unknown(value) if isinstance(value, dict) else UNKNOWN for key, value in added.items()
    }


def _merged(made: Values, given: Values) -> Values:
    """Return what was given over what was made, inside objects too."""
    both = made | {k: v for k, v in given.items() if v is not None and not k.startswith("__")}
    for key, value in made.items():
        if isinstance(value, dict) and isinstance(given.get(key), dict):
            both[key] = _merged(value, given[key])
    return both
