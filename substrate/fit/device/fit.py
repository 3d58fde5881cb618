"""All of a device: responses, drift, read noise, put together as a native crossbar's settings.

g_min  lowest conductance of the window        g_max - g_min  conductance of one unit of weight
write_noise²  variance of a reading, less that of the read noise where it was measured by itself
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from substrate.fit.device.data import Measured
from substrate.fit.device.population import Estimate
from substrate.fit.device.response import fit_responses
from substrate.fit.device.response_fit import ResponseFit
from substrate.fit.device.series import (
    DriftFit,
    ReadNoiseFit,
    bend_of_sweeps,
    fit_drift,
    fit_reads,
    gap_of_sweeps,
)

_MATTERS = 0.02
"""Of a current, for what a product of conductance and voltage may be off by."""


@dataclass
class DeviceFit:
    """What was found, and what a scenario is given.

    Attributes:
        settings: of a native crossbar: conductance, update, drift, faults.
        errors: standard errors by dotted name.
        response: of pulses, where there were any.
        drift: of retention series, likewise.
        read_noise: of repeated reads, likewise.
        verdicts: by part.
        notes: for people.
    """

    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    response: ResponseFit | None = None
    drift: DriftFit | None = None
    read_noise: ReadNoiseFit | None = None
    verdicts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, part: str, name: str, estimate: Estimate) -> None:
        """Add a parameter with its error."""
        value, error = estimate
        self.settings.setdefault(part, {})[name] = _rounded(value, error)
        self.errors[f"{part}.{name}"] = error


def fit_device(
    measured: Measured,
    tell: Callable[[str], None] = lambda _: None,
    *,
    table: bool = False,
    steps_file: str = "steps.csv",
) -> DeviceFit:
    """Fit all that was measured.

    Args:
        measured: curves.
        tell: told what is going on.
        table: take steps as measured, even where a closed form fits.
        steps_file: where a scenario finds the table of steps, if there is one.

    Raises:
        ValueError: a part cannot be fitted.
    """
    result = DeviceFit(notes=list(measured.notes))
    if measured.reads:
        result.read_noise = fit_reads(measured.reads)
    if measured.responses:
        response = fit_responses(measured.responses, measured.siemens, tell, table=table)
        result.response = response
        result.notes += response.notes
        result.verdicts["response"] = response.verdict
        _put_response(result, response, measured.siemens, steps_file)
    if result.read_noise is not None:
        _put_read_noise(result, result.read_noise, measured.siemens)
    if measured.retention:
        _put_drift(result, fit_drift(measured.retention))
    if measured.sweeps:
        bend, volts = bend_of_sweeps(measured.sweeps)
        matters = "matters: read at a lower voltage" if bend > _MATTERS else "does not matter"
        gap = gap_of_sweeps(measured.sweeps)
        result.verdicts["sweep"] = "good" if max(bend, gap) <= _MATTERS else "poor"
        result.notes.append(
            f"currents bend by {bend:.2%} up to {volts:g} V, which {matters} "
            f"(native crossbars multiply exactly)"
        )
        if gap > _MATTERS:
            result.notes.append(
                f"currents at one voltage differ by {gap:.0%} within a sweep, beyond chance: there "
                "is hysteresis, or the cell switches; read below the voltage where that begins"
            )
    several = {name: kinds for name, kinds in measured.pulse_kinds.items() if len(kinds) > 2}
    for name, kinds in several.items():
        result.notes.append(
            f"{len(kinds)} pulse {name}s were used: one response is fitted to all; give files of "
            "one pulse each for one response each"
        )
    return result


def _put_response(result: DeviceFit, response: ResponseFit, siemens: bool, steps_file: str) -> None:
    parameters = dict(response.parameters)
    if siemens:
        low = response.window[0]
        if low < 0:
            result.notes.append("the window's lower bound comes out below 0 S: g_min is 0")
        result.put("conductance", "g_min", (max(low, 0.0), 0.0))
        result.put("conductance", "g_max", (max(low, 0.0) + response.per_weight, 0.0))
        for name in ("g_min", "g_max"):
            del result.errors[f"conductance.{name}"]
        _add_window_errors(result, response)
    for name in ("w_max", "w_min", "w_max_spread", "w_min_spread"):
        result.put("conductance", name, parameters.pop(name))
    if result.read_noise is not None:
        parameters["write_noise"] = _less_reading(
            parameters["write_noise"], parameters["dw_min"][0], result.read_noise, response
        )
    elif siemens or response is not None:
        result.settings["conductance"]["read_noise"] = 0.0
        result.notes.append(
            "no repeated reads were given: what readings scatter by is all write_noise; a file of "
            "reads (columns read and G) tells them apart"
        )
    result.settings["conductance"]["programming_error"] = 0.0
    result.notes.append("the error of programming whole arrays was not measured: it is set to 0")
    for name, estimate in parameters.items():
        result.put("update", name, estimate)
    update = result.settings["update"]
    if response.steps is not None:
        # 0 and not left out, since a preset may have others
        update |= {"steps": steps_file, "cycle_spread": 1.0, "cycle_spread_is": "measured"}
        update |= {"up_down": 0.0, "gamma_up": 0.0, "gamma_down": 0.0, "gamma_spread": 0.0}
    else:
        update["cycle_spread_is"] = "additive" if response.additive else "multiplicative"
        update["gamma_reference"] = "own"
    for name, estimate in response.stuck.items():
        if estimate[0] > 0:
            result.put("faults", name, estimate)


def _add_window_errors(result: DeviceFit, response: ResponseFit) -> None:
    """g_min is the mean lower bound, and g_max - g_min is the longer arm of the window."""
    high, low = response.parameters["w_max"], response.parameters["w_min"]
    error_low = low[1] * response.per_weight
    longer = high if high[0] >= -low[0] else low
    result.errors["conductance.g_min"] = error_low
    result.errors["conductance.g_max"] = math.hypot(error_low, longer[1] * response.per_weight)


def _less_reading(
    noise: Estimate, step: float, reads: ReadNoiseFit, response: ResponseFit
) -> Estimate:
    middle = sum(response.window) / 2 or reads.at
    reading = reads.sigma_at(middle) / response.per_weight / step
    left = noise[0] ** 2 - reading**2
    value = math.sqrt(left) if left > 0 else 0.0
    return value, noise[1] * noise[0] / max(value, noise[0] / 3)


def _put_read_noise(result: DeviceFit, reads: ReadNoiseFit, siemens: bool) -> None:
    if not siemens:
        result.notes.append("reads are of weights, and read noise is one of conductances: left out")
        return
    window = result.settings.get("conductance", {})
    g_max = float(window.get("g_max", reads.at))
    value = reads.sigma_at(g_max) / g_max
    exponent = max(reads.exponent[0], 0.0)
    reach = math.log(g_max / reads.at)
    away = 0.0 if math.isinf(reads.exponent[1]) else reach * reads.exponent[1]
    relative = math.hypot(reads.sigma[1] / reads.sigma[0], away)
    result.put("conductance", "read_noise", (value, value * relative))
    result.put("conductance", "read_noise_exponent", (exponent, reads.exponent[1]))
    result.verdicts["reads"] = reads.verdict
    g_min = float(window.get("g_min", 0.0))
    if result.response is not None and exponent > 0 and g_min > 0:
        factor = (result.response.zero / g_min) ** exponent
        result.notes.append(
            "read noise grows with conductance: a native crossbar reads weight 0 as two cells at "
            f"g_min, and has {factor:.1f} times too little of it there for a cell beside a "
            "reference at the symmetry point"
        )
    if math.isinf(reads.exponent[1]):
        result.notes.append("reads at one conductance: read noise is taken as the same at all")


def _put_drift(result: DeviceFit, drift: DriftFit) -> None:
    result.drift = drift
    result.verdicts["retention"] = drift.verdict
    if drift.verdict != "good":
        unsaid = "three times a series do not tell from noise" if math.isnan(drift.chance) else ""
        result.notes.append(
            f"ln G bends by {drift.bent:.0%} of what it changes by, which "
            + (unsaid or "a decay with a power of time does not")
        )
    if drift.nu[0] <= 0:
        result.notes.append(
            f"conductances do not decay (ν = {drift.nu[0]:.2g} ± {drift.nu[1]:.1g}): no drift set"
        )
        return
    result.put("drift", "nu", drift.nu)
    result.put("drift", "nu_spread", drift.nu_spread)
    result.settings["drift"]["t_0"] = float(f"{drift.t_0:.4g}")


def _rounded(value: float, error: float) -> float:
    """Two digits more than the error has, and four at least."""
    if value == 0 or not math.isfinite(value):
        return value
    digits = 4
    if 0 < error < math.inf:
        digits = max(4, 3 + math.floor(math.log10(abs(value) / error)))
    return float(f"{value:.{min(digits, 8)}g}")
