"""A mend of a pinned module is for the text that it was written for, and for no other."""

import pytest

from tools.build import mended
from tools.catalog import Mend
from tools.console import SetupError

MEND = Mend(file="wait.go", reads={"wait()\n": "waitAWhile()\n"})


def test_a_mend_changes_what_it_names_and_nothing_else():
    assert mended("start()\nwait()\nend()\n", MEND) == "start()\nwaitAWhile()\nend()\n"


@pytest.mark.parametrize("text", ["start()\nend()\n", "wait()\nwait()\n"], ids=["gone", "twice"])
def test_a_file_that_reads_otherwise_is_refused(text: str):
    with pytest.raises(SetupError, match=r"wait\.go .* 'wait\(\)'.* another version"):
        mended(text, MEND)
