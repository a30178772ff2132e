"""What a fresh machine needs before the program can run; nothing in the program imports it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a system python3 may be older than what ruff is told
    sys.exit(
        f"found Python {sys.version.split()[0]}, this project needs 3.11 or newer: "
        "install one and name it, for example `make PYTHON=python3.12 demo`."
    )
