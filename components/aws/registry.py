"""A repository of the stack's own for each image."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws
from pulumi import Input, ResourceOptions


class Registry(pulumi.ComponentResource):
    """ECR repositories: tags that never move, scanned, encrypted; nothing expires."""

    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        repositories: Mapping[str, str],
        key_arn: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        """Register `repositories`, their names by what is in them; `key_arn` encrypts the images."""
        super().__init__("breakeven:aws:Registry", name, None, opts)
        self.ready = [
            aws.ecr.Repository(
                part,
                name=repository,
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(
                    scan_on_push=True
                ),
                encryption_configurations=[
                    aws.ecr.RepositoryEncryptionConfigurationArgs(
                        encryption_type="KMS", kms_key=key_arn
                    )
                ],
                # As everything of the stack that images can be lost from: whoever destroys empties it.
                force_delete=False,
                opts=ResourceOptions(parent=self),
            )
            for part, repository in repositories.items()
        ]
        self.register_outputs({})
