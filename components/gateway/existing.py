"""Keys whose values stand in Secrets of the cluster (`existing_secret`); read by each preview and update."""

import base64
from collections.abc import Iterator, Mapping
from typing import Final

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components.gateway.keys import check_keys
from stacks.errors import InputError, Place, Problem
from stacks.gateway import GatewayKey
from stacks.stack import Stack
from stacks.target import Render, Target

ENTRIES: Final = {"key": "", "next": "-next"}
"""What a Secret holds, and what its name in the stack's secrets ends with."""


def check_existing_keys(stack: Stack, file: str, target: Target) -> None:
    """Raise InputError where a key stands in the cluster, and there is none to read it from."""
    if not isinstance(target, Render):
        return
    problems = [
        Place(file, f"gateway.keys[{index}].existing_secret").problem(
            found=f"{key.existing_secret}, with target: render",
            allowed="a live target: without a cluster there is nothing to read it from",
            remedy=f"leave it out and set breakeven:secrets.key-{key.alias}",
        )
        for index, key in enumerate(stack.gateway.keys)
        if key.existing_secret
    ]
    if problems:
        raise InputError(*problems)


def existing_keys(
    keys: tuple[GatewayKey, ...], namespace: str, opts: ResourceOptions
) -> Output[dict[str, str]]:
    """Return the values of all such keys, by the names that secrets of the stack would have."""

    def read(key: GatewayKey) -> Output[dict[str, str]]:
        place = f"{namespace}/{key.existing_secret}"
        secret = k8s.core.v1.Secret.get(f"key-{key.alias}", place, opts=opts)
        return secret.data.apply(lambda data: known_values(key, data or {}))

    found = [read(key) for key in keys if key.existing_secret]
    merged = Output.all(*found).apply(
        lambda parts: {name: value for part in parts for name, value in part.items()}
    )
    return Output.secret(merged)


def known_values(key: GatewayKey, data: Mapping[str, str]) -> dict[str, str]:
    """Return a key's one or two values out of its Secret, whose `data` is in base64.

    Raises:
        RunError: the value under `key` is missing, or one is weak. It is raised while resources are
            made, where nobody would turn an InputError into a message.
    """
    values = {
        f"key-{key.alias}{end}": base64.b64decode(data[entry]).decode(errors="replace")
        for entry, end in ENTRIES.items()
        if entry in data
    }
    if problems := tuple(_problems(key, values)):
        raise pulumi.RunError(str(InputError(*problems)))
    return values


def all_values(
    keys: tuple[GatewayKey, ...], own: Mapping[str, str], existing: Mapping[str, str]
) -> dict[str, str]:
    """Return the stack's `own` secrets and those of the cluster, by name.

    Of a key that stands in the cluster only what stands there counts: nobody has checked the rest.

    Raises:
        RunError: a value of one key is a value of another, so that nobody could tell who asks.
    """
    names = {key.alias: [f"key-{key.alias}{end}" for end in ENTRIES.values()] for key in keys}
    elsewhere = {name for key in keys if key.existing_secret for name in names[key.alias]}
    values = {name: value for name, value in own.items() if name not in elsewhere} | dict(existing)
    owners: dict[str, str] = {}
    for key in keys:
        for name in names[key.alias]:
            if name in values and owners.setdefault(values[name], key.alias) != key.alias:
                raise pulumi.RunError(str(_shared(key, owners[values[name]])))
    return values


def _shared(key: GatewayKey, other: str) -> InputError:
    place = Place(f"Secret {key.existing_secret}" if key.existing_secret else "the stack's secrets")
    return place.at(f"key of {key.alias}").error(
        found=f"a value of {other} again",
        allowed="a value of its own for each key",
        remedy="give one of them another random value",
    )


def _problems(key: GatewayKey, values: Mapping[str, str]) -> Iterator[Problem]:
    for problem in check_keys(values, (key.alias,)):
        entry = "next" if problem.field.endswith("-next") else "key"
        yield problem._replace(
            file=f"Secret {key.existing_secret}",
            field=f"data.{entry}",
            remedy="write a random value of its own there, without a line's end",
        )
