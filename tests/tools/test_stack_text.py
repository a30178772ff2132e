import copy
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from components.images import PLACEHOLDER_DIGEST, locked_images
from tests.factories import STACKS
from tools.stack_text import LayoutError, Path, with_images

ENGINE: Path = ("models", 0, "serving", "image")
REDIS: Path = ("images", "redis")
NEW = "sha256:" + 64 * "a"
LAST = "config:\n  breakeven:stack:\n    models: []\n    images:"
EXAMPLES = sorted(STACKS.glob("Pulumi.*.yaml"))


def parsed(text: str) -> Any:
    return yaml.safe_load(text)["config"]["breakeven:stack"]


def small(images: str = "", *, end: str = "\n") -> str:
    """Return a stack of what matters here, with `images` before the models."""
    before = "# top\nconfig:\n  breakeven:stack:\n    purpose: trial # why\n\n"
    model = f"      - serving: {{image: vllm:1@{PLACEHOLDER_DIGEST}}} # engine"
    return f"{before}{images}    # the models\n    models:\n{model}{end}"


@settings(max_examples=25)
@given(data=st.data())
def test_only_the_pinned_images_differ_and_every_comment_is_kept(data):
    before = data.draw(st.sampled_from(EXAMPLES)).read_text()
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    before = before.replace("\n", newline)
    names = data.draw(st.sets(st.sampled_from(sorted(locked_images()))))
    expected = copy.deepcopy(parsed(before))
    there = {**locked_images(), **expected.get("images", {})}
    images: dict[Path, str] = {
        ("images", name): f"{there[name].partition('@')[0]}@{NEW}" for name in names
    }
    if names:
        pinned = {str(path[1]): image for path, image in images.items()}
        expected["images"] = {**expected.get("images", {}), **pinned}
    for index, model in enumerate(expected["models"]):
        if data.draw(st.booleans()):
            name = model["serving"]["image"].partition("@")[0]
            model["serving"]["image"] = f"{name}@{NEW}"
            images["models", index, "serving", "image"] = model["serving"]["image"]

    after = with_images(before, images)

    assert parsed(after) == expected
    kept = [line.replace(PLACEHOLDER_DIGEST, NEW) for line in before.splitlines(keepends=True)]
    left = iter(line.replace(PLACEHOLDER_DIGEST, NEW) for line in after.splitlines(keepends=True))
    assert all(line in left for line in kept), "a line is gone, changed or moved"
    assert re.findall(r"[^\r]\n", after) == [] or newline == "\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (small(), small(f"    images:\n      redis: redis:7@{NEW}\n\n")),
        (
            small("    images: # ours\n      envoy: e:1@x # that\n\n"),
            small(f"    images: # ours\n      envoy: e:1@x # that\n      redis: redis:7@{NEW}\n\n"),
        ),
        ("\ufeff" + small(), "\ufeff" + small(f"    images:\n      redis: redis:7@{NEW}\n\n")),
        (small("    images: {}\n"), small(f"    images: {{redis: redis:7@{NEW}}}\n")),
        (
            small("    images: {envoy: 'e:1@x' , }\n"),
            small(f"    images: {{envoy: 'e:1@x', redis: redis:7@{NEW} , }}\n"),
        ),
        (
            small(f'    images:\n      redis: "redis:7@{PLACEHOLDER_DIGEST}" # ours\n'),
            small(f'    images:\n      redis: "redis:7@{NEW}" # ours\n'),
        ),
        (
            "config: {breakeven:stack: {models: []}} # flow",
            f"config: {{breakeven:stack: {{models: [], images: {{redis: redis:7@{NEW}}}}}}} # flow",
        ),
        (
            f"{LAST}\n      envoy: e@x",
            f"{LAST}\n      envoy: e@x\n      redis: redis:7@{NEW}",
        ),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_image_stands_where_a_person_would_write_it(before, after, newline):
    before, after = before.replace("\n", newline), after.replace("\n", newline)
    assert with_images(before, {REDIS: f"redis:7@{NEW}"}) == after


def test_nothing_to_change_changes_nothing():
    assert with_images(small(end=""), {}) == small(end="")


def test_an_anchor_is_changed_once_for_all_that_name_it():
    engine = f"vllm:1@{PLACEHOLDER_DIGEST}"
    models = f"[{{serving: &s {{image: &i {engine}}}}}, {{serving: *s}}]"
    before = f"config:\n  breakeven:stack:\n    models: {models}\n"
    other: Path = ("models", 1, "serving", "image")

    after = with_images(before, {ENGINE: f"vllm:1@{NEW}", other: f"vllm:1@{NEW}"})

    assert after == before.replace(PLACEHOLDER_DIGEST, NEW)


@pytest.mark.parametrize(
    ("images", "changed"),
    [
        # An anchor of what is to stay as it is.
        (f"    other: &x r:7@{PLACEHOLDER_DIGEST}\n    images: {{redis: *x}}\n", REDIS),
        # The last value stands elsewhere.
        ("    other: &x r:7\n    images:\n      envoy: *x\n", REDIS),
        # The digest is not in the text as it is read.
        (f'    images: {{redis: "r:7@{PLACEHOLDER_DIGEST[:-1]}\\x30"}}\n', REDIS),
    ],
)
def test_a_layout_that_would_change_anything_else_is_refused(images, changed):
    with pytest.raises(LayoutError):
        with_images(small(images), {changed: f"r:7@{NEW}"})
