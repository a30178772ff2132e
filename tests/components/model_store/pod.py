"""The Job's pod, with the stand-ins of the bucket and the hub."""

import hashlib
import os
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from components.model_store.accounts import folder
from components.model_store.manifest import manifest, text_sha256
from components.model_store.plan import SCRATCH, PrefetchPlan, prefetch_plans
from components.model_store.prefetch import main
from stacks.stack import Stack
from tests.components.aws.registered import declared
from tests.components.model_store.stand_in_hub import StandInHub
from tests.components.model_store.stand_in_s3 import BUCKET, StandInBucket

MODEL = Stack.model_validate(declared("prod")).models[0]
FOLDER = folder(MODEL)


def manifest_of(files: dict[str, bytes]) -> str:
    return manifest({name: hashlib.sha256(body).hexdigest() for name, body in files.items()})


def planned(files: dict[str, bytes], filled_from: str) -> PrefetchPlan:
    digest = text_sha256(manifest_of(files))
    source = {"kind": "store", "filled_from": filled_from, "manifest_sha256": digest}
    stack = Stack.model_validate(declared("prod", {"models[0].serving.source": source}))
    return prefetch_plans(stack, BUCKET, file="Pulumi.prod.yaml")[stack.models[0].name]


class Pod:
    """What the Job's pod would be, with both stand-ins."""

    def __init__(self, folder: Path, bucket: StandInBucket, hub: StandInHub):
        self.folder, self.bucket, self.hub = folder, bucket, hub
        self.token: str | None = None

    def run(self, files: dict[str, bytes], filled_from: str = "hub") -> tuple[int, str]:
        """Return exit code and log of a Job for which these files are declared, run in this process."""
        environment = self.environment(planned(files, filled_from))
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as log:
            for name, value in environment.items():
                patch.setenv(name, value)
            return main(environment), log.getvalue()

    def run_apart(self, plan: PrefetchPlan) -> tuple[int, str]:
        """Return the same of a Job whose scripts are laid out and started as in the pod."""
        template: Any = plan.spec["template"]
        (container,) = template["spec"]["containers"]
        (scripts, *_) = template["spec"]["volumes"]
        for item in scripts["config_map"]["items"]:
            path = self.folder / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(plan.files[item["key"]])
        result = subprocess.run(
            [sys.executable, *container["command"][1:]],
            cwd=self.folder,
            env={**self.environment(plan), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert not result.stderr, result.stderr
        return result.returncode, result.stdout

    def environment(self, plan: PrefetchPlan) -> dict[str, str]:
        """Return what the scripts are told, and where the stand-ins are."""
        template: Any = plan.spec["template"]
        variables = template["spec"]["containers"][0]["env"]
        plain = {each["name"]: each["value"] for each in variables if "value" in each}
        scratch = str(self.folder / "scratch")
        named = {name: value.replace(SCRATCH, scratch) for name, value in plain.items()}
        named |= {"HF_TOKEN": self.token} if self.token else {}
        return {
            **named,
            "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_ENDPOINT_URL_S3": self.bucket.address,
            "AWS_MAX_ATTEMPTS": "1",
            "HF_ENDPOINT": self.hub.address,
        }

    def put(self, files: dict[str, bytes]) -> None:
        """Put files into the model's folder of the bucket, as somebody else would."""
        self.bucket.objects |= {f"{FOLDER}/{name}": body for name, body in files.items()}

    def stored(self) -> dict[str, bytes]:
        """Return what is in the model's folder."""
        return {k.removeprefix(f"{FOLDER}/"): v for k, v in self.bucket.objects.items()}

    def forget(self) -> None:
        """Forget what was asked so far."""
        for asked in (self.bucket.writes, self.bucket.reads, self.hub.asked):
            asked.clear()
