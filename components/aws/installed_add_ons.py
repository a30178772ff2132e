"""The EKS add-ons of a cluster, in two steps: what a node needs, and what needs a node."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

from components.aws.add_ons import configuration

TIMEOUTS = pulumi.CustomTimeouts(create="30m", update="30m", delete="40m")


@dataclass(frozen=True, kw_only=True)
class AddOnsArgs:
    """Which add-ons, and with which roles."""

    cluster_name: Output[str]
    names: Sequence[str]
    versions: Mapping[str, str]
    service_accounts: Mapping[str, tuple[str, Input[str]]]
    """Service account and ARN of its role, by add-on, of those that talk to AWS."""


class AddOns(pulumi.ComponentResource):
    """Some of a cluster's add-ons."""

    ready: list[pulumi.Resource]

    def __init__(self, name: str, args: AddOnsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("breakeven:aws:AddOns", name, None, opts)
        self._child = ResourceOptions(parent=self, custom_timeouts=TIMEOUTS)
        self.ready = [self._add_on(each, args) for each in args.names]
        self.register_outputs({})

    def _add_on(self, name: str, args: AddOnsArgs) -> aws.eks.Addon:
        account = args.service_accounts.get(name)
        return aws.eks.Addon(
            name,
            cluster_name=args.cluster_name,
            addon_name=name,
            addon_version=args.versions[name],
            configuration_values=configuration(name),
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",  # what is declared here holds
            pod_identity_associations=[
                aws.eks.AddonPodIdentityAssociationArgs(
                    service_account=account[0], role_arn=account[1]
                )
            ]
            if account
            else None,
            opts=self._child,
        )
