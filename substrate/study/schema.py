"""A study file.

scenario: ../native_danp.yaml
set: {training.epochs: 8}             # laid over the scenario at every point
axes:
  adc_bits:
    field: arms.native.chip.output_converter.bits
    values: [4, 5, 6, 8]
  read_noise:
    field: [arms.danp.chip.conductance.read_noise, arms.mirror.chip.conductance.read_noise]
    range: [0.003, 0.1]               # two fields tied together, in equal ratios
    scale: log
    steps: 4
  device:
    choices:                          # several fields at once, by a name
      tang: {arms.native.chip.preset: tang_2018}
      rasch: {arms.native.chip.preset: rasch_2019}
design: {kind: grid}
seeds: [0, 1]
stopping: {until: decided, at_most: 8}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveInt, model_validator

from substrate.scenario.schema.base import ArmName, Name, Settings


class StudyAxis(Settings):
    """What is varied: a field or several tied ones, over a list, a range, or named choices."""

    field: str | Annotated[list[str], Field(min_length=1)] = Field(
        [], description="Dotted path as of --set, or several that take the same value."
    )
    values: list[Any] | None = Field(None, min_length=1, description="A list, of any kind.")
    range: tuple[FiniteFloat, FiniteFloat] | None = Field(None, description="From, to.")
    scale: Literal["linear", "log"] = Field(
        "linear", description="Of a range: equal steps, or equal ratios."
    )
    whole: bool = Field(False, description="Of a range: whole numbers only.")
    steps: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Of a range, in a grid: how many values."
    )
    choices: dict[str, dict[str, Any]] | None = Field(
        None, min_length=1, description="Settings by name, in place of field and values."
    )
    unit: str = Field("", description="Written behind values.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(each is not None for each in (self.values, self.range, self.choices)) != 1:
            raise ValueError("give one of values, range or choices")
        if bool(self.fields) == (self.choices is not None):
            raise ValueError("values and range need a field, and choices have their own")
        if self.range is not None:
            low, high = self.range
            if low >= high:
                raise ValueError("a range goes from its lower end to its upper end")
            if self.scale == "log" and low <= 0:
                raise ValueError("a logarithmic range begins above 0")
        elif self.steps or self.whole or self.scale == "log":
            raise ValueError("steps, scale and whole belong to a range")
        return self

    @property
    def fields(self) -> list[str]:
        """The paths, one or several."""
        return [self.field] if isinstance(self.field, str) else self.field

    @property
    def paths(self) -> list[str]:
        """All that it sets, by its fields or its choices."""
        chosen = (path for each in (self.choices or {}).values() for path in each)
        return list(dict.fromkeys([*self.fields, *chosen]))


COLUMNS = (
    *("point", "arm", "role", "seed", "test_accuracy"),
    *("test_loss", "train_accuracy", "train_loss", "diverged_in"),
    *("baseline", "seeds", "mean", "std"),
    *("baseline_mean", "gap", "ci_low", "ci_high", "tolerance", "verdict"),
    *("diverged", "not_at_once", "baseline_doubted"),
    *("feasible_at_once", "shared_error"),
    *("training_joules", "training_seconds", "inference_joules"),
    *("inference_seconds", "worst_cell_cycles", "without_price", "untold"),
)
"""Of the tables, beside the axes."""


class Grid(Settings):
    """Every combination of all values."""

    kind: Literal["grid"] = "grid"


class Scattered(Settings):
    """Points all over the ranges.

    random: each on its own. sobol: spread evenly (scipy.stats.qmc; Sobol, USSR Comput. Math. Math.
    Phys. 7, 1967), best a power of two of them.
    """

    kind: Literal["random", "sobol"]
    points: PositiveInt
    seed: NonNegativeInt = 0


class Stopping(Settings):
    """Add seeds at every point until its verdict stands, as `run --until decided` does."""

    until: Literal["decided"]
    at_most: PositiveInt = Field(20, description="Seeds of a point.")


class Study(Settings):
    """A scenario at many points of its settings."""

    name: Name
    title: str = Field("", description="One line for people.")
    description: str = Field("", description="What is asked, and why.")
    scenario: str = Field(description="A file, from this one's folder, or a shipped scenario.")
    budget: str = Field("full", description="Of the scenario.")
    set: dict[str, Any] = Field({}, description="Settings of all points, by dotted paths.")
    axes: dict[ArmName, StudyAxis] = Field(min_length=1, description="What is varied, by name.")
    design: Annotated[Grid | Scattered, Field(discriminator="kind")] = Grid()
    seeds: list[NonNegativeInt] | None = Field(
        None, min_length=1, description="In place of the scenario's."
    )
    stopping: Stopping | None = None
