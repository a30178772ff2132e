"""`python -m gate`."""

import os
import sys

# Looking for plugins costs pydantic 20 ms at each start, and none is wanted in a decision.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from gate.cli import main

if __name__ == "__main__":
    sys.exit(main())
