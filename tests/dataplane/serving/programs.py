"""Which programs of this machine stand for the images of a stack."""

from dataclasses import replace

from tests.dataplane.process_node.images import Image
from tools import tiny_model
from tools.data_plane import DataPlane


def images_of(plane: DataPlane) -> dict[str, Image]:
    """Return the table of images of a process node, by repository."""
    vllm = plane.vllm
    folder = plane.tiny_model
    engine = Image(
        commands={
            "vllm": (str(vllm.python), "-m", "vllm.entrypoints.cli.main"),
            "python3": (str(vllm.python),),
        },
        environment=vllm.environment(folder) | tiny_model.ONE_PROCESS,
        reads=(vllm.overlay, folder),
    )
    # The image for GPUs runs on the CPU here, with the least that takes; memory and threads of its twin
    # are those that are declared.
    smallest = replace(engine, environment=vllm.environment(folder) | tiny_model.SETTINGS)
    return {
        "envoyproxy/envoy": _program("/usr/local/bin/envoy", str(plane.envoy)),
        "envoyproxy/ratelimit": _program("/bin/ratelimit", str(plane.ratelimit)),
        "redis": _program("redis-server", str(plane.redis_server)),
        "vllm/vllm-router": _program(
            "vllm-router", str(plane.vllm_router.with_name("python")), str(plane.vllm_router)
        ),
        "vllm/vllm-openai": smallest,
        "vllm/vllm-openai-cpu": engine,
        "langfuse/langfuse": Image(commands={"node": ("node",)}),  # for the Job that sets prices
        "prom/prometheus": Image(entrypoint=(str(plane.prometheus),)),
        "otel/opentelemetry-collector-contrib": Image(entrypoint=(str(plane.otelcol),)),
    }


def _program(command: str, *here: str) -> Image:
    return Image(commands={command: here})
