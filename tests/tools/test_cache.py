from pathlib import Path

import pytest

from tools import cache


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache.named("thing", "recipe", 1)


def write(folder: Path) -> None:
    folder.mkdir()
    (folder / "part").touch()


def fail_halfway(folder: Path) -> None:
    write(folder)
    raise KeyboardInterrupt


def test_another_recipe_is_another_folder(folder):
    assert cache.named("thing", "recipe", 1) == folder
    assert cache.named("thing", "recipe", 2) != folder


def test_what_was_finished_is_not_made_again(folder):
    cache.make_once(folder, write)
    cache.make_once(folder, fail_halfway)
    assert cache.is_made(folder)


def test_an_interrupted_run_leaves_nothing_that_looks_finished(folder):
    with pytest.raises(KeyboardInterrupt):
        cache.make_once(folder, fail_halfway)
    assert not folder.exists()


def test_what_a_killed_run_left_is_thrown_away(folder):
    folder.mkdir(parents=True)
    (folder / "half").touch()
    cache.make_once(folder, write)
    assert {path.name for path in folder.iterdir()} == {"part", cache.COMPLETE}
