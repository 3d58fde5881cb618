"""`survey.json`: what a survey was asked, and every cell that is finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from substrate.files import write_atomically
from substrate.survey.plan import Place

RECORD = "survey.json"


class SurveyError(Exception):
    """A folder's `survey.json` is not this survey's; `str()` says in what."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Training(_Record):
    """What one training came to.

    Attributes:
        learning_rate: η.
        seed: of the training.
        loss: at the end, None where it diverged.
        accuracy: likewise, None in a regression too.
        diverged_in: the epoch in which it diverged.
        seconds: of wall time.
    """

    learning_rate: float
    seed: int
    loss: float | None
    accuracy: float | None
    diverged_in: int | None
    seconds: float


class Cell(_Record):
    """A preset trained by an arm, or a baseline.

    Attributes:
        preset: None for a baseline.
        arm: its name in the scenario.
        injected: whether noise was injected since the preset has none of its own.
        validated: a training for every rate, tested on held-out training data; empty where there
            was nothing to choose.
        tested: a training for every seed at the chosen rate, tested on the test data; empty where
            every rate diverged.
    """

    preset: str | None
    arm: str
    injected: bool
    validated: list[Training]
    tested: list[Training]

    @property
    def place(self) -> Place:
        """Row and column."""
        return Place(self.preset, self.arm)

    @property
    def seconds(self) -> float:
        """Of all its trainings."""
        return sum(each.seconds for each in (*self.validated, *self.tested))


class Survey(_Record):
    """`survey.json`.

    Attributes:
        format: of this file.
        scenario: resolved.
        rates: to choose from.
        samples: how many are for training, and how many of these were held out to choose the rate.
        network: in one line.
        metric: what the table shows.
        versions: of everything that figures depend on.
        data: SHA-256 of all of them.
        code: SHA-256 of our sources, and of files and packages that the scenario names.
        command: that began it.
        started: in UTC.
        cells: in the order in which they were finished.
    """

    format: Literal[1] = 1
    scenario: dict[str, Any]
    rates: list[float]
    samples: dict[str, int]
    network: str
    metric: Literal["test_accuracy", "test_loss"]
    versions: dict[str, str]
    data: str = ""
    code: dict[str, str] = {}
    command: str
    started: str
    cells: list[Cell] = []

    def cell(self, place: Place) -> Cell | None:
        """The finished cell at a place."""
        return next((each for each in self.cells if each.place == place), None)


def begin_or_go_on(folder: Path, asked: Survey) -> Survey:
    """Give what the folder holds of the survey that is asked for: at first, nothing but that.

    Raises:
        SurveyError: the folder holds another survey, or its record cannot be read.
    """
    path = folder / RECORD
    if not path.exists():
        return asked
    try:
        found = Survey.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as problem:
        raise SurveyError(f"{path} cannot be read: {problem}") from None
    own = {"cells", "command", "started"}
    difference = _difference(found.model_dump(exclude=own), asked.model_dump(exclude=own))
    if difference:
        raise SurveyError(f"{path} is of another survey: {difference}")
    return found


def write_record(folder: Path, survey: Survey) -> None:
    """Write `survey.json`."""
    write_atomically(folder / RECORD, survey.model_dump_json(indent=2) + "\n")


def _difference(found: Any, asked: Any, path: str = "") -> str:
    """Name the first thing in which two records differ; empty where there is none."""
    if isinstance(found, dict) and isinstance(asked, dict):
        for key in {**found, **asked}:
            below = f"{path}.{key}" if path else key
            if difference := _difference(found.get(key), asked.get(key), below):
                return difference
        return ""
    return "" if found == asked else f"{path} is {found!r} there, and {asked!r} here"
