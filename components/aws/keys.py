"""KMS keys: of the cluster's Secrets and logs, and of disks, weights and images."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components.aws.key_policies import cluster_key_policy, data_key_policy
from stacks.aws.made import CLUSTER_KEY, DATA_KEY

WINDOW_DAYS = 30
"""How long a deleted key can be had back: as long as AWS keeps one, for with it goes what it encrypted."""


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """What the keys are made of."""

    cluster_name: str
    region: str
    account: str
    outlive: bool
    """Whether the keys stay when the stack goes: what an auditor reads later is encrypted with them."""


class Keys(pulumi.ComponentResource):
    """The keys of a stack; AWS exchanges what they encrypt with every year."""

    cluster_arn: Output[str]
    """Of Kubernetes Secrets and every CloudWatch log group."""
    data_arn: Output[str]
    """Of disks, the model store, images and the trail."""

    def __init__(self, name: str, args: KeysArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:aws:Keys", name, None, opts)
        self._args = args
        where = args.region, args.account
        self.cluster_arn = self._key(CLUSTER_KEY, cluster_key_policy(*where))
        self.data_arn = self._key(DATA_KEY, data_key_policy(*where))
        self.register_outputs({"cluster_arn": self.cluster_arn, "data_arn": self.data_arn})

    def _key(self, name: str, policy: str) -> Output[str]:
        child = ResourceOptions(parent=self)
        key = aws.kms.Key(
            name,
            description=f"{self._args.cluster_name}: {name}",
            policy=policy,
            enable_key_rotation=True,
            deletion_window_in_days=WINDOW_DAYS,
            opts=ResourceOptions(parent=self, retain_on_delete=self._args.outlive),
        )
        alias = f"alias/{self._args.cluster_name}-{name}"
        aws.kms.Alias(name, name=alias, target_key_id=key.key_id, opts=child)
        return key.arn
