"""The OpenTelemetry collector: takes spans, and keeps requests off Langfuse's pace. Pure.

Nothing behind it reaches a request: gateway and engines send spans beside their answers and forget
them, the queue is bounded, and what does not fit is dropped and counted (TracesLost). Without
Langfuse there is no collector, and nobody sends spans.
"""

import base64
from collections.abc import Mapping
from typing import Final

import pulumi
import yaml
from pulumi_kubernetes.core.v1 import ContainerArgsDict

from components.images import Images
from components.labels import selector
from components.pods import (
    FILES,
    files_volume,
    hardened,
    http_probe,
    pod_spec,
    resources,
    secret_variable,
    variable,
)
from components.workload import Workload
from stacks.observability import NoLangfuse, Observability, OwnLangfuse

NAME: Final = "otel-collector"
PORTS: Final = {"otlp-http": 4318, "metrics": 8888, "health": 13133}
FOLDER: Final = "/etc/otelcol"
INGESTION: Final = "/api/public/otel"
IN_CLUSTER: Final = "http://langfuse-web:3000"

MEMORY_GIB: Final = 0.5
LIMIT_MIB: Final = 400
"""Of the 512 the pod has; above it spans are refused instead of the process killed."""
QUEUE_BYTES: Final = 48 * 2**20
"""75,000 spans of 670 bytes: ten minutes of 60 requests a second, each with two. In memory only.

A span in memory takes four to five times its bytes. With 128 MiB the limiter refused from half of
the queue on, so it never was nearly full (measured with 0.158.0).
"""
RETRY_S: Final = 600
"""A batch is tried for so long; a Langfuse that is upgraded is back by then."""

RATE_LIMIT_CALL: Final = 'IsMatch(span.name, "^async .+ egress$")'
"""Envoy names the spans of its own calls so: only the rate-limit service is called that way."""
HARMLESS: Final = (
    r"^(http\\.(method|status_code|protocol|request_id)|guid:x-request-id|component|error"
    r"|request_size|response_size|response_flags|upstream_cluster(\\.name)?|upstream_address|node_id"
    r"|zone|langfuse\\.(user\\.id|session\\.id|environment|trace\\.(name|tags|metadata\\.(team|upstream))"
    r"|observation\\.(type|model\\.name|usage_details|cost_details|completion_start_time|level))"
    r"|gen_ai\\.(system|provider\\.name|operation\\.name|request\\.[a-z_]+|response\\.(model|id)"
    r"|usage\\.[a-z_]+|latency\\.[a-z_]+)|llm\\.token_count\\.[a-z_]+|llm\\.cost\\.total"
    r"|llm\\.model_name|user\\.id)$"
)
"""Attributes that are kept. What nobody listed could be a prompt, so it goes."""


def collector_workload(
    declared: Observability, images: Images, secrets: Mapping[str, pulumi.Input[str]]
) -> Workload | None:
    """Return the collector; None where no trace is kept."""
    langfuse = declared.langfuse
    if isinstance(langfuse, NoLangfuse):
        return None
    url = IN_CLUSTER if isinstance(langfuse, OwnLangfuse) else langfuse.url.rstrip("/")
    return Workload(
        name=NAME,
        component=NAME,
        instance=NAME,
        replicas=1,
        ports=PORTS,
        files={"config.yaml": collector_config(url, keep_prompts=declared.prompts is not None)},
        secrets={"authorization": basic_auth(secrets)},
        pod=pod_spec(
            [_container(images[NAME])],
            name=NAME,
            chosen=selector(NAME, NAME),
            grace_s=30,
            volumes=[files_volume(NAME)],
        ),
    )


def _container(image: str) -> ContainerArgsDict:
    return {
        "name": NAME,
        "image": image,
        "args": [f"--config={FOLDER}/config.yaml"],
        "env": [
            secret_variable("AUTHORIZATION", secret=NAME, key="authorization"),
            # The heap is collected before the limiter refuses, not when it is too late.
            variable("GOMEMLIMIT", f"{LIMIT_MIB}MiB"),
        ],
        "ports": [{"name": n, "container_port": p} for n, p in PORTS.items()],
        "resources": resources(cpus=0.1, memory_gib=MEMORY_GIB),
        "readiness_probe": http_probe("/", "health"),
        "liveness_probe": http_probe("/", "health", period_s=10, failures=6),
        "security_context": hardened(),
        "volume_mounts": [{"name": FILES, "mount_path": FOLDER, "read_only": True}],
    }


def collector_config(url: str, *, keep_prompts: bool) -> str:
    """Return the collector's configuration for a Langfuse at `url`.

    `keep_prompts`: prompts are recorded, so no attribute is taken out. Only components of
    tools/otel-collector are used.
    """
    metrics = {"host": "0.0.0.0", "port": PORTS["metrics"]}  # noqa: S104 - of the pod
    return yaml.safe_dump(
        {
            "extensions": {"health_check": {"endpoint": f"0.0.0.0:{PORTS['health']}"}},
            "receivers": {
                "otlp": {"protocols": {"http": {"endpoint": f"0.0.0.0:{PORTS['otlp-http']}"}}}
            },
            "processors": _processors(keep_prompts=keep_prompts),
            "exporters": {"otlp_http": _exporter(url)},
            "service": {
                "extensions": ["health_check"],
                "telemetry": {
                    "logs": {"level": "warn", "encoding": "json"},
                    "metrics": {"readers": [{"pull": {"exporter": {"prometheus": metrics}}}]},
                },
                "pipelines": {"traces": _pipeline(keep_prompts=keep_prompts)},
            },
        },
        sort_keys=False,
        width=1000,
    )


def _pipeline(*, keep_prompts: bool) -> dict[str, list[str]]:
    shorten = [] if keep_prompts else ["transform/harmless"]
    return {
        "receivers": ["otlp"],
        "processors": ["memory_limiter", "filter/limits", *shorten, "batch"],
        "exporters": ["otlp_http"],
    }


def _processors(*, keep_prompts: bool) -> dict[str, object]:
    found: dict[str, object] = {
        "memory_limiter": {
            "check_interval": "1s",
            "limit_mib": LIMIT_MIB,
            "spike_limit_mib": LIMIT_MIB // 4,
        },
        # A condition that cannot be evaluated drops nothing.
        "filter/limits": {"error_mode": "ignore", "trace_conditions": [RATE_LIMIT_CALL]},
        "batch": {"send_batch_size": 512, "send_batch_max_size": 512, "timeout": "5s"},
    }
    if not keep_prompts:
        found["transform/harmless"] = {
            # Rather lose a batch than send what could not be shortened.
            "error_mode": "propagate",
            # A group for each context: in one list both would run for events alone.
            "trace_statements": [
                {"context": context, "statements": [statement]}
                for context, statement in (
                    ("span", f'keep_matching_keys(span.attributes, "{HARMLESS}")'),
                    (
                        "spanevent",
                        'keep_matching_keys(spanevent.attributes, "^exception\\\\.type$")',
                    ),
                )
            ],
        }
    return found


def _exporter(url: str) -> dict[str, object]:
    return {
        "endpoint": f"{url}{INGESTION}",
        "headers": {
            "Authorization": "${env:AUTHORIZATION}",
            # Spans are written as they come, in a Langfuse that was upgraded from 3 too.
            "x-langfuse-ingestion-version": "4",
        },
        "timeout": "10s",
        "sending_queue": {
            "enabled": True,
            "sizer": "bytes",
            "queue_size": QUEUE_BYTES,
            "num_consumers": 4,
            "block_on_overflow": False,
        },
        "retry_on_failure": {
            "enabled": True,
            "initial_interval": "1s",
            "max_interval": "30s",
            "max_elapsed_time": f"{RETRY_S}s",
        },
    }


def basic_auth(secrets: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str]:
    """Return the Authorization header of Langfuse's ingestion: pk-lf-a, sk-lf-b -> Basic cGstbGYtYTpzay1sZi1i."""

    def header(pair: tuple[str, str]) -> str:
        return f"Basic {base64.b64encode(':'.join(pair).encode()).decode()}"

    public, secret = secrets["langfuse-public-key"], secrets["langfuse-secret-key"]
    if isinstance(public, str) and isinstance(secret, str):
        return header((public, secret))
    return pulumi.Output.all(public, secret).apply(lambda pair: header((pair[0], pair[1])))
