"""The comparator: the hosted API that would serve the same load."""

from stacks.costs import HostedOperations
from stacks.numbers import Day, Declared, Fraction, Text, UsdPerMtok


class Negotiated(Declared):
    """A price that was agreed with the provider, or that no price book lists."""

    input_usd_per_mtok: UsdPerMtok
    """USD per million input tokens."""
    cached_input_usd_per_mtok: UsdPerMtok | None = None
    """USD per million input tokens found in the provider's cache; without it they cost as input."""
    output_usd_per_mtok: UsdPerMtok
    """USD per million output tokens."""
    evidence: Text
    """The contract, quote or price page: a link or a document id."""
    checked: Day
    """Day the price was last confirmed."""


class Hosted(Declared):
    """Who would serve the model, and how they would bill it."""

    provider: Text
    """Provider, as in `python -m gate prices`; the same open model spans 6 to 10 times across them."""
    model: Text
    """Model, by the provider's own name for it."""
    negotiated: Negotiated | None = None
    """A negotiated price; the list price is then the second source it is compared with."""
    cached_input_fraction: Fraction
    """Share of the input tokens that the provider would bill at its cached price."""
    batch_fraction: Fraction
    """Share of the tokens that could wait for the batch price."""
    batch_discount_fraction: Fraction | None = None
    """Discount of the batch price, where the price book has none (0.5 is half)."""
    retry_fraction: Fraction
    """Tokens billed again because a request failed or timed out, relative to those that serve."""
    operations: HostedOperations
    """What using the API costs beside its tokens."""
