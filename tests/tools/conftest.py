import pytest

from tests.tools.stand_in_registry import stand_in


@pytest.fixture
def registry(monkeypatch):
    """A registry on this machine, which no proxy stands before."""
    monkeypatch.setenv("no_proxy", "*")
    with stand_in() as made:
        yield made
