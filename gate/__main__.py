"""`python -m gate`."""

import gc
import os
import sys

# A process this short frees nothing by collecting; not looking for garbage saves it 8 % of its time.
gc.disable()
# Looking for plugins costs pydantic 20 ms at each start, and none is wanted in a decision.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from gate.cli import main  # noqa: E402 - after the lines above

if __name__ == "__main__":
    sys.exit(main())
