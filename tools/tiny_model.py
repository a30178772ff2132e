"""A language model of 0.4 million random weights: the real engine serves it on a laptop's CPU.

Made once by the vLLM environment's own libraries, and kept in the cache. Its answers are noise; that
they arrive, in what pieces, how long and how counted is what the tests look at.
"""

from pathlib import Path

from tools import cache
from tools.console import run
from tools.environment import ROOT
from tools.vllm_on_cpu import Vllm, pinned

MAKER = Path(__file__).with_name("tiny_model_maker.py").resolve()
SERVED_NAME = "tiny"
CONTEXT_TOKENS = 4096
ONE_PROCESS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
"""No process of its own for the one worker, which takes 10 s longer to start."""
SETTINGS = ONE_PROCESS | {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1"}
"""The least: whole GiB for the cache of keys and values, threads of the kernels, and no process of
its own for the one worker. Measured on 2 idle cores: ready in 29-34 s and 2.8 GB resident; with that
process 40-44 s and 3.6 GB."""
ARGUMENTS = (
    *("--served-model-name", SERVED_NAME),
    *("--dtype", "bfloat16"),
    *("--max-model-len", str(CONTEXT_TOKENS)),
    *("--max-num-seqs", "16"),
    "--enforce-eager",
    "--enable-auto-tool-choice",
    *("--tool-call-parser", "hermes"),
)
"""What `vllm serve FOLDER` takes to start soonest, and to take a request with tools."""


def made() -> Path | None:
    """Return the model's folder, or None if it is not made yet."""
    folder = _folder(pinned())
    return folder if cache.is_made(folder) else None


def make(vllm: Vllm) -> None:
    """Make the model unless it is there."""
    cache.make_once(_folder(vllm), lambda folder: _make(vllm, folder))


def _make(vllm: Vllm, folder: Path) -> None:
    folder.mkdir()
    run(
        "making a tiny model, about 10 s",
        [vllm.python, MAKER, folder],
        cwd=ROOT,
        env=vllm.environment(home=folder),
        remedy=f"See {MAKER.name} and the libraries of the vLLM environment.",
    )


def _folder(vllm: Vllm) -> Path:
    return cache.named("tiny-model", MAKER.read_text(), vllm.python.parent.parent.name)
