"""Printing, to a reader that may leave early."""

import os
import sys


def show(text: str) -> None:
    """Print a text; a reader (head, less) that has seen enough changes nothing about the exit code."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Let what is still printed go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
