"""The kinds of value that only AWS has: ranges of addresses, zones, ARNs."""

import ipaddress
from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from stacks.errors import ContradictionError

ZONE: Final = r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$"
REGION: Final = r"^[a-z]{2}(-[a-z]+)+-\d$"
ROLE: Final = r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$"
CERTIFICATE: Final = r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]+$"
RESERVATION: Final = r"^cr-[0-9a-f]{8,17}$"
KUBERNETES_VERSION: Final = r"^1\.\d{2}$"
AMI_RELEASE: Final = r"^1\.\d{2}\.\d{1,2}-\d{8}$"
CHART_LOCATION: Final = r"^(oci://[^\s:@]+|\.{1,2}/\S+|/\S+)$"

FORMS: Final = {
    ZONE: "an availability zone, e.g. us-east-1a",
    REGION: "an AWS region, e.g. us-east-1",
    ROLE: "the ARN of an IAM role, arn:aws:iam::<account>:role/<name>",
    CERTIFICATE: "the ARN of an ACM certificate, arn:aws:acm:<region>:<account>:certificate/<id>",
    RESERVATION: "the id of a capacity reservation, cr- and 8 to 17 hex digits",
    KUBERNETES_VERSION: 'a minor version in quotes, e.g. "1.36"',
    CHART_LOCATION: "oci://<registry>/<repository> without a tag, or a path that starts with ./ or /",
    AMI_RELEASE: "a release of the EKS-optimised AMI, e.g. 1.36.2-20260818",
}
"""What each pattern asks for, in words."""

PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Ranges that no public address is in: those of RFC 1918, and the shared one of RFC 6598. AWS takes a VPC's
from each of them (Amazon VPC user guide, "VPC CIDR blocks")."""
NARROW_ENOUGH: Final = 8
"""Shortest prefix of a range that names somebody: halves and quarters of all addresses name nobody."""


def _cidr(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError as error:
        raise ContradictionError(
            found=f"{value!r}: {error}",
            allowed="an IPv4 range in CIDR notation, e.g. 10.0.0.0/16",
            remedy="write the network's first address and the length of its prefix",
        ) from None


Cidr = Annotated[str, AfterValidator(_cidr)]
"""A range of IPv4 addresses, e.g. 10.0.0.0/16."""
Zone = Annotated[str, Field(pattern=ZONE)]
"""An availability zone, e.g. us-east-1a."""
ChartLocation = Annotated[str, Field(pattern=CHART_LOCATION)]
"""Where a Helm chart is."""
RoleArn = Annotated[str, Field(pattern=ROLE)]
"""The ARN of an IAM role."""


def check_open(cidrs: Iterable[str], reason: str | None) -> None:
    """Raise ContradictionError where nearly everybody may come in and nobody says why, or the reverse."""
    if bool(_open(cidrs)) is not (reason is not None):
        raise ContradictionError(
            field=".open_because",
            found=f"{'nothing' if reason is None else 'a reason'}, with cidrs {', '.join(cidrs)}",
            allowed=f"a reason where a range shorter than /{NARROW_ENOUGH}, such as 0.0.0.0/0, "
            "is among the cidrs, and only there",
            remedy="name the ranges that have to reach it, or say why everybody may",
        )


def check_closed(cidrs: Iterable[str]) -> None:
    """Raise ContradictionError where nearly everybody may come in, whatever the reason."""
    if wide := _open(cidrs):
        raise ContradictionError(
            field=".cidrs",
            found=", ".join(wide),
            allowed=f"ranges of networks that are connected with the VPC, /{NARROW_ENOUGH} or longer",
            remedy="name the networks that have to reach it",
        )


def _open(cidrs: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in cidrs if ipaddress.IPv4Network(each).prefixlen < NARROW_ENOUGH)
