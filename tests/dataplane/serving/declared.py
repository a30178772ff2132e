"""The stack that is deployed here: `local`, with what a machine without GPU, hub or registry needs."""

from typing import Any, Final

from components.images import locked_images
from tests.engine.declared import GONE, Changes
from tools.data_plane import DataPlane

MODEL: Final = "tiny"
HOSTED_MODEL: Final = "provider/tiny"
DIGEST: Final = "@sha256:" + 64 * "b"
LONGEST_REQUEST_S: Final = 60
LIMITED_RPM: Final = 6
LIMITED_CONCURRENT: Final = 4
MAX_QUEUED: Final = 20
KEYS: Final = {
    "web-chat": "a-key-of-the-web-chat-in-tests",
    "claims": "a-key-of-the-claims-in-tests",
    "batch": "a-key-of-the-batch-in-tests",
    "few": "a-key-of-the-few-in-tests",
    "other": "a-key-of-the-others-in-tests",
}
"""Value of each key of the stack, by alias."""


def key(alias: str, **changes: Any) -> dict[str, Any]:
    """Return the declaration of a key that may do whatever a test does not forbid."""
    return {
        "alias": alias,
        "team": "trial",
        "models": [MODEL],
        "requests_per_minute": 6000,
        "tokens_per_minute": 10_000_000,
        "concurrent_requests": 200,
        "residency": "open",
    } | changes


GATEWAY_KEYS: Final = [
    key("web-chat", may_fall_back=True),
    key("claims", residency="restricted"),
    key("batch", requests_per_minute=LIMITED_RPM),
    key("few", concurrent_requests=LIMITED_CONCURRENT),
    key("other", models=["other"]),
]


def changes(plane: DataPlane, *, hosted_url: str, langfuse_url: str) -> Changes:
    """Return what differs from stacks/Pulumi.local.yaml."""
    images = {name: image.partition("@")[0] + DIGEST for name, image in locked_images().items()}
    serving = "models[0].serving"
    return {
        "target": {"kind": "kubernetes", "context": "tests"},
        "images": images,
        "gateway.replicas": 2,
        "gateway.longest_request_seconds": LONGEST_REQUEST_S,
        "gateway.keys": GATEWAY_KEYS,
        "observability.langfuse": {"kind": "existing", "url": langfuse_url},
        "models[0].pool.replicas": {"min": 2, "max": 2},
        f"{serving}.image": f"vllm/vllm-openai{DIGEST}",
        f"{serving}.source": {"kind": "image", "path": str(plane.tiny_model)},
        f"{serving}.aliases": ["other"],
        f"{serving}.drain_seconds": LONGEST_REQUEST_S,
        f"{serving}.reasoning_parser": GONE,
        f"{serving}.tool_call_parser": "hermes",
        f"{serving}.max_num_seqs": 16,
        f"{serving}.max_queued_requests": MAX_QUEUED,
        f"{serving}.arguments": {"--enforce-eager": True},
        f"{serving}.fallback": {
            "base_url": f"{hosted_url}/v1",
            "model": HOSTED_MODEL,
            "daily_cap_usd": 1,
            "input_usd_per_mtok": 0.1,
            "output_usd_per_mtok": 0.1,
        },
    }
