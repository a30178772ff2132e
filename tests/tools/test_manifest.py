"""The manifest of a folder: what `sha256sum` would write, and what the Job computes of the same files."""

import hashlib
from pathlib import Path

import pytest

from components.model_store.manifest import manifest, text_sha256
from tools.manifest import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer" / "vocab.txt").write_text("a b\n")
    return folder


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


EXPECTED = f"{sha256('{}')}  config.json\n{sha256('a b' + chr(10))}  tokenizer/vocab.txt\n"


def test_it_prints_a_line_for_each_file_by_name_and_then_the_hash_of_the_lines(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out == f"{EXPECTED}manifest_sha256: {sha256(EXPECTED)}\n"


def test_it_is_that_of_the_job_for_the_same_files():
    names = {"tokenizer/vocab.txt": "a b\n", "config.json": "{}"}

    text = manifest({name: sha256(body) for name, body in names.items()})

    assert (text, text_sha256(text)) == (EXPECTED, sha256(EXPECTED))


def test_what_clients_leave_beside_the_files_is_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / ".cache" / "huggingface").mkdir(parents=True)
    (folder / ".cache" / "huggingface" / "lock").touch()
    (folder / ".gitattributes").write_text("* lfs")
    (folder / "manifest.sha256").write_text(EXPECTED)

    assert main([str(folder)]) == 0
    assert capsys.readouterr().out.startswith(EXPECTED + "manifest_sha256: ")


def test_a_link_into_a_cache_is_the_file_it_leads_to(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "config.json").rename(tmp_path / "blob")
    (folder / "config.json").symlink_to(tmp_path / "blob")

    assert main([str(folder)]) == 0
    assert capsys.readouterr().out.startswith(EXPECTED)


@pytest.mark.parametrize("name", ["a\nb", "a\\b"])
def test_a_name_that_a_line_cannot_hold_is_refused(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
):
    (folder / name).touch()

    assert main([str(folder)]) == 2
    assert "no name that a line of a manifest can hold" in capsys.readouterr().err


def test_a_folder_without_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([str(tmp_path / "none")]) == 2
    assert "no folder with files" in capsys.readouterr().err
