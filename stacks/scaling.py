"""How replicas follow the requests: what an engineer tunes without a new decision."""

from typing import Annotated

from pydantic import Field

from stacks.numbers import Count, Declared, Positive, Text

CRON = r"^\S+ \S+ \S+ \S+ \S+$"


class CronWindow(Declared):
    """Hours in which more replicas run, whatever the load is."""

    timezone: Text
    """IANA name, e.g. Europe/Berlin."""
    start: Annotated[str, Field(pattern=CRON)]
    """Cron expression of the beginning, e.g. 0 7 * * 1-5; start a cold start earlier."""
    end: Annotated[str, Field(pattern=CRON)]
    """Cron expression of the end."""
    replicas: Count
    """At least so many run in between."""


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
    """A hosted model that answers when the own one cannot; its price is that of `hosted`."""

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/:]+(:\d+)?(/[^\s?#]*)?$")]
    """OpenAI-compatible base, up to and with /v1: https://api.fireworks.ai/inference/v1."""
    model: Text
    """The provider's name for the model."""
    daily_cap_usd: Annotated[Positive, Field(le=4000)]
    """Spend a day (UTC) at which it closes, counted from the tokens of its answers."""
