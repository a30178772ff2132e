"""The namespace of a stack: only pods that meet Pod Security `restricted` are let in."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ResourceOptions


@dataclass(frozen=True, kw_only=True)
class ServingNamespaceArgs:
    """What a namespace is made from."""

    name: str
    """Name in the cluster."""
    huggingface_token: pulumi.Input[str] | None
    """Token of the model hub, a secret; None where all weights are public."""


class ServingNamespace(pulumi.ComponentResource):
    """The namespace, and the secret that the engines in it share."""

    name: pulumi.Output[str]
    """Name in the cluster."""
    token_secret: pulumi.Output[str | None]
    """Name of the Secret with the key `token`; None without one."""

    def __init__(
        self, name: str, args: ServingNamespaceArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("breakeven:serving:Namespace", name, None, opts)
        child = ResourceOptions(parent=self)
        enforce = {
            f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")
        }
        namespace = k8s.core.v1.Namespace(
            name, metadata={"name": args.name, "labels": enforce}, opts=child
        )
        self.name = namespace.metadata.name
        self.token_secret = pulumi.Output.from_input(None)
        if args.huggingface_token is not None:
            secret = k8s.core.v1.Secret(
                f"{name}-hub-token",
                metadata={"name": "hub-token", "namespace": self.name},
                string_data={"token": args.huggingface_token},
                opts=child,
            )
            self.token_secret = secret.metadata.name
        self.register_outputs({"name": self.name, "token_secret": self.token_secret})
