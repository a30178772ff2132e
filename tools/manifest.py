"""Print the manifest of a folder of weights, and its SHA-256: serving.source.manifest_sha256.

    hf download OWNER/NAME --revision COMMIT --local-dir FOLDER
    python tools/manifest.py FOLDER

The job that fills the model store computes it in the same way (components/model_store/manifest.py).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from components.model_store.manifest import (
    RefusedError,
    folder_digests,
    manifest,
    text_sha256,
)


def main(argv: Sequence[str]) -> int:
    """Return the exit code: 0 printed, 2 the folder has no manifest."""
    parser = argparse.ArgumentParser(description="Print the manifest of a folder of weights.")
    parser.add_argument("folder", type=Path, help="the files of one revision")
    folder = parser.parse_args(argv).folder
    try:
        text = manifest(folder_digests(folder))
    except (RefusedError, OSError) as error:
        print(f"tools/manifest.py: {folder}: {error}", file=sys.stderr)
        return 2
    if not text:
        print(f"tools/manifest.py: {folder}: no folder with files", file=sys.stderr)
        return 2
    print(f"{text}manifest_sha256: {text_sha256(text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
