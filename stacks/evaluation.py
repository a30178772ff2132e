"""What a model must pass before requests move to it: a command, or a share of right answers."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from stacks.errors import ContradictionError
from stacks.numbers import IMAGE, Count, Declared, Positive, Share, Text

VARIABLE: Final = r"^[A-Z_][A-Z0-9_]*$"
OWN_VARIABLES: Final = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "EVALUATION_MODEL", "HOME")
"""What every evaluation is told; not to be declared."""

Minutes = Annotated[Positive, Field(le=1440)]


class CommandEvaluation(Declared):
    """A command of one's own; it passes with exit code 0, and compares its score itself."""

    kind: Literal["command"]
    image: Annotated[str, Field(pattern=IMAGE)]
    """Image by digest; it runs as user 2000, and may write to /tmp only."""
    command: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Program and arguments; no shell reads them."""
    environment: dict[Annotated[str, Field(pattern=VARIABLE)], str] = Field(default_factory=dict)
    """Further variables, no secrets: they stand in the pod in clear."""
    cpus: Positive = 1
    """CPU cores it requests."""
    memory_gib: Positive = 1
    """Memory it requests and may use."""
    timeout_minutes: Minutes = 60
    """After this it is ended, and has not passed; at most a day."""

    @model_validator(mode="after")
    def _own_variables_are_left(self) -> Self:
        for name in OWN_VARIABLES:
            if name in self.environment:
                raise ContradictionError(
                    field=f".environment.{name}",
                    found="a name that every evaluation is given",
                    allowed=f"names other than {', '.join(OWN_VARIABLES)}",
                    remedy="take it out: the model that is evaluated is asked, and no other",
                )
        return self


class DatasetEvaluation(Declared):
    """Questions with expected answers; it passes with a share of right ones."""

    kind: Literal["dataset"]
    file: Text
    """JSON lines file, relative to the folder of the stack file (docs/serving.md#evaluation)."""
    at_least: Share
    """Share of the questions that must be answered right: 0.9 is nine of ten."""
    requests_at_once: Annotated[Count, Field(le=256)] = 4
    """Questions in flight."""
    max_tokens: Count = 1024
    """Longest answer in tokens, reasoning included; one that is cut off is judged as it is."""
    timeout_minutes: Minutes = 60
    """After this it is ended, and has not passed; at most a day."""


Evaluation = Annotated[CommandEvaluation | DatasetEvaluation, Field(discriminator="kind")]


class Question(Declared):
    """One line of a dataset: what is asked, and exactly one way to tell a right answer."""

    prompt: Text
    """What the user says."""
    equals: Text | None = None
    """The whole answer, blanks around it apart."""
    contains: Text | None = None
    """A part of the answer."""
    matches: Text | None = None
    """A regular expression (Python's) that is found in the answer."""
