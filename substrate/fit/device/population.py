"""What devices have in common, from the law of each: means, spreads and their standard errors.

    S = std(θ̂ over devices),    error of the mean = S / √D
    spread² = S² - s²,    its error q = √(2 max(S, s)⁴ / (D - 1) + 2 s⁴ / f)
    error of the spread = max(√(spread² + q) - spread, spread - √(spread² - q))

s² is the mean square error of each device's fit, found with f degrees of freedom. Squares below 0
count as 0. Where S² / s² may be chance (5 %, by its F distribution), the error is large enough for
an interval of 95 % to hold 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from substrate.fit.device.closed_form import Fitted
from substrate.fit.device.pulse_filter import Law

Estimate = tuple[float, float]
"""A value and its standard error."""

_LINEARISED = 0.06
"""Of simulated devices whose readings scatter by half a step, cycle-to-cycle spreads came out 4 to
9 % too small: what the filter's straight lines add to the error."""

_BY_CHANCE = 0.05
_HOLDS_0 = 1.9
"""An estimate of no more standard errors than this has 0 in its interval of 95 %."""


def population(devices: Sequence[Fitted], soft: bool, cycle_error: float) -> dict[str, Estimate]:
    """Means and spreads, as `PulseResponse` and `Conductance` name them.

    Args:
        devices: with one spread from pulse to pulse.
        soft: whether steps vanish at the bounds.
        cycle_error: of that spread, a part of it.
    """
    laws = [each.law for each in devices]
    up, down = np.array([law.up for law in laws]), np.array([law.down for law in laws])
    larger = max(up.mean(), down.mean())
    high, low = (np.array([law.high for law in laws]), np.array([law.low for law in laws]))
    readings = sum(len(each.device.readings) for each in devices)

    def spread(number: Callable[[Law], float], size: float = 1.0) -> Estimate:
        square = float(np.mean([each.square_of_error(number) for each in devices]))
        values = np.array([number(law) for law in laws])
        return _over(spread_beyond(values, square, readings), (abs(float(size)), 0.0))

    cycle = float(np.median([law.spread for law in laws]))
    step = _mean(up if up.mean() >= down.mean() else down)
    result = {
        "dw_min": step,
        "dw_min_spread": spread(lambda law: law.up + law.down, 2 * larger),
        "up_down": _mean((up - down) / larger),
        "up_down_spread": spread(lambda law: law.up - law.down, 2 * larger),
        "w_max": _mean(high),
        "w_min": _mean(low),
        "w_max_spread": spread(lambda law: law.high, high.mean()),
        "w_min_spread": spread(lambda law: law.low, low.mean()),
        "cycle_spread": (cycle, cycle * math.hypot(cycle_error, _LINEARISED)),
        "write_noise": _over(_median([math.sqrt(law.reading) for law in laws]), step),
    }
    if soft:
        return result | {
            "gamma_up": (1.0, 0.0),
            "gamma_down": (1.0, 0.0),
            "gamma_spread": (0.0, 0.0),
        }
    spreads = []
    for name, gamma in (("gamma_up", _gamma_up), ("gamma_down", _gamma_down)):
        value, error = _mean(np.array([gamma(law) for law in laws]))
        result[name] = max(0.0, value), error
        spreads.append(spread(gamma))
    mean, error = np.mean(spreads, axis=0).tolist()
    return result | {"gamma_spread": (mean, error)}


def _gamma_up(law: Law) -> float:
    return law.slope_up * law.high


def _gamma_down(law: Law) -> float:
    return -law.slope_down * law.low


def _over(above: Estimate, below: Estimate) -> Estimate:
    """The ratio of two estimates."""
    value = above[0] / below[0]
    return value, math.hypot(above[1] / below[0], value * below[1] / below[0])


def std(values: np.ndarray) -> float:
    """Give the standard deviation over devices; infinite of one alone."""
    return float(values.std(ddof=1)) if len(values) > 1 else math.inf


def _mean(values: np.ndarray) -> Estimate:
    return float(values.mean()), std(values) / math.sqrt(len(values))


def root(square: float, error: float) -> Estimate:
    """The root of a square, of 0 if that is negative, and the longer arm of its interval."""
    square = max(square, 0.0)
    below, value, above = np.sqrt([max(square - error, 0.0), square, square + error]).tolist()
    return value, max(above - value, value - below)


def spread_beyond(values: np.ndarray, square: float, freedom: float) -> Estimate:
    """The spread of devices beyond the errors of their fits.

    Args:
        values: an estimate of every device.
        square: mean square error of these.
        freedom: degrees of freedom that it was found with.
    """
    from scipy.stats import f as f_distribution

    if len(values) < 2:
        return 0.0, math.inf
    seen, others = float(values.var(ddof=1)), len(values) - 1
    variance = 2 * max(seen, square) ** 2 / others + 2 * square**2 / freedom
    spread, error = root(seen - square, math.sqrt(variance))
    chance = f_distribution.sf(seen / max(square, 1e-300), others, freedom)
    return spread, max(error, spread / _HOLDS_0) if chance > _BY_CHANCE else error


def _median(values: Sequence[float]) -> Estimate:
    """Median and its error, π/2 of the mean's variance; devices with odd readings do not count."""
    array = np.array(values)
    return float(np.median(array)), 1.2533 * std(array) / math.sqrt(len(array))
