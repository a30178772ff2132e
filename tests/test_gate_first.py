"""The program decides before it registers anything, and only an error that ends it refuses."""

import ast
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
MAIN: Final = ast.parse((ROOT / "__main__.py").read_text(encoding="utf-8"))
REGISTERS: Final = {"deploy", "cluster", "Serving", "account_plan"}
"""What __main__ calls that leads to a resource, a provider or an invoke."""


def called(node: ast.AST) -> list[str]:
    """Return the names of what is called within a node, first to last in the text."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    return [ast.unparse(call.func) for call in calls]


def function(name: str) -> ast.FunctionDef:
    (found,) = (n for n in MAIN.body if isinstance(n, ast.FunctionDef) and n.name == name)
    return found


def refuses_first(main: ast.AST) -> bool:
    """Return whether a raised RunError stands before the first call that registers something."""
    names = called(main)
    first = min(names.index(name) for name in REGISTERS if name in names)
    return "pulumi.RunError" in names[:first] and "decide" in names[:first]


def test_nothing_is_registered_before_the_gate_has_refused():
    assert refuses_first(function("main"))
    swapped = ast.unparse(function("main")).replace(
        "decision = decide", "deploy(0)\n    decision = decide"
    )
    assert not refuses_first(ast.parse(swapped))


def test_only_functions_register():
    outside = [node for node in MAIN.body if not isinstance(node, ast.FunctionDef)]

    assert not REGISTERS & {name for node in outside for name in called(node)}


def test_no_message_is_taken_for_a_refusal():
    """An update goes on after `pulumi.log.error`; only a RunError ends it."""
    files = [ROOT / "__main__.py", *(ROOT / "components").rglob("*.py")]

    told = [path.name for path in files if "log.error" in path.read_text(encoding="utf-8")]

    assert told == []
