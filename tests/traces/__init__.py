"""Where the real traces lie; README.md says where they come from."""

from pathlib import Path

FOLDER = Path(__file__).parent
SMALL = FOLDER / "m-small-hourly.csv"
MID = FOLDER / "m-mid-hourly.csv"
CONVERSATION = FOLDER / "azure-2023-conversation-1-in-32.csv"
