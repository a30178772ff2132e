"""The Job's scripts, run as in the pod, against a bucket and a hub that stand in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.model_store.manifest import MANIFEST, text_sha256
from components.model_store.prefetch import REFUSED
from tests.components.model_store.pod import FOLDER, MODEL, Pod, manifest_of, planned
from tests.components.model_store.stand_in_hub import StandInHub, a_hub
from tests.components.model_store.stand_in_s3 import BUCKET, a_bucket

LARGE = b"a" * (9 * 2**20)
"""More than the client sends in one part."""
FILES = {
    "config.json": b"{}",
    "tokenizer/vocab.txt": b"a b c\n",
    "model-1.safetensors": LARGE,
    "model-2.safetensors": b"weights",
}
HIDDEN = {".gitattributes": b"* lfs"}
WHOLE = FILES | {MANIFEST: manifest_of(FILES).encode()}


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    hub = StandInHub(MODEL.weights.id, MODEL.weights.revision, FILES | HIDDEN)
    with a_bucket() as bucket, a_hub(hub):
        yield Pod(tmp_path, bucket, hub)


def test_the_pod_fills_an_empty_folder_and_writes_the_manifest_last(pod: Pod):
    code, log = pod.run_apart(planned(FILES, "hub"))

    assert (code, pod.stored()) == (0, WHOLE), log
    assert pod.bucket.writes[-1] == f"{FOLDER}/{MANIFEST}"
    assert list((pod.folder / "scratch").rglob("*.safetensors")) == []


def test_a_bucket_with_object_lock_takes_it(pod: Pod):
    pod.bucket.locked = True

    assert pod.run(FILES)[0] == 0
    assert pod.stored() == WHOLE


def test_gated_weights_are_asked_for_with_the_token(pod: Pod):
    pod.hub.token = pod.token = "hf_secret"  # noqa: S105 - nobody's

    code, log = pod.run(FILES)

    assert (code, "hf_secret" in log) == (0, False), log


def test_a_second_run_writes_nothing_and_asks_the_hub_for_nothing(pod: Pod):
    pod.run(FILES)
    pod.forget()

    code, log = pod.run(FILES)

    assert code == 0, log
    assert (pod.bucket.writes, pod.hub.asked) == ([], [])
    assert {f"{FOLDER}/{name}" for name in FILES} <= set(pod.bucket.reads)


def test_files_that_are_not_as_declared_are_told_and_never_uploaded(pod: Pod):
    other = FILES | {"config.json": b'{"other": 1}'}

    code, log = pod.run(other)

    assert (code, pod.bucket.writes) == (REFUSED, [])
    assert manifest_of(FILES) in log
    assert f"with manifest_sha256 {text_sha256(manifest_of(FILES))}" in log
    assert "Nothing was uploaded" in log


def test_a_hub_that_sends_something_else_than_it_lists_is_found(pod: Pod):
    pod.hub.sends["model-2.safetensors"] = b"WEIGHTS"

    code, log = pod.run(FILES)

    assert code == REFUSED
    assert "the hub sent model-2.safetensors" in log
    assert not {"model-2.safetensors", MANIFEST} & set(pod.stored())


def test_an_interrupted_upload_is_continued(pod: Pod):
    pod.bucket.full_after = 3
    code, log = pod.run(FILES)
    assert (code, "failed" in log, MANIFEST in pod.stored()) == (1, True, False)
    done = set(pod.stored())
    assert done
    pod.bucket.full_after = None
    pod.forget()

    assert pod.run(FILES)[0] == 0
    assert pod.stored() == WHOLE
    assert not {f"{FOLDER}/{name}" for name in done} & set(pod.bucket.writes)


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ({"config.json": b"{ }"}, "config.json has SHA-256"),
        ({"pickled.bin": b"foreign"}, "pickled.bin, of which the manifest knows nothing"),
    ],
)
def test_what_somebody_else_put_there_is_neither_taken_nor_overwritten(
    pod: Pod, there: dict[str, bytes], told: str
):
    pod.put(there)

    code, log = pod.run(FILES)

    assert (code, pod.stored()) == (REFUSED, there)
    assert told in log


@pytest.mark.parametrize("filled_from", ["hub", "elsewhere"])
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"model-2.safetensors": b"WEIGHTS"}, "model-2.safetensors has SHA-256"),
        ({"model-2.safetensors": None}, "model-2.safetensors is missing"),
        ({"model-3.safetensors": b"more"}, "model-3.safetensors is not in the manifest"),
    ],
)
def test_a_folder_that_was_changed_is_found(
    pod: Pod, filled_from: str, changed: dict[str, bytes | None], told: str
):
    pod.put({name: body for name, body in (WHOLE | changed).items() if body is not None})
    before = dict(pod.bucket.objects)

    code, log = pod.run(FILES, filled_from)

    assert (code, pod.bucket.writes, pod.bucket.objects) == (REFUSED, [], before)
    assert told in log


def test_a_manifest_that_was_changed_with_its_files_is_found(pod: Pod):
    other = FILES | {"config.json": b'{"other": 1}'}
    pod.put(other | {MANIFEST: manifest_of(other).encode()})

    code, log = pod.run(FILES)

    assert code == REFUSED
    assert f"declared is {text_sha256(manifest_of(FILES))}" in log


@pytest.mark.parametrize("manifest_there", [True, False])
def test_what_was_copied_from_elsewhere_is_only_read(pod: Pod, manifest_there: bool):
    pod.put(WHOLE if manifest_there else {**FILES, "": b""})
    pod.bucket.page = 2

    code, log = pod.run(FILES, "elsewhere")

    assert code == 0, log
    assert (pod.bucket.writes, pod.hub.asked) == ([], [])


def test_a_folder_that_nobody_has_filled_yet_is_told(pod: Pod):
    code, log = pod.run(FILES, "elsewhere")

    assert code == REFUSED
    assert f"nothing is in s3://{BUCKET}/{FOLDER}" in log


def test_a_bucket_that_does_not_answer_is_tried_again_by_the_job(pod: Pod):
    pod.bucket.address = "http://127.0.0.1:9"

    code, log = pod.run(FILES)

    assert (code, log.startswith("failed: ")) == (1, True)
