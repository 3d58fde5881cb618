"""What the paper reports, from `reported.yaml`, and the reasons found where ours differs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from substrate.replicate.statements import check_syntax
from substrate.scenario.yaml_reader import load_yaml

REPORTED = Path(__file__).with_name("reported.yaml")

Percent = Annotated[float, Field(ge=0, le=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Accuracies(_Strict):
    """Peak accuracies of one arm; None where our copy of the paper lost the number."""

    train: Percent | None = None
    test: Percent | None = None


class Reported(_Strict):
    """One experiment of the paper, or of what the paper only promises."""

    source: str = Field("", description="Where in the paper.")
    paper: dict[str, Accuracies] = Field({}, description="By arm.")
    statements: list[Annotated[str, AfterValidator(check_syntax)]] = []
    why: dict[str, str] = Field(
        {}, description="Reasons by arm, or for `all`, found by experiment where ours differs."
    )

    def explains(self, arm: str) -> bool:
        """Whether a reason is given for this arm."""
        return arm in self.why or "all" in self.why


@cache
def reported(path: Path = REPORTED) -> dict[str, Reported]:
    """Everything that is reported, by experiment, in the order in which they are run.

    Raises:
        ScenarioError: the file is malformed.
    """
    source = load_yaml(path)
    entries = {}
    for name, entry in source.data.items():
        try:
            entries[name] = Reported.model_validate(entry or {})
        except ValidationError as problem:
            first = problem.errors()[0]
            message, found = first["msg"], first["input"]
            raise source.error((name, *first["loc"]), message, found=found) from None
    return entries
