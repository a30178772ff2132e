"""How the cluster is reached: a kubeconfig that holds no secret. Pure."""

import json
from typing import Final

API: Final = "client.authentication.k8s.io/v1"


def kubeconfig(*, name: str, endpoint: str, certificate_authority: str, region: str) -> str:
    """Return a kubeconfig whose user asks `aws eks get-token`, which has to be on PATH, for a token.

    `certificate_authority` is base64, as EKS gives it.
    """
    token = ["eks", "get-token", "--cluster-name", name, "--region", region, "--output", "json"]
    asks = {"apiVersion": API, "command": "aws", "args": token, "interactiveMode": "Never"}
    reached = {"server": endpoint, "certificate-authority-data": certificate_authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": reached}],
        "users": [{"name": name, "user": {"exec": asks}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(config)
