"""A pod's status, as a kubelet reports it."""

from typing import Any

from tests.dataplane.process_node.containers import FAILED, SUCCEEDED
from tests.dataplane.process_node.runner import now

Status = dict[str, Any]


class Conditions:
    """A pod's conditions, with the time of the last change of each."""

    def __init__(self) -> None:
        self._last: dict[str, Status] = {}

    def list_of(
        self, *, initialized: bool, networked: bool, unready: list[str], phase: str
    ) -> list[Status]:
        """Return the conditions for what is so now; the times of those that stay are kept."""
        reason, message = "", ""
        if phase in (SUCCEEDED, FAILED):
            reason = "PodCompleted" if phase == SUCCEEDED else "PodFailed"
        elif unready:
            reason = "ContainersNotReady"
            message = f"containers with unready status: [{' '.join(unready)}]"
        ready = not reason
        for kind, holds in (
            ("PodReadyToStartContainers", networked),
            ("Initialized", initialized),
            ("ContainersReady", ready),
            ("Ready", ready),
        ):
            about = {"reason": reason, "message": message} if "Ready" in kind[-5:] else {}
            self._note({"type": kind, "status": str(holds), **about})
        return list(self._last.values())

    def _note(self, condition: Status) -> None:
        before = self._last.get(condition["type"], {})
        same = before.get("status") == condition["status"]
        since = before["lastTransitionTime"] if same else now()
        self._last[condition["type"]] = condition | {"lastTransitionTime": since}
