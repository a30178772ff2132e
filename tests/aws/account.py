"""An AWS account in a folder: several commands, each with providers of its own, see the same one."""

import fcntl
import fnmatch
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

FOLDER: Final = "STAND_IN_AWS"
"""The variable that names the folder."""
NUMBER: Final = "123456789012"
"""The account of the checked-in stacks."""
RESOURCES, SETTINGS, FAULTS, LOCK = "resources.json", "settings.json", "faults.json", "lock"


class AwsError(Exception):
    """AWS refuses: the text begins with its error code."""


@dataclass(kw_only=True)
class Thing:
    """Something that is there."""

    kind: str
    """The class of pulumi_aws, such as eks.NodeGroup."""
    id: str
    name: str
    """What the program calls it; nothing, if AWS made it by itself."""
    code: str
    """Hexadecimal digits that no other has."""
    inputs: dict[str, Any]
    outputs: dict[str, Any] = field(default_factory=dict)
    versions: int = 1
    """How often it was changed, and made."""
    written: bool = False
    """Of a bucket: whether AWS writes logs to it."""
    locked: bool = False
    """Of a bucket: whether its objects were ever kept by Object Lock."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A call that fails."""

    method: str
    """Create, Update or Delete."""
    match: str
    """Which resources: a pattern of kind::name, such as ec2.Subnet::private-*."""
    error: str
    times: int
    """How often, before it works."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the account is like."""

    account: str = NUMBER
    deployer: str = f"arn:aws:iam::{NUMBER}:role/platform-deploy"
    """The role whose credentials the commands have."""
    endpoint: str = "https://127.0.0.1:1"
    """Where the Kubernetes API of a cluster answers."""
    ca_file: str = ""
    token: str = ""
    """What that API takes for an administrator's; nothing: there is no such API."""


@dataclass(kw_only=True)
class Contents:
    """What is in the account while it is held."""

    settings: Settings
    things: list[Thing]
    made: int = 0
    """How many things were ever made."""

    def of(self, *kinds: str) -> list[Thing]:
        """Return the things of some kinds."""
        return [thing for thing in self.things if thing.kind in kinds]

    def find(self, kind: str, id_: str) -> Thing | None:
        """Return the thing with that id."""
        return next((thing for thing in self.of(kind) if thing.id == id_), None)


class Account:
    """The folder of an account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def held(self) -> Iterator[Contents]:
        """Yield the contents, to nobody else meanwhile; they are kept if the block does not raise."""
        with (self.folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = self._read(RESOURCES, {"things": [], "made": 0})
            contents = Contents(
                settings=Settings(**self._read(SETTINGS, {})),
                things=[Thing(**thing) for thing in kept["things"]],
                made=kept["made"],
            )
            yield contents
            things = [asdict(thing) for thing in contents.things]
            self._write(RESOURCES, {"things": things, "made": contents.made})

    def set(self, settings: Settings) -> None:
        """Change what the account is like."""
        self._write(SETTINGS, asdict(settings))

    def fail(self, *faults: Fault) -> None:
        """Let these calls fail from now on, and no others."""
        self._write(FAULTS, [asdict(fault) for fault in faults])

    def meet_fault(self, method: str, resource: str) -> None:
        """Raise AwsError if this call is to fail; call it while the account is held."""
        faults = [Fault(**fault) for fault in self._read(FAULTS, [])]
        for fault in faults:
            if fault.method == method and fnmatch.fnmatch(resource, fault.match) and fault.times:
                less = Fault(**asdict(fault) | {"times": fault.times - 1})
                self.fail(*(less if each is fault else each for each in faults))
                raise AwsError(fault.error)

    def _read(self, name: str, default: Any) -> Any:
        path = self.folder / name
        return json.loads(path.read_text()) if path.exists() else default

    def _write(self, name: str, value: Any) -> None:
        (self.folder / name).write_text(json.dumps(value))
