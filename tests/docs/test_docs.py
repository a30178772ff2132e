"""What the documents say is true: every worked number, report, link, anchor and example."""

import doctest
import json
import re
import shlex
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gate.cli import main
from stacks.workload import Evidence
from tests.docs.documents import DOCUMENTS, FENCES, ROOT, fences, files, prose
from tests.factories import STACKS

MODEL = ROOT / "docs" / "model.md"
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]|\.\d)")


class AsPrinted(doctest.OutputChecker):
    """A figure is right when it rounds to the digits that are printed; a whole number is exact."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        del optionflags
        if NUMBER.sub("#", want).split() != NUMBER.sub("#", got).split():
            return False
        pairs = zip(NUMBER.findall(want), NUMBER.findall(got), strict=True)
        return all(rounds_to(float(actual), printed) for printed, actual in pairs)


def rounds_to(actual: float, printed: str) -> bool:
    exponent = int(Decimal(printed).as_tuple().exponent)
    return abs(actual - float(printed)) <= (0.5000001 * 10.0**exponent if exponent else 0)


def marked(*languages: str, start: str) -> list[Any]:
    wanted = [f for f in FENCES if f.language in languages and f.text.startswith(start)]
    return [pytest.param(fence, id=str(fence)) for fence in wanted]


@pytest.mark.parametrize("fence", marked("worked", start=">>> "))
def test_a_worked_number_is_what_the_code_computes(fence, tmp_path):
    for example in (f for f in fences(MODEL) if f.language == "json"):
        (tmp_path / "evidence.json").write_text(example.text, encoding="utf-8")
    globs = {"folder": tmp_path, "stacks": STACKS}
    parsed = doctest.DocTestParser().get_doctest(fence.text, globs, str(fence), str(fence), 0)
    said: list[str] = []

    failed = (
        doctest.DocTestRunner(checker=AsPrinted(), verbose=False)
        .run(parsed, out=said.append)
        .failed
    )

    assert parsed.examples
    assert not failed, "".join(said)


@pytest.mark.parametrize("fence", marked("worked", "console", start="$ python -m gate"))
def test_a_shown_command_prints_what_is_shown(fence, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    first, _, shown = fence.text.replace("\\\n", " ").partition("\n")

    with suppress(SystemExit):  # --help
        main(shlex.split(first)[4:])
    printed = capsys.readouterr().out

    assert shows(shown.splitlines(), printed.splitlines()), f"{fence}: it prints\n{printed}"


def shows(shown: list[str], printed: list[str]) -> bool:
    """Return whether the lines are shown as printed; a line `...` stands for any that are left out."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()) + r"\n"
        for line in shown
    )
    text = "".join(line.rstrip() + "\n" for line in printed)
    return re.fullmatch(pattern, text) is not None


def test_every_formula_is_worked_once():
    stated = [f.section for f in fences(MODEL) if f.language == "formula"]
    worked = {f.section for f in fences(MODEL) if f.language == "worked"}

    assert len(stated) > 20
    assert len(stated) == len(set(stated)), "one formula block a section"
    assert set(stated) <= worked


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists():
        return True
    return bool(anchor) and anchor not in anchors(target)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(document))

    assert not [link for link in links if ":" not in link and broken(document, link)]


def test_every_document_that_code_and_stacks_name_is_there():
    named = re.compile(r"(?<![\w./-])docs/[\w./-]*\w(?:#[\w-]*\w)?")
    missing = set()
    for file in files(".py", ".yaml", ".toml", ".md"):
        for reference in named.findall(file.read_text(encoding="utf-8")):
            path, _, anchor = reference.partition("#")
            found = [ROOT / path] if (ROOT / path).exists() else list(ROOT.glob(f"{path}-*"))
            if not found or (anchor and anchor not in anchors(found[0])):
                missing.add(f"{file.relative_to(ROOT)}: {reference}")

    assert not missing


def test_no_file_names_a_path_of_a_machine():
    path = re.compile(r"(?<![\w./:}-])/(?:home|Users|root|work|mnt|private)/(?!vllm\b)\w+")
    named = {
        f"{file.relative_to(ROOT)}: {found[0]}"
        for file in files(".md", ".py", ".yaml", ".toml", "Makefile", ".json", ".txt")
        if (found := path.findall(file.read_text(encoding="utf-8")))
    }

    assert not named


def test_the_measurement_file_is_one():
    examples = [fence for fence in fences(MODEL) if fence.language == "json"]

    assert [Evidence.model_validate(json.loads(example.text)) for example in examples]
