"""Recorded prompts end on a day that was agreed on."""

from datetime import date

from stacks.errors import Place
from stacks.stack import Stack


def check_prompts(stack: Stack, file: str, today: date) -> None:
    """Check that the day up to which prompts are recorded is not over.

    Raises:
        InputError: it is.
    """
    recording = stack.observability.prompts
    if recording and recording.until < today:
        place = Place(file, "observability.prompts.until")
        raise place.error(
            found=f"{recording.until}, which is over",
            allowed=f"a day from {today}",
            remedy="take prompts out, or agree with their readers on a later day",
        )
