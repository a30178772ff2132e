"""The measurement file that `load.kind: measured_utilization` names (docs/model.md#measured)."""

import json
from pathlib import Path

from pydantic import ValidationError

from stacks import workload as declared
from stacks.errors import InputError, Place


def read_evidence(path: Path) -> declared.Evidence:
    """Return the measurement in a JSON file.

    Raises:
        InputError: the file cannot be read or is no measurement.
    """
    from stacks.mistakes import problems_of  # noqa: PLC0415

    place = Place(str(path))
    try:
        return declared.Evidence.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        reason = (error.strerror or "an error").lower()
        raise place.error(
            found=reason, allowed="a readable measurement", remedy="check load.evidence"
        ) from None
    except ValidationError as error:
        from stacks.mistakes import problems_of  # noqa: PLC0415 - only a mistake pays for it

        raise InputError(*problems_of(error, declared.Evidence, file=str(path))) from None
    except ValueError:
        raise place.error(
            found="no JSON",
            allowed="a JSON object as in docs/model.md#measured",
            remedy="export it again",
        ) from None
