"""What each parameter of a device costs, varied by itself."""

from __future__ import annotations

from pydantic import Field

from substrate.record.base import Part


class Variation(Part):
    """A parameter at another value than the scenario's.

    Attributes:
        value: that it had, as text.
        higher: whether it was made larger.
        cost: the arm's figure minus the one at this value, of losses the other way round: positive
            where it does worse. None where no seed came to its end.
        ci_low, ci_high: over new seeds and new test data; None with one seed.
        by_seed: the same of every seed; None where it diverged, or the arm itself had.
        diverged: seeds in which it did.
    """

    value: str
    higher: bool
    cost: float | None
    ci_low: float | None
    ci_high: float | None
    by_seed: list[float | None]
    diverged: int = Field(0, exclude_if=lambda value: value == 0)

    @property
    def told(self) -> bool:
        """Whether the interval says that it costs or gains something."""
        return (
            self.ci_low is not None and self.ci_high is not None and self.ci_low * self.ci_high > 0
        )


class Sensitivity(Part):
    """A parameter of a device arm.

    Attributes:
        arm: whose it is.
        name: of the parameter, as the report's list of the device has it.
        path: for `--set`.
        value: of the scenario, as text.
        meaning: in words, with the unit.
        source: where the value comes from.
        varied: at most two, downwards and upwards.
    """

    arm: str
    name: str
    path: str
    value: str
    meaning: str
    source: str
    varied: list[Variation]

    @property
    def most(self) -> float:
        """The largest cost or gain; infinite where it diverged."""
        sizes = [float("inf") if each.diverged else abs(each.cost or 0.0) for each in self.varied]
        return max(sizes, default=0.0)


class SensitivityReport(Part):
    """All parameters that were varied, those that matter most first.

    Attributes:
        factor: that they were multiplied and divided by; bits went up and down by one.
        confidence: of every interval by itself.
        parameters: that were varied.
        left_out: that were not, with the reason.
    """

    factor: float
    confidence: float
    parameters: list[Sensitivity]
    left_out: list[str]
