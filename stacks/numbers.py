"""The kinds of value a stack file may hold; anything looser than these is refused at the border.

Every number has a bound on either side: no slip of a unit gets far enough to overflow the model.
"""

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from stacks.errors import ContradictionError

_PLAIN_NUMBER: Final = re.compile(r"[-+]?(\d[\d_]*(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


class Declared(BaseModel):
    """Base of everything a human writes: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def plain_number(value: Any) -> Any:
    """Return a number as it is, or out of the text that `pulumi config set --path` writes for one.

    Raises:
        ContradictionError: the value is a truth value or some other text (" 5", "5 USD", "nan").
    """
    is_text = isinstance(value, str)
    if isinstance(value, bool) or (is_text and not _PLAIN_NUMBER.fullmatch(value)):
        raise ContradictionError(
            found=repr(value)[:80],
            allowed="a plain number",
            remedy="write the figure alone: no unit, no blank, a point before decimals",
        )
    return value.replace("_", "") if is_text else value


def check_cap(*, floor: int, cap: int) -> None:
    """Raise ContradictionError, for `max`, where a cap is below its floor."""
    if cap < floor:
        raise ContradictionError(
            field=".max",
            found=f"{cap}, below the floor",
            allowed=f"from min ({floor})",
            remedy="raise the cap or lower the floor",
        )


_number = BeforeValidator(plain_number)

Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False), _number]
"""Zero or above."""
Positive = Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False), _number]
"""Above zero."""
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), _number]
"""From 0 to 1."""
Share = Annotated[float, Field(ge=0.0001, le=1, allow_inf_nan=False), _number]
"""Above 0, up to 1."""
Growth = Annotated[float, Field(gt=-1, le=1, allow_inf_nan=False), _number]
"""A change a month: 0.05 is 5 % more."""
Count = Annotated[int, Field(ge=1, le=10**9), _number]
"""A whole number from 1."""
CountOrZero = Annotated[int, Field(ge=0, le=10**9), _number]
"""A whole number from 0."""

Usd = Annotated[float, Field(gt=0, le=1e8, allow_inf_nan=False), _number]
"""USD a month for one line. The bound catches cents, and yearly bills of a whole company."""
UsdOrZero = Annotated[float, Field(ge=0, le=1e8, allow_inf_nan=False), _number]
"""USD for one line that may cost nothing."""
Hours = Annotated[float, Field(gt=0, le=1e5, allow_inf_nan=False), _number]
"""Hours of people; 100,000 a month are 600 of them."""
HoursOrZero = Annotated[float, Field(ge=0, le=1e5, allow_inf_nan=False), _number]
"""Hours of people, or none."""

UsdPerMtok = Annotated[float, Field(ge=0.001, le=1000, allow_inf_nan=False), _number]
"""USD per million tokens. The bounds catch a price per token or per thousand."""
UsdPerMtokOrZero = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False), _number]
"""USD per million tokens, which may be free."""
TokensPerMonth = Annotated[float, Field(ge=1e6, le=1e15, allow_inf_nan=False), _number]
"""Tokens a month. The bounds catch a volume in millions, or one multiplied twice."""
TokensPerRequest = Annotated[float, Field(ge=1, le=1e8, allow_inf_nan=False), _number]
"""Mean length of an input or output."""
TokensPerSecond = Annotated[float, Field(ge=1, le=1e9, allow_inf_nan=False), _number]
"""Throughput of one replica. The bounds catch requests a second, and tokens a month."""
UsdPerHour = Annotated[float, Field(ge=0.01, le=2000, allow_inf_nan=False), _number]
"""USD for a node-hour. The bounds catch cents, and a price for a month."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Text that says something."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=12)]
"""A few words: why a cost is zero."""
Statement = Annotated[str, StringConstraints(strip_whitespace=True, min_length=20)]
"""A sentence: long enough to be one."""

DNS_LABEL: Final = r"^[a-z]([-a-z0-9]{0,40}[a-z0-9])?$"
SHA256: Final = r"^[0-9a-f]{64}$"
COMMIT: Final = r"^[0-9a-f]{7,40}$"
IMAGE: Final = r"^[^@\s]+@sha256:[0-9a-f]{64}$"
ACCOUNT: Final = r"^\d{12}$"
SERVICE: Final = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.svc(\.cluster\.local)?)?$"
HOST: Final = r"^[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?$"
PEM: Final = r"^(-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$"

FORMS: Final = {
    DNS_LABEL: "lower-case letters, digits and dashes, from a letter, at most 42 of them",
    SHA256: "64 hex digits in lower case",
    COMMIT: "a commit, 7 to 40 hex digits in lower case",
    IMAGE: "an image by digest, name@sha256: and 64 hex digits",
    ACCOUNT: "12 digits, in quotes",
    HOST: "a host name or an IPv4 address alone, without scheme, port and path",
    PEM: "certificates in PEM and nothing else, no private key",
    SERVICE: "a Service of the cluster, <service>.<namespace>, with or without .svc.cluster.local",
}
"""What each pattern asks for, in words."""

DnsLabel = Annotated[str, Field(pattern=DNS_LABEL)]
"""A name Kubernetes takes: lower case, digits and dashes, at most 42 characters."""
Day = date
"""A calendar day, as YYYY-MM-DD."""
