"""Tells Langfuse what a token costs, of one's own and of a fallback; once per model and price. Pure.

A price counts from the moment it is registered: nothing that was recorded before is priced again.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi_kubernetes.batch.v1 import JobSpecArgsDict

from components.gateway.plan import GatewayPlan
from components.images import Images
from components.labels import selector
from components.observability.langfuse_environment import SECRET
from components.pods import hardened, pod_spec, resources, secret_variable, variable
from stacks.consistency import names_of
from stacks.stack import ServedModel

NAME: Final = "langfuse-prices"
USER_ID: Final = 1001
RUNS_S: Final = 3600
"""How long it waits for a Langfuse that is only starting."""
# Node is in Langfuse's own image. POST is not idempotent, so what is there is read first.
SCRIPT: Final = """
const host = process.env.LANGFUSE_URL, keys = process.env.PUBLIC_KEY + ':' + process.env.SECRET_KEY;
const headers = {authorization: 'Basic ' + Buffer.from(keys).toString('base64'),
  'content-type': 'application/json'};
const ask = async (path, options = {}) => {
  const answer = await fetch(host + path, {headers, signal: AbortSignal.timeout(10000), ...options});
  if (!answer.ok) throw new Error(path + ': ' + answer.status + ' ' + await answer.text());
  return answer.json();
};
const known = async () => {
  const found = [];
  for (let page = 1, pages = 1; page <= pages; page++) {
    const answer = await ask('/api/public/models?limit=100&page=' + page);
    found.push(...answer.data); pages = answer.meta.totalPages;
  }
  return found;
};
const priced = (model) => model.pricingTiers?.find((tier) => tier.isDefault)?.prices
  ?? {input: model.inputPrice, output: model.outputPrice};
const register = async () => {
  for (const wanted of JSON.parse(process.env.PRICES)) {
    const same = (await known()).filter((model) => model.modelName === wanted.modelName)
      .sort((a, b) => String(b.startDate ?? '').localeCompare(String(a.startDate ?? '')));
    const now = same[0] && priced(same[0]), price = wanted.pricingTiers[0].prices;
    if (now && now.input === price.input && now.output === price.output) continue;
    const body = same.length ? {...wanted, startDate: new Date().toISOString()} : wanted;
    await ask('/api/public/models', {method: 'POST', body: JSON.stringify(body)});
    console.log('registered', JSON.stringify(body));
  }
};
for (;;) {
  try { await register(); break; }
  catch (error) { console.error(String(error)); await new Promise((go) => setTimeout(go, 10000)); }
}
"""


@dataclass(frozen=True, kw_only=True)
class TokenPrice:
    """What a token of a model costs."""

    name: str
    """What Langfuse lists it as."""
    names: tuple[str, ...]
    """Every name that spans have for the model."""
    usd_per_mtok: float
    """USD per million tokens, input and output together."""
    output_usd_per_mtok: float | None = None
    """Where output is priced apart; `usd_per_mtok` is then the input's."""


def own_price(model: ServedModel, usd_per_mtok: float) -> TokenPrice:
    """Return what an answer of one's own replicas costs, under each name that clients use."""
    return TokenPrice(
        name=f"{model.name}-selfhosted", names=names_of(model), usd_per_mtok=usd_per_mtok
    )


def hosted_prices(gateway: GatewayPlan) -> list[TokenPrice]:
    """Return what answers of the fallbacks cost, by which their daily caps are counted too.

    One for each model of a provider; where two fallbacks declare other prices for it, the first's.
    """
    found: dict[str, TokenPrice] = {}
    for hosted in (model.hosted for model in gateway.models if model.hosted):
        name, price = hosted.traced_as, hosted.price
        found.setdefault(
            name,
            TokenPrice(
                name=name,
                names=(name,),
                usd_per_mtok=price.input_usd_per_mtok,
                output_usd_per_mtok=price.output_usd_per_mtok,
            ),
        )
    return list(found.values())


def model_price(price: TokenPrice) -> dict[str, Any]:
    """Return the body of POST /api/public/models: 0.25 USD per million tokens is 2.5e-7 a token."""
    output = price.usd_per_mtok if price.output_usd_per_mtok is None else price.output_usd_per_mtok
    names = "|".join(re.escape(name) for name in price.names)
    return {
        "modelName": price.name,
        "matchPattern": f"(?i)^({names})$",
        "unit": "TOKENS",
        "pricingTiers": [
            {
                "name": "Standard",
                "isDefault": True,
                "priority": 0,
                "conditions": [],
                "prices": {"input": _per_token(price.usd_per_mtok), "output": _per_token(output)},
            }
        ],
    }


def price_job_name(prices: Sequence[TokenPrice]) -> str:
    """Return a name that changes with any price: a Job runs once, and a new price is a new Job."""
    text = json.dumps([model_price(price) for price in prices], sort_keys=True)
    return f"{NAME}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def price_job(prices: Sequence[TokenPrice], url: str, images: Images) -> JobSpecArgsDict:
    """Return the Job that registers the prices at a Langfuse; run again, it changes nothing."""
    bodies = json.dumps([model_price(price) for price in prices], sort_keys=True)
    spec = pod_spec(
        [
            {
                "name": NAME,
                "image": images["langfuse-web"],
                "command": ["node", "--input-type=module", "--eval", SCRIPT],
                "env": [
                    variable("LANGFUSE_URL", url),
                    variable("PRICES", bodies),
                    secret_variable("PUBLIC_KEY", secret=SECRET, key="public-key"),
                    secret_variable("SECRET_KEY", secret=SECRET, key="secret-key"),
                ],
                "resources": resources(cpus=0.05, memory_gib=0.25),
                "security_context": hardened(),
            }
        ],
        name="default",
        chosen=selector(NAME, "langfuse"),
        grace_s=5,
        user_id=USER_ID,
    )
    return {
        "active_deadline_seconds": RUNS_S,
        "backoff_limit": 3,
        "template": {
            "metadata": {"labels": selector(NAME, "langfuse")},
            "spec": {**spec, "restart_policy": "Never"},
        },
    }


def _per_token(usd_per_mtok: float) -> float:
    return float(f"{usd_per_mtok / 1e6:.6g}")
