"""The decision for a review: a heading to skim, and the full table folded below it."""

from gate.costs import AWS, total
from gate.decision import Decision
from gate.report.text import text
from gate.report.words import MEANING, flip_rows, tokens, usd


def markdown(decision: Decision) -> str:
    """Return the decision as GitHub-flavoured markdown."""
    whole = decision.whole
    aws_usd = total(item for item in decision.shared if item.group == AWS)
    word = "allowed" if decision.allowed else "REFUSED"
    lines = [
        f"## Break-even: `{decision.verdict.value}`, deploying is {word}",
        "",
        f"{MEANING[decision.verdict].capitalize()}. As of {decision.as_of}.",
        "",
        "| | USD/month | USD/Mtok |",
        "|---|--:|--:|",
        _bill("self-hosted", whole.self_hosted_usd, whole.tokens_per_month),
        *(
            [_bill("of that, AWS around the GPU nodes", aws_usd, whole.tokens_per_month)]
            if aws_usd
            else []
        ),
        _bill("hosted", whole.hosted_usd, whole.tokens_per_month),
        "",
        f"At {tokens(whole.tokens_per_month)} tokens a month.",
    ]
    if decision.blocking:
        lines[4:4] = [*(f"- **blocking** {problem}" for problem in decision.blocking), ""]
    rows = flip_rows(decision)
    if rows:
        lines += ["", "The verdict would change at, each alone:", ""]
        lines += [f"- {label}: {value}" for label, value in rows]
    lines += ["", "<details><summary>All figures</summary>", "", "```text", text(decision), "```"]
    return "\n".join([*lines, "", "</details>"])


def _bill(name: str, usd_per_month: float, volume: float) -> str:
    return f"| {name} | {usd(usd_per_month)} | {usd_per_month / volume * 1e6:.4f} |"
