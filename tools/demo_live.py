"""Deploy a stack on this machine that answers requests: no cluster, GPU or cloud account is needed.

The tests' control plane and process node run the pods of the stack `local` as processes: Envoy with
its limits, two routers, two vLLM on the CPU with a tiny model of random weights, Prometheus and a
collector. Its answers are noise; that they arrive, and how, is what there is to see. Needs root.
"""

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Run as a file, the interpreter looks for modules in tools/ and not in the folder above.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.dataplane.process_node.network import pod_network, why_not
from tests.dataplane.process_node.node import ProcessNode, process_node
from tests.dataplane.serving.declared import KEYS, MODEL, changes
from tests.dataplane.serving.deployed import Deployed, deployed
from tests.dataplane.serving.programs import images_of
from tests.dataplane.serving.stand_ins import stand_ins
from tests.engine.control_plane import run_control_plane
from tools import data_plane
from tools.bootstrap import search_path
from tools.console import SetupError, say

ALIAS = "web-chat"


def main() -> int:
    """Return 0 if the stack served until it was told to end."""
    if reason := why_not():
        say(f"this demo runs pods as processes: {reason}. `make demo` needs none of that.")
        return 1
    for told in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first
        signal.signal(told, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="breakeven-live-") as folder:
        try:
            with serving(Path(folder)) as (stack, node):
                tell(stack, node)
                with contextlib.suppress(KeyboardInterrupt):
                    signal.pause()
                say("taking all down, about a minute")
        except (SetupError, AssertionError) as error:
            notes = getattr(error, "__notes__", [])
            say("\n".join([f"the demo failed: {error}", *notes]))
            return 1
        except KeyboardInterrupt:
            say("stopped before it was up; all is taken down")
            return 130
    say("all is down")
    return 0


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Deployed, ProcessNode]]:
    """Bring up control plane, node and stack."""
    programs = data_plane.ready()
    path = search_path("live")
    for name in ("plane", "node", "project"):
        (folder / name).mkdir()
    with ExitStack() as all_of_it:
        network = all_of_it.enter_context(pod_network())
        outside = all_of_it.enter_context(stand_ins(network.host_address))
        say("starting a Kubernetes control plane, about 10 s")
        plane = all_of_it.enter_context(
            run_control_plane(
                path, folder / "plane", address=network.host_address, aggregation=True
            )
        )
        images, root = images_of(programs), folder / "node"
        node = all_of_it.enter_context(
            process_node(plane.api, network=network, images=images, root=root)
        )
        say("pulumi up, about a minute: two engines load a model on the CPU")
        yield (
            all_of_it.enter_context(
                deployed(
                    plane,
                    node,
                    changes(programs, hosted_url=outside[0].url, langfuse_url=outside[1].url),
                    name="live",
                    folder=folder / "project",
                    search_path=path,
                    stand_ins=outside,
                )
            ),
            node,
        )


def tell(stack: Deployed, node: ProcessNode) -> None:
    """Print what can be done now."""
    key = KEYS[ALIAS]
    prometheus = node.pod("prometheus", stack.namespace).address
    print(f"""
The stack serves. Try, in another terminal:

  curl {stack.base_url}/chat/completions \\
    -H 'authorization: Bearer {key}' -H 'content-type: application/json' \\
    -d '{{"model": "{MODEL}", "max_tokens": 20, "messages": [{{"role": "user", "content": "Hello"}}]}}'

  OPENAI_BASE_URL={stack.base_url} OPENAI_API_KEY={key} \\
    .venv/bin/python docs/examples/chat.py {MODEL}

  curl 'http://{prometheus}:9090/api/v1/query?query=breakeven:requests_active'
  KUBECONFIG={stack.plane.kubeconfig} kubectl -n {stack.namespace} get pods

What a pod's manifest asks for and this machine does not do (the same for all pods of a kind):
{left_out(node)}

Ctrl-C takes all of it down.
""")


def left_out(node: ProcessNode) -> str:
    """Return what the node did not honour, one line for each kind of thing."""
    found: dict[str, set[str]] = {}
    for pod, fields in node.left_out.items():
        for field in fields:
            found.setdefault(field, set()).add(pod.rpartition("/")[2].rsplit("-", 2)[0])
    lines = (f"  {field}: {', '.join(sorted(pods))}" for field, pods in sorted(found.items()))
    return "\n".join(lines) or "  nothing"


if __name__ == "__main__":
    sys.exit(main())
