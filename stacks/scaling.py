"""How replicas follow the requests: what an engineer tunes without a new decision."""

import difflib
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from stacks.addresses import never_in_clear
from stacks.cron import cron
from stacks.errors import ContradictionError
from stacks.numbers import Count, Declared, Positive, Text, UsdPerMtokOrZero

Cron = Annotated[str, AfterValidator(cron)]


def _timezone(name: str) -> str:
    known = available_timezones()
    if known and name not in known:  # a machine without time zones cannot tell
        near = difflib.get_close_matches(name, known, n=1)
        raise ContradictionError(
            found=f"{name!r:.80}, an unknown time zone",
            allowed="a name of the IANA database, e.g. Europe/Berlin",
            remedy=f"did you mean {near[0]}?" if near else "correct the name",
        )
    return name


class CronWindow(Declared):
    """Hours in which more replicas run, whatever the load is."""

    timezone: Annotated[Text, AfterValidator(_timezone)]
    """IANA name, e.g. Europe/Berlin."""
    start: Cron
    """Cron expression of the beginning, e.g. 0 7 * * 1-5; start a cold start earlier."""
    end: Cron
    """Cron expression of the end."""
    replicas: Count
    """At least so many run in between; at most pool.replicas.max."""

    @model_validator(mode="after")
    def _ends_at_another_time(self) -> Self:
        if self.start == self.end:
            raise ContradictionError(
                field=".end",
                found=f"{self.end!r}, which is the start as well",
                allowed="another time than start",
                remedy="correct one of them: KEDA takes no window without a length",
            )
        return self


class Scaling(Declared):
    """The autoscaler of one model; the floor, the cap and the lead are the pool's."""

    requests_per_replica: Positive | None = None
    """Requests in flight that one replica serves within the SLO; left out, from the benchmark by
    Little's law (docs/serving.md)."""
    cooldown_seconds: Positive
    """Time without a request before the last replica goes; longer than the cold start."""
    windows: tuple[CronWindow, ...] = ()
    """Hours with a higher floor."""


class Fallback(Declared):
    """A hosted model that answers when the own one cannot."""

    base_url: Annotated[
        str,
        Field(pattern=r"^https?://[^\s/:]+(:\d+)?(/[^\s?#]*)?$"),
        AfterValidator(never_in_clear),
    ]
    """OpenAI-compatible base, up to and with /v1: https://api.fireworks.ai/inference/v1."""
    model: Text
    """The provider's name for the model."""
    daily_cap_usd: Annotated[Positive, Field(le=4000)]
    """Spend a day (UTC) at which it closes, counted from the tokens of its answers."""
    input_usd_per_mtok: UsdPerMtokOrZero | None = None
    """USD per million input tokens, by which the cap is counted; left out, the price of `hosted`."""
    output_usd_per_mtok: UsdPerMtokOrZero | None = None
    """USD per million output tokens, by which the cap is counted; both prices or none."""

    @model_validator(mode="after")
    def _both_prices_or_none(self) -> Self:
        prices = {
            "input_usd_per_mtok": self.input_usd_per_mtok,
            "output_usd_per_mtok": self.output_usd_per_mtok,
        }
        missing = [name for name, price in prices.items() if price is None]
        if len(missing) == 1:
            raise ContradictionError(
                field=f".{missing[0]}",
                found="nothing, with a price for the other tokens",
                allowed="both prices, or none",
                remedy=f"add {missing[0]}",
            )
        return self
