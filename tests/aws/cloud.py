"""What calls do to an account."""

import hashlib
from dataclasses import replace
from typing import Final

from tests.aws import effects
from tests.aws.account import AwsError, Contents, Thing
from tests.aws.kinds import identity, outputs
from tests.aws.wire import Values

CODE_DIGITS: Final = 17


def make(new: Thing, contents: Contents) -> None:
    """Give a thing its id, and put it into the account.

    Raises:
        AwsError: its name is taken, or AWS refuses it.
    """
    contents.made += 1
    seed = f"{new.kind}::{new.name}::{contents.made}".encode()
    new.code = hashlib.sha256(seed).hexdigest()[:CODE_DIGITS]
    new.id = identity(new, contents.settings)
    if contents.find(new.kind, new.id):
        raise AwsError(f"ResourceAlreadyExistsException: {new.kind} {new.id} already exists")
    new.outputs = outputs(new, contents.settings)
    effects.before("Create", new, contents)
    contents.things.append(new)
    effects.after("Create", new, contents)


def changed(contents: Contents, kind: str, id_: str, inputs: Values) -> Thing:
    """Return a thing as it would be with other inputs.

    Raises:
        AwsError: it is gone.
    """
    thing = contents.find(kind, id_)
    if thing is None:
        raise AwsError(f"ResourceNotFoundException: {kind} {id_}")
    other = replace(thing, inputs=inputs, versions=thing.versions + 1)
    other.outputs = outputs(other, contents.settings)
    return other


def change(thing: Thing, contents: Contents) -> None:
    """Put a changed thing in the old one's place.

    Raises:
        AwsError: AWS refuses it.
    """
    effects.before("Update", thing, contents)
    contents.things = [
        thing if (each.kind, each.id) == (thing.kind, thing.id) else each
        for each in contents.things
    ]
    effects.after("Update", thing, contents)


def remove(contents: Contents, kind: str, id_: str) -> None:
    """Delete a thing; one that is gone is deleted.

    Raises:
        AwsError: AWS refuses it.
    """
    thing = contents.find(kind, id_)
    if thing is not None:
        effects.before("Delete", thing, contents)
        contents.things.remove(thing)
        effects.after("Delete", thing, contents)
