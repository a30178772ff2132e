"""Persistent volumes of a process node: a folder for each claim, kept by the claim's name."""

from pathlib import Path

from tests.dataplane.process_node.watch import Watch
from tests.engine.kubernetes_api import ApiError, KubernetesApi, Manifest

CLASS = "process-node"
PROVISIONER = "breakeven/process-node"


def folder_of(root: Path, namespace: str, claim: str) -> Path:
    """Return the folder of a claim; a later claim of that name finds what is in it."""
    return root / "claims" / f"{namespace}_{claim}"


class Claims:
    """Binds the claims of the classes that name this provisioner; the default class is one."""

    def __init__(self, api: KubernetesApi, root: Path, node: str) -> None:
        self._api, self._root, self._node = api, root, node
        default = {"storageclass.kubernetes.io/is-default-class": "true"}
        api.apply(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": CLASS, "annotations": default},
                "provisioner": PROVISIONER,
                "reclaimPolicy": "Retain",
                "volumeBindingMode": "Immediate",
            }
        )
        self._watch = Watch(api, "/api/v1/persistentvolumeclaims", self._changed)

    def close(self) -> None:
        """Bind no more."""
        self._watch.close()

    def _changed(self, claim: Manifest, there: bool) -> None:
        annotations = claim["metadata"].get("annotations") or {}
        wanted = annotations.get("volume.kubernetes.io/storage-provisioner") == PROVISIONER
        if there and wanted and not claim["spec"].get("volumeName"):
            try:
                self._api.apply(self._volume(claim))
            except ApiError:
                return  # it is gone or bound; if not, the next change comes here again

    def _volume(self, claim: Manifest) -> Manifest:
        metadata, spec = claim["metadata"], claim["spec"]
        folder = folder_of(self._root, metadata["namespace"], metadata["name"])
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [self._node]}
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": f"pvc-{metadata['uid']}",
                "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
            },
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": metadata["namespace"],
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                },
                "hostPath": {"path": str(folder)},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": spec["storageClassName"],
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            },
        }
