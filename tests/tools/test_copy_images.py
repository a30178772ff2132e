"""What is printed: commands that copy every image by its digest, and what the stack's file says then."""

from pathlib import Path

import pytest
import yaml

from components.images import PLACEHOLDER_DIGEST, locked_images
from stacks.reading import read_stack
from tests.factories import STACKS
from tools import copy_images

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com/breakeven-regulated"
DIGEST = "sha256:" + 64 * "b"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The regulated stack before its images are copied; they have digests."""
    made = tmp_path / "Pulumi.regulated.yaml"
    text = (STACKS / made.name).read_text(encoding="utf-8").replace(PLACEHOLDER_DIGEST, DIGEST)
    parts = {name: image.replace(PLACEHOLDER_DIGEST, DIGEST) for name, image in _parts().items()}
    stack = yaml.safe_load(text)
    declared = stack["config"]["breakeven:stack"]
    declared["images"] = parts
    declared["models"][0]["serving"]["image"] = f"vllm/vllm-openai:v0.33.0@{DIGEST}"
    made.write_text(yaml.safe_dump(stack, sort_keys=False), encoding="utf-8")
    return made


def _parts() -> dict[str, str]:
    return {name: image for name, image in locked_images().items() if name in ("envoy", "redis")}


def printed(file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = copy_images.main(["regulated"], folder=file.parent)
    return code, capsys.readouterr().out.splitlines()


def test_an_image_is_copied_by_its_digest_and_keeps_its_tag(
    file: Path, capsys: pytest.CaptureFixture[str]
):
    _, lines = printed(file, capsys)

    tag = locked_images()["envoy"].partition("@")[0].rpartition(":")[2]
    assert f"crane copy envoyproxy/envoy@{DIGEST} {HOST}/envoy:{tag}" in lines
    assert f"crane copy vllm/vllm-openai@{DIGEST} {HOST}/vllm-openai:v0.33.0" in lines


def test_what_is_to_be_written_is_what_the_stack_needs(
    file: Path, capsys: pytest.CaptureFixture[str]
):
    _, lines = printed(file, capsys)
    written = yaml.safe_load("\n".join(lines[lines.index("images:") :]))["images"]

    assert written["envoy"].startswith(f"{HOST}/envoy:")
    assert written["envoy"].endswith(f"@{DIGEST}")
    assert {"envoy", "redis", "prometheus", "cluster-autoscaler"} <= set(written)


def test_one_without_a_digest_is_named_and_the_code_says_so(
    file: Path, capsys: pytest.CaptureFixture[str]
):
    code, lines = printed(file, capsys)

    assert code == 1
    (line,) = [each for each in lines if each.startswith("# images.prometheus")]
    assert "tools/pin_images.py regulated" in line


def test_a_copy_is_copied_again_from_where_the_part_comes_from(
    file: Path, capsys: pytest.CaptureFixture[str]
):
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("envoyproxy/envoy:", f"{HOST}/envoy:"), encoding="utf-8")
    assert read_stack(file).images["envoy"].startswith(HOST)

    _, lines = printed(file, capsys)

    assert any(line.startswith(f"crane copy envoyproxy/envoy@{DIGEST} ") for line in lines)


def test_a_stack_without_an_account_has_no_registry(capsys: pytest.CaptureFixture[str]):
    assert copy_images.main(["demo"]) == 1
    assert "target.kind: found render" in capsys.readouterr().err
