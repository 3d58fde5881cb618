"""The spread of steps from pulse to pulse, which all devices share: by all of their readings.

A device's own readings are often likeliest under no spread at all where they are few, or scatter by
as much as a step: what is left of a walk beside the course that was fitted to it is smaller than
the walk. So what steps and slopes leave to chance is integrated over (by Laplace's method, as in
restricted likelihoods; Patterson and Thompson, Biometrika 58, 545, 1971), and devices are added up:

    L_i(σ) = max_θ ln p_i(θ, σ) - ln det J_i / 2,    σ̂ = argmax_σ Σ_i L_i(σ)

J_i is the information on steps and slopes. The error of σ̂ is the longer arm of what is likelier
than e^-½ of the most likely. With a half of the length of that, it is a² √D std(∂L_i / ∂σ) where
this is more, as it is if devices differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from substrate.fit.device.closed_form import Fitted, Form
from substrate.fit.device.population import Estimate
from substrate.fit.maximise import maximise
from substrate.fit.sums import Vector

Values = Float64[np.ndarray, " devices"]

_USUAL = 0.5
_CLOSE = 0.01
"""The spread is found to this part of the range that it is looked for in."""
_ITERATIONS = 20


def with_common_spread(fitted: Sequence[Fitted], clipped: bool) -> tuple[list[Fitted], Estimate]:
    """Fit devices once more, with one spread of steps for all, and give that with its error.

    Args:
        fitted: in normal coordinates, each with a spread of its own.
        clipped: whether there are hard bounds.
    """
    from scipy.optimize import minimize_scalar

    own = [each.law.spread for each in fitted]
    if len(fitted) == 1:
        return list(fitted), (own[0], math.inf)
    climbs = [_Climb(each, clipped) for each in fitted]

    tried: dict[float, Values] = {}

    def values(spread: float) -> Values:
        if spread not in tried:
            tried[spread] = np.array([each.value(spread) for each in climbs])
        return tried[spread]

    top = 2 * max(*own, _USUAL)
    found = minimize_scalar(
        lambda spread: -values(spread).sum(),
        bounds=(0.0, top),
        method="bounded",
        options={"xatol": _CLOSE * top},
    )
    spread = float(found.x)
    ends = _where_it_falls(tried, spread, 0.0), _where_it_falls(tried, spread, top)
    arm, half = max(ends[1] - spread, spread - ends[0]), (ends[1] - ends[0]) / 2
    slopes = (values(ends[1]) - values(ends[0])) / (ends[1] - ends[0])
    across = half**2 * math.sqrt(len(own)) * float(slopes.std(ddof=1))
    return [each.fitted(spread) for each in climbs], (spread, max(arm, across))


def _where_it_falls(tried: dict[float, Values], best: float, end: float) -> float:
    """Where Σ L is ½ less than at the best, as of a parabola through what was tried about there."""
    way = math.copysign(1.0, end - best)
    pairs = sorted(
        ((each - best) * way, float((tried[best] - values).sum())) for each, values in tried.items()
    )
    away, drops = np.array([pair for pair in pairs if pair[0] >= 0]).T
    # of a parabola the root of the drop is a straight line
    roots = np.maximum.accumulate(np.sqrt(np.maximum(drops, 0.0)))
    wanted = math.sqrt(0.5)
    if roots[-1] > wanted:
        return best + way * float(np.interp(wanted, roots, away))
    far = away[-1] * wanted / max(roots[-1], 1e-6)
    return best + way * float(min(far, abs(end - best))) if far > 0 else end


class _Climb:
    """The best θ of one device at a spread, each climb from where the last one ended."""

    def __init__(self, fitted: Fitted, clipped: bool) -> None:
        law = fitted.law
        self._form = Form(fitted.device, bool(law.additive), clipped, law.low, law.high)
        self._theta = np.array(
            [
                math.log(law.up),
                math.log(law.down),
                law.slope_up,
                law.slope_down,
                math.log(max(law.reading, 1e-12)),
            ]
        )

    def _climbed(self, spread: float) -> tuple[Vector, float, Float64[np.ndarray, "all all"]]:
        form = replace(self._form, spread=spread)
        climbed = maximise(form.densities, self._theta, _ITERATIONS)
        assert climbed is not None  # a start that was possible stays so, whatever the spread
        self._theta = climbed[0]
        return climbed

    def value(self, spread: float) -> float:
        """L_i."""
        _, value, information = self._climbed(spread)
        return value - float(np.linalg.slogdet(information[:4, :4])[1]) / 2

    def fitted(self, spread: float) -> Fitted:
        """The device with that spread."""
        theta, _, information = self._climbed(spread)
        return replace(self._form, spread=spread).fitted(theta, information)
