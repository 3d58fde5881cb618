"""What the responses of many devices have in common, and how well that fits them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from substrate.fit.device.closed_form import Fitted
from substrate.fit.device.curves import Device
from substrate.fit.device.measured_steps import StepCurves
from substrate.fit.device.population import Estimate
from substrate.fit.device.pulse_filter import Forecast

Weights = Float64[np.ndarray, " weights"]

GOOD, USABLE = 0.03, 0.08
"""Largest misfit of the mean curves, a part of the window, for these verdicts."""
STEPS_GOOD = 0.5
"""Mean steps may be off by as much. Of simulated soft bounds, linear and constant steps they were
by 5, 14 and 32 % (cells that rest at a hard bound are seen to step less), of bells by 60 to 70."""


@dataclass(frozen=True)
class ResponseFit:
    """What the devices have in common.

    Attributes:
        kind: "soft bounds", "linear step" or "measured steps".
        parameters: of `PulseResponse` and of the window, by the native crossbar's names, with
            errors; lengths are weights.
        stuck: fraction of devices that do not move, low, high and open, with errors.
        devices: those that move, by their laws; none of measured steps.
        zero: conductance of weight 0, S; the symmetry point unless readings are weights.
        per_weight: siemens of one unit of weight; 1 where readings are weights.
        symmetry_point: S, or weight, with its spread over devices.
        misfit: root mean square of what mean curves and law differ by beyond chance, a part of the
            window.
        notes: for people.
        steps: where no closed form fits.
        steps_off: root mean square of what mean steps of a closed form and those measured differ
            by beyond the error of these, a part of the mean step; 0 where that may be chance.
    """

    kind: str
    parameters: dict[str, Estimate]
    additive: bool
    stuck: dict[str, Estimate]
    devices: list[Fitted]
    zero: float
    per_weight: float
    window: tuple[float, float]
    symmetry_point: Estimate
    misfit: float
    notes: list[str]
    steps: StepCurves | None = None
    steps_off: float = 0.0

    @property
    def followed(self) -> list[tuple[Device, Forecast]]:
        """Every device that moves, readings as weights, with its law's course."""
        if self.steps is not None:
            return list(zip(self.steps.devices, self.steps.courses, strict=True))
        return [(each.device, each.forecast()) for each in self.devices]

    def mean_steps(self, weights: Weights) -> tuple[Weights, Weights]:
        """Mean step up and down of a pulse, both positive."""
        if self.steps is not None:
            table = self.steps
            up, down = (np.interp(weights, table.weight, each) for each in (table.up, table.down))
            return up, down
        laws = [each.law for each in self.devices]
        up = np.mean([law.up * (1 - law.slope_up * weights) for law in laws], axis=0)
        down = np.mean([law.down * (1 + law.slope_down * weights) for law in laws], axis=0)
        return up, down

    @property
    def verdict(self) -> str:
        """good, usable or poor, by the misfit; good asks for the shape of the steps as well."""
        if self.misfit > USABLE:
            return "poor"
        return "good" if self.misfit <= GOOD and self.steps_off <= STEPS_GOOD else "usable"
