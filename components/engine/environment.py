"""The environment variables of one engine, secrets apart. Pure."""

from typing import Final

FIXED: Final = {
    # Any user id may run the pod, and one that the image does not know has no name: torch asks for
    # the name when it chooses where to cache, and takes it from here before it looks it up.
    "USER": "vllm",
    # Nothing about what is served leaves the cluster.
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # vLLM closes an idle connection after 5 s; a router keeps its own for longer and would send a
    # request into one that is just being closed.
    "VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "75",
    # Development endpoints (new weights, remote calls, cache resets) ask for no key.
    "VLLM_SERVER_DEV_MODE": "0",
    # A second series for each counter, its creation time, which nothing reads.
    "PROMETHEUS_DISABLE_CREATED_SERIES": "true",
}

OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

ROUTER_ROOM_MIB: Final = 1
"""The router writes the body anew, with defaults that the client left out."""


def environment(
    *,
    weights_path: str,
    engine_cache_path: str,
    home_path: str,
    startup_budget_s: int,
    largest_request_mib: float,
    offline: bool,
    traced_as: str | None,
    aws_region: str | None = None,
    cpu_threads: int | None = None,
) -> dict[str, str]:
    """Return the engine's environment variables.

    The three paths must be writable by the pod's user: `weights_path` holds the hub's downloads,
    `engine_cache_path` compiled graphs (kept, they shorten the next cold start) and `home_path` what
    other libraries write. `startup_budget_s` is what the startup probe allows; `offline` says that
    the weights are in place and the hub must not be asked; `traced_as` is the name under which spans
    are sent, None where none are; `aws_region` is that of the stack's bucket for weights, None where
    they are elsewhere; `cpu_threads` is how many compute, None where GPUs do.
    """
    variables = {
        "HOME": home_path,
        "HF_HOME": weights_path,
        "VLLM_CACHE_ROOT": engine_cache_path,
        # The API server gives up on its engine after 600 s; the startup probe alone decides that.
        "VLLM_ENGINE_READY_TIMEOUT_S": str(startup_budget_s),
        # The gateway refuses what is larger; this holds for who reaches the engine without it.
        # In 0.33.0 the Rust frontend alone declares such a limit, the Python one reads any length.
        "VLLM_HTTP_MAX_REQUEST_BODY_SIZE": str(
            int((largest_request_mib + ROUTER_ROOM_MIB) * 2**20)
        ),
    }
    if offline:
        variables |= OFFLINE
    return FIXED | variables | _tracing(traced_as) | aws(aws_region) | _threads(cpu_threads)


def aws(region: str | None) -> dict[str, str]:
    """Return what clients of AWS read: boto3 the first region, the streamer's C++ client the second.

    In us-east-1 boto3 asks <bucket>.s3.amazonaws.com unless told otherwise. A stack without a way out
    reaches only names of the region, <bucket>.s3.us-east-1.amazonaws.com: an interface endpoint has no
    others. The C++ client reads the same variable. AWS_ENDPOINT_URL_S3 would do too, but with it boto3
    puts the bucket into the path, and newer C++ clients take it over with its scheme.
    """
    if region is None:
        return {}
    return {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "regional",
    }


def _threads(count: int | None) -> dict[str, str]:
    """Return what keeps vLLM on a CPU to its pod's share.

    By itself it binds a thread to each core of a NUMA node that it may run on: all of them in a pod, whose
    limit is of time.
    """
    if count is None:
        return {}
    return {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(count)}


def _tracing(name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    # vLLM sends gRPC unless told otherwise, and the collector takes HTTP.
    return {"OTEL_SERVICE_NAME": name, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"}
