"""The kinds of value a stack file may hold; anything looser than these is refused at the border."""

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_PLAIN_NUMBER: Final = re.compile(r"[-+]?(\d[\d_]*(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


class Declared(BaseModel):
    """Base of everything a human writes: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def plain_number(value: Any) -> Any:
    """Return a number as it is, or out of the text that `pulumi config set --path` writes for one.

    Raises:
        ValueError: the value is a truth value or some other text (" 5", "5 USD", "nan").
    """
    if isinstance(value, bool):
        msg = "a truth value is no number"
        raise ValueError(msg)  # noqa: TRY004 - pydantic turns a ValueError into its own error
    if isinstance(value, str):
        if not _PLAIN_NUMBER.fullmatch(value):
            msg = "this text is no number"
            raise ValueError(msg)
        return value.replace("_", "")
    return value


_number = BeforeValidator(plain_number)

Amount = Annotated[float, _number, Field(ge=0, allow_inf_nan=False)]
"""Zero or above."""
Positive = Annotated[float, _number, Field(gt=0, allow_inf_nan=False)]
"""Above zero."""
Fraction = Annotated[float, _number, Field(ge=0, le=1, allow_inf_nan=False)]
"""From 0 to 1."""
Share = Annotated[float, _number, Field(gt=0, le=1, allow_inf_nan=False)]
"""Above 0, up to 1."""
Growth = Annotated[float, _number, Field(gt=-1, le=1, allow_inf_nan=False)]
"""A change a month: 0.05 is 5 % more."""
Count = Annotated[int, _number, Field(ge=1)]
"""A whole number from 1."""
CountOrZero = Annotated[int, _number, Field(ge=0)]
"""A whole number from 0."""

UsdPerMtok = Annotated[float, _number, Field(ge=0.001, le=1000, allow_inf_nan=False)]
"""USD per million tokens. The bounds catch a price per token or per thousand."""
TokensPerMonth = Annotated[float, _number, Field(ge=1e5, le=1e15, allow_inf_nan=False)]
"""Tokens a month. The bounds catch a volume in millions, or one multiplied twice."""
UsdPerHour = Annotated[float, _number, Field(ge=0.01, le=2000, allow_inf_nan=False)]
"""USD for a node-hour. The bounds catch cents, and a price for a month."""

Text = Annotated[str, Field(min_length=1)]
"""Text that says something."""
Statement = Annotated[str, Field(min_length=20)]
"""A sentence: long enough to be one."""
DnsLabel = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,40}[a-z0-9])?$")]
"""A name Kubernetes takes: lower case, digits and dashes, at most 42 characters."""
Day = date
"""A calendar day, as YYYY-MM-DD."""
