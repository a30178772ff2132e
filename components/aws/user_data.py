"""What a node is told when it first starts. Pure."""

import base64
from typing import Final

BOUNDARY: Final = "//"
NODE_CONFIG: Final = """\
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  instance:
    localStorage:
      strategy: RAID0
"""


def local_disks() -> str:
    """Return user data, base64, by which nodeadm makes one file system of the instance's NVMe disks.

    The kubelet and containerd move there: images and scratch are read at the disks' speed. EKS adds
    the cluster to it. RAID 0 survives no disk, and nothing on a node has to.
    """
    lines = (
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"',
        "",
        f"--{BOUNDARY}",
        "Content-Type: application/node.eks.aws",
        "",
        NODE_CONFIG,
        f"--{BOUNDARY}--",
        "",
    )
    return base64.b64encode("\n".join(lines).encode()).decode()
