"""A Job that Pulumi waits for, and what it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
from pulumi import CustomTimeouts, ResourceOptions
from pulumi_kubernetes.batch.v1 import JobSpecArgsDict


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """One Job, and the files it reads."""

    name: str
    """Of the Job and its ConfigMap; another one whenever it has to run again."""
    spec: JobSpecArgsDict
    files: Mapping[str, str]
    await_s: int
    """What `pulumi up` waits for its end."""


def register_job(
    name: str,
    plan: JobPlan,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    *,
    parent: pulumi.Resource,
    after: Sequence[pulumi.Resource] = (),
) -> None:
    """Register a Job as Pulumi knows it by `name`; one that fails ends the update, and stays to be read."""
    metadata = k8s.meta.v1.ObjectMetaArgs(name=plan.name, namespace=namespace, labels=dict(labels))
    read = list(after)
    if plan.files:
        data, child = dict(plan.files), ResourceOptions(parent=parent, protect=False)
        read.append(k8s.core.v1.ConfigMap(name, metadata=metadata, data=data, opts=child))
    wait = f"{plan.await_s}s"
    k8s.batch.v1.Job(
        name,
        metadata=metadata,
        spec=plan.spec,
        opts=ResourceOptions(
            parent=parent,
            protect=False,  # the next one replaces it, in a protected stack too
            depends_on=read,
            custom_timeouts=CustomTimeouts(create=wait, update=wait),
        ),
    )
