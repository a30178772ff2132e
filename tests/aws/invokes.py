"""Questions that a program may ask AWS, and their answers."""

from tests.aws.account import Settings
from tests.aws.wire import Values


def answer(token: str, region: str, settings: Settings) -> Values | None:
    """Return the answer to an invoke, or None for one that the stand-in does not know."""
    match token.rsplit(":", maxsplit=1)[-1]:
        case "getCallerIdentity":
            role = settings.deployer.split("/")[-1]
            arn = f"arn:aws:sts::{settings.account}:assumed-role/{role}/deploy"
            account = {"accountId": settings.account, "id": settings.account}
            return account | {"arn": arn, "userId": "AROA:deploy"}
        case "getAvailabilityZones":
            zones = [f"{region}{letter}" for letter in "abc"]
            return {"id": region, "names": zones, "zoneIds": zones}
        case "getPartition":
            return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com"}
        case "getRegion":
            return {"id": region, "region": region, "name": region}
    return None
