"""The class of the volumes that pods claim: gp3, encrypted with the stack's key, tagged like all else. Pure."""

from collections.abc import Mapping
from typing import Final

from pulumi import Input
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.storage.v1 import StorageClassInitArgs

NAME: Final = "gp3"
DRIVER: Final = "ebs.csi.aws.com"
DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"


def storage_class(
    tags: Mapping[str, str], key_arn: Input[str], labels: Mapping[str, str]
) -> StorageClassInitArgs:
    """Return the cluster's default class; its volumes are deleted with their claims."""
    numbered = {
        f"tagSpecification_{number}": f"{key}={value}"
        for number, (key, value) in enumerate(sorted(tags.items()), start=1)
    }
    parameters: dict[str, Input[str]] = {"type": "gp3", "encrypted": "true", "kmsKeyId": key_arn}
    return StorageClassInitArgs(
        metadata=ObjectMetaArgs(name=NAME, labels=dict(labels), annotations={DEFAULT: "true"}),
        provisioner=DRIVER,
        parameters=parameters | numbered,
        reclaim_policy="Delete",
        # The disk is made in the zone of the node that its pod was put on.
        volume_binding_mode="WaitForFirstConsumer",
        allow_volume_expansion=True,
    )
