import pytest

from tools import debian
from tools.console import SetupError


@pytest.fixture
def empty_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("empty_machine")
def test_without_apt_the_error_names_what_is_missing_and_what_to_install():
    with pytest.raises(SetupError, match=r"neither redis-server .*apt-get.* Install"):
        debian.require_means()


def test_programs_on_path_are_used_and_need_no_apt(empty_machine):
    for name in debian.PROGRAMS:
        (empty_machine / name).touch(mode=0o755)
    debian.require_means()
    assert debian.programs() == {name: empty_machine / name for name in debian.PROGRAMS}
