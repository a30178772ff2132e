"""What a program tells Prometheus, read as Prometheus does."""

import re
import urllib.request
from dataclasses import dataclass

SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A sample of Prometheus' text format."""

    name: str
    labels: dict[str, str]
    value: float


def samples(url: str) -> list[Sample]:
    """Return what stands at a URL of metrics."""
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own
        text = answer.read().decode()
    return [
        Sample(name=name, labels=dict(LABEL.findall(labels)), value=float(value))
        for name, labels, value in SAMPLE.findall(text)
    ]


def total(url: str, metric: str, **labels: str) -> float:
    """Return the sum of a metric's series that have these labels."""
    found = (each for each in samples(url) if each.name == metric)
    return sum(each.value for each in found if labels.items() <= each.labels.items())
