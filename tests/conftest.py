"""What all tests have: the programs of a whole run, and how far laws are searched."""

import os

import pytest
from hypothesis import settings

from tools.bootstrap import search_path
from tools.console import SetupError

# The same examples each time in CI, new ones on a desk. No deadline: a busy machine is no failure. Laws that need more examples say so.
settings.register_profile("desk", deadline=None, max_examples=60)
settings.register_profile("ci", settings.get_profile("desk"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(scope="session")
def tools_path() -> str:
    """The PATH that has the virtual environment, Pulumi and the control plane first."""
    try:
        return search_path("test")
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)
