"""A stand-in for the `aws` command: it knows `eks get-token`, which clients of a cluster run.

The token is the Kubernetes API's own if the deploying role may administer the cluster, else one that
the API refuses, as EKS does.
"""

import argparse
import json
import os
from pathlib import Path

from tests.aws.account import FOLDER, Account, Contents

ADMINISTRATOR = "AmazonEKSClusterAdminPolicy"


def token(contents: Contents, cluster: str) -> str:
    """Return a token for a cluster."""
    for each in contents.of("eks.AccessPolicyAssociation"):
        inputs = each.inputs
        mine = inputs["principalArn"] == contents.settings.deployer
        if (
            mine
            and inputs["clusterName"] == cluster
            and inputs["policyArn"].endswith(ADMINISTRATOR)
        ):
            return contents.settings.token
    return "nobody"


def main() -> None:
    """Print credentials as clients of Kubernetes want them."""
    parser = argparse.ArgumentParser(prog="aws")
    parser.add_argument("service", choices=["eks"])
    parser.add_argument("operation", choices=["get-token"])
    parser.add_argument("--cluster-name", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--output", choices=["json"], default="json")
    asked = parser.parse_args()
    with Account(Path(os.environ[FOLDER])).held() as contents:
        status = {"token": token(contents, asked.cluster_name)}
    credential = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1"}
    print(json.dumps(credential | {"spec": {}, "status": status}))  # noqa: T201  its answer


if __name__ == "__main__":
    main()
