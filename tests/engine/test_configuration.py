"""What people do to a stack's configuration keeps working, and a slip is answered."""

import re

import pytest

from tests.engine.declared import declare, new_project
from tests.engine.pulumi_cli import PulumiProject
from tests.engine.shown import errors, table

STACK = "breakeven:stack"


@pytest.fixture(scope="module")
def project(tools_path: str, tmp_path_factory: pytest.TempPathFactory) -> PulumiProject:
    """A project whose stack `set` each test declares as it likes."""
    made = new_project(tmp_path_factory.mktemp("configuration"), tools_path)
    declare(made, "set")
    made.init("set")
    return made


def test_numbers_set_on_the_command_line_are_judged(project: PulumiProject):
    declare(project, "set")
    project.config_set("set", f"{STACK}.models[0].workload.tokens_per_month", "75e9", path=True)
    project.config_set("set", f"{STACK}.models[0].pool.replicas.max", "20", path=True)

    result = project.preview("set").expect()

    assert "declared volume 75 B" in table(result)


def test_an_unknown_key_of_the_project_is_an_error_that_names_the_nearest(project: PulumiProject):
    declare(project, "set")
    project.config_set("set", "breakeven:stak", "5")

    result = project.preview("set")

    assert result.code != 0
    assert len(errors(result)) == 1
    assert "config.breakeven:stak: found an unknown key" in errors(result)[0]
    assert "did you mean breakeven:stack?" in errors(result)[0]


def test_unknown_keys_within_the_stack_are_answered_all_at_once(project: PulumiProject):
    declare(project, "set", {"purpos": "trial", "models[0].pool.replicas.maxx": 5})

    result = project.preview("set")

    assert result.code != 0
    assert len(errors(result)) == 1
    assert re.search(r"purpos: found an unknown key; .* did you mean purpose\?", errors(result)[0])
    assert re.search(r"models\[0\]\.pool\.replicas\.maxx: .* did you mean max\?", errors(result)[0])
    assert "Traceback" not in result.output


def test_a_day_that_is_none_is_answered_without_a_traceback(project: PulumiProject):
    declare(project, "set")

    result = project.run("preview", "--stack", "set", environment={"BREAKEVEN_AS_OF": "tomorrow"})

    assert result.code != 0
    assert "environment: BREAKEVEN_AS_OF: found 'tomorrow'" in errors(result)[0]
