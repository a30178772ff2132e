"""What is asked of a model: how much, of which shape, how fast, and when."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stacks.errors import ContradictionError
from stacks.numbers import (
    Count,
    CountOrZero,
    Day,
    Declared,
    Fraction,
    Growth,
    Positive,
    Share,
    Text,
    TokensPerMonth,
    TokensPerRequest,
    TokensPerSecond,
)


class Trace(Declared):
    """The load is that of a recorded trace."""

    kind: Literal["trace"]
    file: Text
    """CSV file, relative to the folder of the stack file; columns as in docs/model.md#load."""
    missing_hours: Literal["refuse", "exclude", "zero"] = "refuse"
    """What an hour without a row means: exclude where it is unknown, zero where it was idle."""
    burst_factor: Annotated[Positive, Field(ge=1, le=100)] | None = None
    """Peak minute over the mean of its hour; left out where a per-request trace shows it."""


class Constant(Declared):
    """The load is the same at all hours."""

    kind: Literal["constant"]
    burst_factor: Annotated[Positive, Field(ge=1, le=100)] = 1.0
    """Peak minute over the mean."""


class PeakToMean(Declared):
    """Only the peak is known; enough for a pool of fixed size."""

    kind: Literal["peak_to_mean"]
    ratio: Annotated[Positive, Field(ge=1, le=1000)]
    """Busiest hour over the mean hour."""
    burst_factor: Annotated[Positive, Field(ge=1, le=100)] = 1.0
    """Peak minute over the mean of its hour."""


class Diurnal(Declared):
    """The load follows day and night."""

    kind: Literal["diurnal"]
    peak_to_mean: Annotated[Positive, Field(ge=1, le=2)]
    """Busiest hour of a working day over that day's mean, 1 to 2; steeper loads need a trace."""
    weekend_factor: Fraction
    """Load of a Saturday or Sunday relative to a working day."""
    burst_factor: Annotated[Positive, Field(ge=1, le=100)] = 1.0
    """Peak minute over the mean of its hour."""


class BusinessHours(Declared):
    """The load comes while an office is open."""

    kind: Literal["business_hours"]
    first_hour: Annotated[CountOrZero, Field(le=23)]
    """Hour of the day (0 to 23) in which it begins."""
    last_hour: Annotated[Count, Field(le=24)]
    """Hour of the day (1 to 24) at whose beginning it ends."""
    off_hours_fraction: Fraction
    """Load outside these hours relative to within."""
    weekend_factor: Fraction
    """Load of a Saturday or Sunday relative to a working day."""
    burst_factor: Annotated[Positive, Field(ge=1, le=100)] = 1.0
    """Peak minute over the mean of its hour."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.last_hour <= self.first_hour:
            raise ContradictionError(
                field=".last_hour",
                found=f"{self.last_hour}, with first_hour {self.first_hour}",
                allowed="an hour after first_hour",
                remedy="take the hour at whose beginning the office closes; a trace can cross midnight",
            )
        return self


class MeasuredUtilization(Declared):
    """Utilization was measured, best on a shadow deployment of about a week."""

    kind: Literal["measured_utilization"]
    evidence: Text
    """JSON file of the measurement, relative to the folder of the stack file (docs/model.md#measured)."""


class AssumedUtilization(Declared):
    """Utilization is a guess, and marked as one wherever it shows."""

    kind: Literal["assumed_utilization"]
    utilization: Share
    """Tokens served over tokens possible at saturation, 0 to 1."""


Load = Annotated[
    Trace
    | Constant
    | PeakToMean
    | Diurnal
    | BusinessHours
    | MeasuredUtilization
    | AssumedUtilization,
    Field(discriminator="kind"),
]


class Slo(Declared):
    """The latency that the throughput was measured at and users were promised."""

    ttft_p99_ms: Positive
    """Time to first token, 99th percentile, milliseconds."""
    tpot_p50_ms: Positive
    """Time per output token after the first, median, milliseconds."""


class Workload(Declared):
    """What is asked of one model."""

    tokens_per_month: TokensPerMonth
    """Tokens a month of 730 hours, input and output together."""
    input_tokens_per_request: TokensPerRequest
    """Mean input length, cached tokens included."""
    output_tokens_per_request: TokensPerRequest
    """Mean output length."""
    max_input_tokens: Count
    """The longest input that is accepted."""
    max_output_tokens: Count
    """The longest output that is generated."""
    prefix_cache_hit_fraction: Fraction
    """Share of the input tokens that the engine's prefix cache is expected to hold."""
    growth_per_month: Growth
    """Growth of the volume a month: 0.05 is 5 %, 0 is none."""
    slo: Slo
    """What users were promised."""
    load: Load
    """When the tokens are asked for; decides how much of the hardware is used."""

    @property
    def input_share(self) -> float:
        """Return input tokens over all tokens."""
        total = self.input_tokens_per_request + self.output_tokens_per_request
        return self.input_tokens_per_request / total

    @property
    def max_model_len(self) -> int:
        """Return the context the engine must hold: the longest input and the longest output."""
        return self.max_input_tokens + self.max_output_tokens


class Evidence(Declared):
    """The content of a measurement file that `measured_utilization` names."""

    kind: Literal["prometheus", "langfuse"]
    query: Text
    """What was asked of the source, so that it can be asked again."""
    window_start: Day
    """First day of the window."""
    window_end: Day
    """Day after the last of the window."""
    tokens_served: Positive
    """Tokens, input and output together, served within the window."""
    replica_hours: Positive
    """Hours that replicas were up within the window, summed over them."""
    saturated_tokens_per_second: TokensPerSecond
    """Tokens per second of one replica at saturation, from the same deployment."""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.window_end <= self.window_start:
            raise ContradictionError(
                field=".window_end",
                found=f"{self.window_end}, with a start on {self.window_start}",
                allowed="a day after window_start",
                remedy="name the day after the last one that was measured",
            )
        return self
