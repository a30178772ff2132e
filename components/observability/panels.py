"""Rows and panels of a Grafana dashboard, and where they lie. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

WIDTH, HEIGHT, PANEL_WIDTH = 24, 8, 8
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A time series; its queries by legend."""

    title: str
    unit: str
    """Grafana's name of it."""
    queries: tuple[tuple[str, str], ...]
    """Legend and expression."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A title over panels."""

    title: str
    panels: tuple[Panel, ...]


def placed(shown: Iterable[Row]) -> Iterable[dict[str, Any]]:
    """Yield rows and panels with their places, three panels beside each other."""
    top, number = 0, 0
    for row in shown:
        number += 1
        place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "gridPos": place, "panels": []}
        top += 1
        for index, panel in enumerate(row.panels):
            number += 1
            column, line = index % (WIDTH // PANEL_WIDTH), index // (WIDTH // PANEL_WIDTH)
            place = {"x": column * PANEL_WIDTH, "y": top + line * HEIGHT}
            yield _drawn(panel, number, {**place, "w": PANEL_WIDTH, "h": HEIGHT})
        top += HEIGHT * -(-len(row.panels) // (WIDTH // PANEL_WIDTH))


def _drawn(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(65 + index), "expr": expr, "legendFormat": legend}
            for index, (legend, expr) in enumerate(panel.queries)
        ],
    }
