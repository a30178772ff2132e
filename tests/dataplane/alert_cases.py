"""When each alert fires and when it stays silent: series, and the answer."""

from dataclasses import replace
from typing import NamedTuple

from components.observability.parts import rule_groups
from components.observability.signals import Selector
from tests.components.observability.declared import a_model

NAMESPACE = "serving-test"
HERE = f'namespace="{NAMESPACE}"'
UP = f'up{{{HERE},job="vllm",model="MODEL",pod="p"}}'
GATEWAY = f'{{{HERE},envoy_http_conn_manager_prefix="PREFIX",envoy_response_code_class="CLASS"}}'


GROUPS = rule_groups(
    (
        replace(a_model(replicas_min=1, autoscaled=False), name="warm"),
        replace(a_model(replicas_min=0), name="zero"),
    ),
    Selector(namespace=NAMESPACE),
    gpus=True,
)


class Case(NamedTuple):
    """Series minute by minute (promtool's notation), and whether the alert fires then."""

    alert: str
    series: dict[str, str]
    at: str
    fires: bool


def up(model: str, values: str) -> dict[str, str]:
    return {UP.replace("MODEL", model): values}


def requests(prefix: str, code: str, values: str) -> dict[str, str]:
    labels = GATEWAY.replace("PREFIX", prefix).replace("CLASS", code)
    return {f"envoy_http_downstream_rq_xx{labels}": values}


def active(model: str, values: str) -> dict[str, str]:
    labels = f'{HERE},envoy_http_conn_manager_prefix="model_{model}"'
    return {f"envoy_http_downstream_rq_active{{{labels}}}": values}


def tokens(model: str, values: str) -> dict[str, str]:
    names = ("prompt_tokens_total", "generation_tokens_total")
    return {f'vllm:{name}{{{HERE},model="{model}",pod="p"}}': values for name in names}


def first_tokens(within: str, every: str) -> dict[str, str]:
    start, labels = "vllm:time_to_first_token_seconds", f'{HERE},model="warm",pod="p"'
    return {
        f'{start}_bucket{{{labels},le="2.5"}}': within,
        f'{start}_bucket{{{labels},le="+Inf"}}': every,
        f"{start}_count{{{labels}}}": every,
    }


def here(metric: str, values: str, more: str = "") -> dict[str, str]:
    return {f"{metric}{{{HERE}{more}}}": values}


CUT_OFF = "envoy_cluster_upstream_cx_destroy_remote_with_active_rq"
QUEUE = "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"
NEAR = "ratelimit_service_rate_limit_near_limit"
UNLIMITED = "envoy_cluster_ratelimit_failure_mode_allowed"
PENDING = ',phase="Pending",pod="warm-7d4b9c6f5-x2x7k"'
ROUTER_PENDING = ',phase="Pending",pod="warm-router-7d4b9c6f5-x2x7k"'

ERRORS = "keda_scaled_object_errors_total"
ASKED = "keda_scaler_http_requests_total"
EMPTY = "keda_scaler_empty_upstream_responses_total"
READS = active("zero", "0x60")
"""What KEDA asks for is there."""
XID = "DCGM_FI_DEV_XID_ERRORS"


def cluster(metric: str, name: str, values: str) -> dict[str, str]:
    return here(metric, values, f',envoy_cluster_name="{name}"')


def gpu(code: int, pod: str = "warm-7d4b9c6f5-x2x7k") -> str:
    return f',node="n",gpu="0",err_code="{code}",err_msg="m",pod="{pod}"'


CASES = [
    Case("GatewayDown", {}, "2m", fires=True),
    Case("GatewayDown", here("up", "1x10", ',job="gateway"'), "5m", fires=False),
    Case(
        "ErrorShareHigh",
        requests("gateway", "2", "0+90x30") | requests("gateway", "5", "0+10x30"),
        "20m",
        fires=True,
    ),
    Case(
        "ErrorShareHigh",
        # Refusals of clients that ask too much are none of ours.
        requests("gateway", "2", "0+90x30") | requests("gateway", "4", "0+90x30"),
        "20m",
        fires=False,
    ),
    Case("LimiterDown", here(UNLIMITED, "0+1x20"), "10m", fires=True),
    Case("LimiterDown", here(UNLIMITED, "0x20"), "10m", fires=False),
    Case(
        "XidError",
        here(XID, "0x10 stale", gpu(0)) | here(XID, "_x10 79x5", gpu(79)),
        "12m",
        fires=True,
    ),
    Case("XidError", here(XID, "0x20", gpu(0)), "12m", fires=False),
    # The exporter goes on to report it; what has the GPU now is another pod.
    Case(
        "XidError",
        here(XID, "79x60 stale", gpu(79)) | here(XID, "_x60 79x1500", gpu(79, "warm-new")),
        "25h",
        fires=False,
    ),
    Case(
        "XidError",
        here(XID, "79x1600", gpu(79)) | here(XID, "_x1500 31x50", gpu(31)),
        "25h30m",
        fires=True,
    ),
    Case("EngineDown", up("warm", "1x5 0x5"), "8m", fires=True),
    Case("EngineDown", up("warm", "0x5"), "4m", fires=False),
    Case("NoReplica", up("zero", "0x20") | up("warm", "0x20"), "5m", fires=True),
    Case("NoReplica", up("warm", "1x20"), "20m", fires=False),
    # At zero a request may wait for the start, twice 300 s at most.
    Case("NoReplica", up("warm", "1x20") | active("zero", "3x20"), "9m", fires=False),
    Case("NoReplica", up("warm", "1x20") | active("zero", "3x20"), "11m", fires=True),
    Case("ColdStartOverBudget", up("zero", "0x20"), "12m", fires=True),
    Case("ColdStartOverBudget", up("zero", "0x5 1x20"), "12m", fires=False),
    Case(
        "KvCacheFull", here("vllm:kv_cache_usage_perc", "0.95x20", ',model="m"'), "15m", fires=True
    ),
    Case(
        "KvCacheFull", here("vllm:kv_cache_usage_perc", "0.9x20", ',model="m"'), "15m", fires=False
    ),
    Case(
        "QueueGrows",
        here("vllm:num_requests_waiting", "0+3x60", ',model="warm",pod="p"'),
        "40m",
        fires=True,
    ),
    Case(
        "QueueGrows",
        here("vllm:num_requests_waiting", "90x60", ',model="warm",pod="p"'),
        "40m",
        fires=False,
    ),
    # One in five is late: twenty times the budget's pace.
    Case("TtftSloBurns", first_tokens("0+80x90", "0+100x90"), "80m", fires=True),
    Case("TtftSloBurns", first_tokens("0+99x90", "0+100x90"), "80m", fires=False),
    # With a hosted fallback behind the same router, and without.
    Case("RequestsCutOff", cluster(CUT_OFF, "own_warm", "0 0 5x9"), "5m", fires=True),
    Case("RequestsCutOff", cluster(CUT_OFF, "hybrid_warm", "0 0 1x9"), "5m", fires=True),
    Case("RequestsCutOff", cluster(CUT_OFF, "own_warm", "5x9"), "5m", fires=False),
    # Of a model of another name, and of the limits service: neither is a model here.
    Case(
        "RequestsCutOff",
        cluster(CUT_OFF, "own_warm-2", "0+1x9") | cluster(CUT_OFF, "ratelimit", "0+1x9"),
        "5m",
        fires=False,
    ),
    Case("TracesBackUp", here(QUEUE[0], "90x20") | here(QUEUE[1], "100x20"), "15m", fires=True),
    Case("TracesBackUp", here(QUEUE[0], "70x20") | here(QUEUE[1], "100x20"), "15m", fires=False),
    Case("TracesLost", here("otelcol_exporter_send_failed_spans", "0+9x30"), "15m", fires=True),
    Case("TracesLost", here("otelcol_exporter_send_failed_spans", "5x30"), "15m", fires=False),
    Case("TracesLost", here("otelcol_receiver_refused_spans", "0+9x30"), "15m", fires=True),
    Case(
        "HostedShareHigh",
        requests("hosted_warm", "2", "0+30x60") | requests("model_warm", "2", "0+100x60"),
        "50m",
        fires=True,
    ),
    Case(
        "HostedShareHigh",
        requests("hosted_warm", "2", "0+5x60") | requests("model_warm", "2", "0+100x60"),
        "50m",
        fires=False,
    ),
    Case("HostedSpendNearCap", here(NEAR, "0+1x20", ',key1="spend_warm"'), "10m", fires=True),
    Case("HostedSpendNearCap", here(NEAR, "0+1x20", ',key1="tokens_warm"'), "10m", fires=False),
    Case("ScalingThrash", up("zero", "1 stale " * 20), "39m", fires=True),
    Case("ScalingThrash", up("zero", "1x60"), "39m", fires=False),
    Case("IdleGpu", up("zero", "1x90") | tokens("zero", "7x90"), "80m", fires=True),
    Case("IdleGpu", up("zero", "1x90") | tokens("zero", "0+9x90"), "80m", fires=False),
    # The floor is declared, and priced by the gate.
    Case("IdleGpu", up("warm", "1x90") | tokens("warm", "7x90"), "80m", fires=False),
    # 5 USD an hour for 2 x 60 x 10,000 tokens: 4.17 USD per million.
    Case("BelowBreakEven", up("warm", "1x600") | tokens("warm", "0+10000x600"), "9h", fires=True),
    Case(
        "BelowBreakEven", up("warm", "1x600") | tokens("warm", "0+1000000x600"), "9h", fires=False
    ),
    # KEDA counts the errors of half a minute; then it falls back, and counts only what it asks.
    Case("ScalerFailing", READS | here(ERRORS, "0 6x30"), "20m", fires=False),
    *(
        Case(
            "ScalerFailing",
            READS | here(ERRORS, "0 6x30") | {f'{ASKED}{{{space},status_code="{code}"}}': "0+8x30"},
            "20m",
            fires=fires,
        )
        for space in (HERE, f'exported_{HERE},namespace="keda"')
        for code, fires in (("error", True), ("503", True), ("200", False))
    ),
    Case(
        "ScalerFailing", READS | here(ERRORS, "0 6x30") | here(EMPTY, "0+8x30"), "20m", fires=True
    ),
    # It reads again: six minutes later all is said.
    Case("ScalerFailing", READS | here(EMPTY, "0+8x20 160x20"), "28m", fires=False),
    # A ScaledObject that is broken is counted for as long as it is.
    Case("ScalerFailing", READS | here(ERRORS, "0+1x20"), "15m", fires=True),
    # Without KEDA's metrics: what it reads of an autoscaled model is not there.
    Case("ScalerFailing", active("warm", "0x60"), "30m", fires=True),
    Case("ScalerFailing", READS, "30m", fires=False),
    Case("GpuPending", here("kube_pod_status_phase", "1x30", PENDING), "20m", fires=True),
    Case("GpuPending", here("kube_pod_status_phase", "1x30", ROUTER_PENDING), "20m", fires=False),
]
