"""Run a command that the kernel ends when the process that started it ends, however that ends.

A finaliser does not run when pytest is killed; servers left behind would hold memory and ports.
Linux only; elsewhere the command runs as it is and the finaliser is all there is.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the line above
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted
