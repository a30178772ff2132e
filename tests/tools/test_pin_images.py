import stat

import pytest
import yaml

from components.images import PLACEHOLDER_DIGEST, locked_images
from stacks.reading import read_stack
from tests.factories import STACKS
from tools import pin_images
from tools.registry import Registries

OLD = "sha256:" + 64 * "b"
ENGINE = "vllm/vllm-openai:v0.33.0"
LOCAL = {"envoy", "ratelimit", "redis", "vllm-router", "prometheus"}


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "Pulumi.mine.yaml"
    made.write_text((STACKS / "Pulumi.local.yaml").read_text())
    return made


@pytest.fixture
def served(registry):
    """A registry with every image that the local stack needs, and their digests by name."""
    names = {part: locked_images()[part].partition("@")[0] for part in LOCAL}
    return {
        name: registry.serve(name if "/" in name else f"library/{name}")
        for name in (*names.values(), ENGINE)
    }


def pin(file, registry, *options: str) -> int:
    registries = Registries(addresses={"docker.io": registry.address}, timeout_s=5)
    return pin_images.main(["mine", *options], folder=file.parent, registries=registries)


def images(file) -> set[str]:
    stack = read_stack(file)
    return {*stack.images.values(), *(model.serving.image for model in stack.models)}


def test_a_stack_has_every_digest_that_it_needs_and_can_be_deployed(file, registry, served, capsys):
    before = file.read_text()
    file.chmod(0o640)

    assert pin(file, registry) == 0

    assert images(file) == {f"{name}@{digest}" for name, digest in served.items()}
    assert set(read_stack(file).images) == LOCAL
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(file.parent.iterdir()) == [file], "something is left over"
    shown = capsys.readouterr().out.splitlines()
    added = {line[1:] for line in shown if line.startswith("+") and not line.startswith("+++")}
    assert added == set(file.read_text().splitlines()) - set(before.splitlines()) | {""}


def test_what_has_its_digests_is_asked_nobody_for(file, registry, served):
    assert served
    pin(file, registry)
    registry.asked.clear()

    assert pin(file, registry) == 0
    assert pin(file, registry, "--check") == 0

    assert registry.asked == []


def test_a_check_shows_what_is_missing_and_writes_nothing(file, registry, served, capsys):
    before = file.read_text()

    assert pin(file, registry, "--check") == 1

    assert file.read_text() == before
    shown = capsys.readouterr().out
    assert all(f"{name}@{digest}" in shown for name, digest in served.items())


@pytest.mark.parametrize("renew", [False, True])
def test_a_digest_that_is_known_changes_only_when_it_is_renewed(file, registry, served, renew):
    text = file.read_text().replace(PLACEHOLDER_DIGEST, OLD)
    untagged = f"example.com/redis@{OLD}"
    file.write_text(text.replace("    models:", f"    images: {{redis: {untagged}}}\n    models:"))

    assert pin(file, registry, *(["--renew"] if renew else [])) == 0

    expected = {f"{name}@{digest}" for name, digest in served.items()}
    engine = f"{ENGINE}@{served[ENGINE] if renew else OLD}"
    redis = f"redis:7.4.6-alpine@{served['redis:7.4.6-alpine']}"
    of_engine = f"{ENGINE}@{served[ENGINE]}"
    assert images(file) == expected - {redis, of_engine} | {engine, untagged}


def test_one_image_without_an_answer_leaves_the_file_as_it_is(file, registry, served, capsys):
    assert served
    before = file.read_text()
    del registry.tags["library/redis:7.4.6-alpine"], registry.tags[ENGINE]

    assert pin(file, registry) == 1

    assert file.read_text() == before
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("found 404") == 2
    for place, name in (
        ("images.redis", "redis:7.4.6-alpine"),
        ("models[0].serving.image", ENGINE),
    ):
        assert f"{file}: {place}: found 404" in said.err
        assert f"docker buildx imagetools inspect {name}" in said.err


def test_a_placeholder_without_a_tag_has_nothing_to_ask_for(file, registry, served, capsys):
    assert served
    file.write_text(file.read_text().replace(ENGINE, "vllm/vllm-openai"))

    assert pin(file, registry) == 1
    assert "names no tag to ask for" in capsys.readouterr().err


def test_the_image_of_an_evaluation_is_pinned_as_well(file, registry, served):
    digest = registry.serve("team/judge:1")
    command = f"{{kind: command, image: team/judge:1@{PLACEHOLDER_DIGEST}, command: [judge]}}"
    text = file.read_text()
    line = next(line for line in text.splitlines() if ENGINE in line)
    file.write_text(text.replace(line, f"{line}\n          evaluation: {command}"))

    assert pin(file, registry) == 0

    stack = yaml.safe_load(file.read_text())["config"]["breakeven:stack"]
    serving = stack["models"][0]["serving"]
    assert serving["evaluation"]["image"] == f"team/judge:1@{digest}"
    assert serving["image"] == f"{ENGINE}@{served[ENGINE]}"


def test_a_stack_that_is_not_there_is_an_error(tmp_path, registry, capsys):
    assert pin(tmp_path / "Pulumi.mine.yaml", registry) == 1
    assert "Pulumi.mine.yaml" in capsys.readouterr().err


def test_a_layout_that_cannot_be_edited_is_an_error_with_the_digests(
    file, registry, served, capsys
):
    image = f"{ENGINE}@{PLACEHOLDER_DIGEST}"
    before = file.read_text().replace(image, f'"{image[:-1]}\\x30"')  # the last zero
    file.write_text(before)

    code = pin(file, registry)

    assert (code, file.read_text()) == (1, before)
    said = capsys.readouterr()
    assert said.out == ""
    assert "write them by hand" in said.err
    assert all(f"{name}@{digest}" in said.err for name, digest in served.items())
