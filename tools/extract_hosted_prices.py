"""Write gate/data/hosted/<provider>.json out of the pinned genai-prices package.

    python tools/extract_hosted_prices.py [--check] [--second litellm-1.109.1-….whl]

The second source is read out of the litellm wheel, which is never installed (`pip download
--no-deps litellm==1.109.1`); without it the second prices already held are kept.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeAlias

from genai_prices import types
from genai_prices.data import providers

HOSTED: Final = Path(__file__).parent.parent / "gate" / "data" / "hosted"
PACKAGE: Final = "0.2.3"
SECOND: Final = "litellm 1.109.1"
EXTRACTED: Final = "2026-11-21"
"""The day this version was extracted; it moves together with PACKAGE and SECOND."""

RATES: Final = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok")
TOTALS: Final = ("input_mtok", "output_mtok")
SECOND_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws": ("bedrock", "bedrock_converse"),
    "cohere": ("cohere", "cohere_chat"),
    "fireworks": ("fireworks_ai",),
    "github-copilot": ("github_copilot",),
    "google": ("gemini",),
    "moonshotai": ("moonshot",),
    "together": ("together_ai",),
    "voyageai": ("voyage",),
    "x-ai": ("xai",),
}
"""Names of a provider in the second source where they differ; its bedrock keys have no prefix."""

Json: TypeAlias = dict[str, Any]


def start_of(constraint: object) -> str | None:
    """Return the day from which a price holds, or None where the source gives none."""
    day = getattr(constraint, "start_date", None)
    return day.isoformat() if day else None


def at(price: object, tokens: int) -> Decimal | None:
    """Return a rate for a prompt of so many tokens: crossing a tier reprices all of them."""
    if isinstance(price, types.TieredPrices):
        passed = [tier.price for tier in price.tiers if tokens > tier.start]
        return passed[-1] if passed else price.base
    return price if isinstance(price, Decimal) else None


def rates_at(prices: Mapping[str, object], tokens: int) -> Json:
    """Return the known rates in USD per million tokens for a prompt of so many tokens."""
    known = {key: at(prices.get(key), tokens) for key in RATES}
    return {key: float(rate) for key, rate in known.items() if rate is not None}


def rates(price: types.ModelPrice) -> Json:
    """Return the rates of a price, its long-prompt tiers, and what else it bills for."""
    stored = {key: value for key, value in vars(price).items() if value is not None}
    tiered = [value for value in stored.values() if isinstance(value, types.TieredPrices)]
    starts = sorted({tier.start for value in tiered for tier in value.tiers})
    tiers = [{"above_input_tokens": n, **rates_at(stored, n + 1)} for n in starts]
    other = sorted(key for key in stored if key not in RATES)
    return rates_at(stored, 0) | named("tiers", tiers) | named("other_units", other)


def named(key: str, value: object) -> Json:
    """Return a field, or nothing where its value is empty."""
    return {key: value} if value else {}


def whole(price: types.ModelPrice) -> Json:
    """Return a price that says null where it has no input or output rate."""
    return dict.fromkeys(TOTALS) | rates(price)


def dated(model: types.ModelInfo) -> list[Json]:
    """Return the price history, oldest first; "from" is null where no start is known."""
    if isinstance(model.prices, types.ModelPrice):
        return [{"from": None, **whole(model.prices)}]
    history = [p for p in model.prices if not isinstance(p.constraint, types.TimeOfDateConstraint)]
    return [{"from": start_of(p.constraint), **whole(p.prices)} for p in history]


def hours(model: types.ModelInfo) -> list[Json]:
    """Return the prices of certain hours of the day (UTC), which replace the dated ones."""
    conditional = [] if isinstance(model.prices, types.ModelPrice) else model.prices
    return [
        {
            "from_utc": price.constraint.start_time.strftime("%H:%M"),
            "to_utc": price.constraint.end_time.strftime("%H:%M"),
            **whole(price.prices),
        }
        for price in conditional
        if isinstance(price.constraint, types.TimeOfDateConstraint)
    ]


def batch(model: types.ModelInfo) -> list[Json]:
    """Return the rates of batch processing; a rate left out is the standard one."""
    return [
        {"from": start_of(variant.constraint), **rates(variant.prices)}
        for variant in model.price_variants or ()
        if variant.when == {"processing": "batch"}
    ]


def aliases(provider: types.Provider, model: types.ModelInfo) -> list[str]:
    """Return the other exact names by which the package finds this model."""
    clauses = getattr(model.match, "or_", [model.match])
    names = {clause.equals for clause in clauses if isinstance(clause, types.ClauseEquals)}
    return sorted(name for name in names - {model.id} if provider.find_model(name) is model)


def second_price(names: Sequence[str], second: Mapping[str, Json]) -> Json:
    """Return the second source's price: under the model's id, else where its aliases agree."""
    found = [second[name.casefold()] for name in names if name.casefold() in second]
    if names[0].casefold() in second or all(price == found[0] for price in found):
        return named("second", found and {"source": SECOND, **found[0]})
    return {}


def entry(provider: types.Provider, model: types.ModelInfo, second: Mapping[str, Json]) -> Json:
    """Return one model's entry."""
    other_names = aliases(provider, model)
    return (
        {"name": model.name or model.id}
        | named("aliases", other_names)
        | named("deprecated", model.deprecated)
        | named("free", model.id.endswith(":free"))
        | named("comment", model.price_comments)
        | {"prices": dated(model)}
        | named("hours", hours(model))
        | named("batch", batch(model))
        | second_price([model.id, *other_names], second)
    )


def document(provider: types.Provider, second: Mapping[str, Json]) -> Json:
    """Return one provider's file."""
    models = sorted(provider.models, key=lambda model: model.id)
    return {
        "provider": provider.id,
        "name": provider.name,
        "pricing_urls": provider.pricing_urls,
        "comment": provider.price_comments,
        "source": {
            "package": f"genai-prices {PACKAGE}",
            "url": "https://github.com/pydantic/genai-prices",
            "licence": "MIT",
            "extracted": EXTRACTED,
            "checked": newest_start(),
        },
        "models": {m.id: entry(provider, m, second) for m in models},
    }


def newest_start() -> str:
    """Return the newest start of a price: the release, which keeps no other date, is no older."""
    histories = (dated(model) for provider in providers for model in provider.models)
    starts = {record["from"] or "" for history in histories for record in history}
    return max(start for start in starts if start <= EXTRACTED)


def text(content: Json) -> str:
    """Return a file's text: compact, one model a line, so that a diff shows what moved."""
    head = {key: value for key, value in content.items() if key != "models"}
    lines = [f"{compact(name)}:{compact(entry)}" for name, entry in content["models"].items()]
    return f'{compact(head)[:-1]},"models":{{\n' + ",\n".join(lines) + "\n}}\n"


def compact(value: object) -> str:
    """Return JSON without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_second(wheel: Path) -> dict[str, dict[str, Json]]:
    """Return the wheel's prices by its provider name and the model's name after the prefix.

    The list writes 0 for unknown as well as for free, so a model without a price is left out.
    """
    if not wheel.name.startswith(SECOND.replace(" ", "-") + "-"):
        sys.exit(f"{wheel.name} is not a wheel of {SECOND}")
    with zipfile.ZipFile(wheel) as archive:
        listed: Json = json.loads(
            archive.read("litellm/model_prices_and_context_window_backup.json"), parse_float=Decimal
        )
    prices: dict[str, dict[str, Json]] = {}
    for key, model in listed.items():
        name = str(model.get("litellm_provider"))
        costs = {rate: model.get(f"{rate[:-5]}_cost_per_token") or None for rate in TOTALS}
        if any(costs.values()):
            mtok = {r: float(Decimal(cost) * 10**6) if cost else None for r, cost in costs.items()}
            prices.setdefault(name, {})[key.removeprefix(f"{name}/").casefold()] = mtok
    return prices


def kept_second(provider: types.Provider) -> dict[str, Json]:
    """Return the second prices that a provider's file already holds."""
    path = HOSTED / f"{provider.id}.json"
    models = json.loads(path.read_text("utf-8"))["models"] if path.exists() else {}
    held = {name.casefold(): entry.get("second", {}) for name, entry in models.items()}
    same = {name: price for name, price in held.items() if price.get("source") == SECOND}
    return {name: {rate: price[rate] for rate in TOTALS} for name, price in same.items()}


def second_of(
    provider: types.Provider, read: Mapping[str, Mapping[str, Json]] | None
) -> dict[str, Json]:
    """Return the second prices of a provider's models by lower-case name."""
    if read is None:
        return kept_second(provider)
    names = SECOND_NAMES.get(provider.id, (provider.id,))
    return {name: price for listed in names for name, price in read.get(listed, {}).items()}


def main() -> None:
    """Write the files, or say which would change."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if files differ")
    parser.add_argument("--second", type=Path, metavar="WHEEL", help=f"wheel of {SECOND}")
    arguments = parser.parse_args()
    if (installed := version("genai-prices")) != PACKAGE:
        sys.exit(f"genai-prices {installed} is installed, the extract is pinned to {PACKAGE}")
    read = read_second(arguments.second) if arguments.second else None
    wanted = {f"{p.id}.json": text(document(p, second_of(p, read))) for p in providers}
    held = {path.name: path.read_text("utf-8") for path in HOSTED.glob("*.json")}
    changed = sorted(name for name in wanted | held if wanted.get(name) != held.get(name))
    if changed and arguments.check:
        sys.exit(f"differ from genai-prices {PACKAGE}, run without --check: {', '.join(changed)}")
    for name in held.keys() - wanted.keys():
        (HOSTED / name).unlink()
    for name in wanted.keys() & set(changed):
        (HOSTED / name).write_text(wanted[name], "utf-8")
    print(f"{len(wanted)} files of genai-prices {PACKAGE}, {len(changed)} changed")


if __name__ == "__main__":
    main()
