"""Karpenter's custom resource definitions, as its own module has them."""

import yaml

from tests.engine.control_plane import ControlPlane
from tests.engine.kubernetes_api import Manifest
from tools import data_plane


def add_karpenter_definitions(plane: ControlPlane) -> None:
    """Add them, and wait until the API server serves them."""
    for file in sorted(data_plane.karpenter_crds().glob("karpenter.*.yaml")):
        definition = yaml.safe_load(file.read_text())
        plane.api.apply(definition)
        plane.api.wait_for(plane.api.path_of(definition), _is_served)


def _is_served(definition: Manifest) -> bool:
    conditions = definition.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
