"""Fitting sums of noises to a measured trace, and ranking them.

    BIC = k ln n - 2 ln L

Sums grow by one noise at a time: first the backgrounds alone, then with a two-level fluctuator,
then with one more as long as the best sum does not fit by itself (`adequacy.py`) and another is
worth it. ln L is of `predictive.py`, errors are of `maximise.py`. The trace's mean is off first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from devices.noise import NoiseModel, TelegraphNoise, UniformNoise
from substrate.fit.adequacy import Adequacy, Verdict, judge
from substrate.fit.maximise import maximise, standard_errors
from substrate.fit.predictive import Samples
from substrate.fit.sums import Kind, Sum, Vector, fleeting

LEAST_SAMPLES = 100
MOST_FLUCTUATORS = 3
WORTH = 10.0
"""A further fluctuator must lower BIC by so much; below 10 it is called anything but very strong
evidence (Kass and Raftery, J. Am. Stat. Assoc. 90, 773, 1995)."""
_PART = 1 << 15
_FEW = 4096
"""Samples that fluctuators are looked for in, and those that many starts are tried on."""
_BACKGROUNDS: tuple[Kind, ...] = (
    "white",
    "autoregressive",
    "autoregressive + white",
    "1/f",
    "1/f + white",
)


@dataclass(frozen=True)
class Fit:
    """One sum of noises fitted to a trace.

    Attributes:
        name: of the sum, for people.
        models: what a scenario is given, one behind the other.
        log_likelihood: ln p of the trace; infinite for levels without any Gaussian part.
        size: how many parameters were fitted, the mean included.
        samples: of the trace.
        parameters: by name, in units of the signal, seconds and hertz.
        errors: standard errors; infinite for what the trace does not determine.
        adequacy: the verdict by itself; None where it was not asked for.
        note: what to know about it.
    """

    name: str
    models: list[NoiseModel]
    log_likelihood: float
    size: int
    samples: int
    parameters: dict[str, float]
    errors: dict[str, float]
    adequacy: Adequacy | None = None
    note: str = ""

    @property
    def bic(self) -> float:
        """Bayesian information criterion: smaller is better."""
        return self.size * math.log(self.samples) - 2 * self.log_likelihood

    @property
    def determined(self) -> bool:
        """Whether all of its parameters are known within finite errors."""
        return all(map(math.isfinite, self.errors.values()))


@dataclass(frozen=True)
class _Found:
    which: Sum
    theta: Vector
    fit: Fit


def fit_all(
    trace: Samples, interval: float, *, tell: Callable[[str], None] = lambda _: None
) -> list[Fit]:
    """Fit sums of noises, best first; those that the trace leaves undetermined come last.

    Args:
        trace: samples, in units of the signal.
        interval: seconds between them.
        tell: is told what is fitted.

    Raises:
        ValueError: the trace is too short, or never changes.
    """
    if len(trace) < LEAST_SAMPLES:
        raise ValueError(f"a fit needs {LEAST_SAMPLES} samples at least; found {len(trace)}")
    x = trace - trace.mean()
    if not x.std() > 0:
        raise ValueError("the trace never changes: there is no noise to fit")
    if len(np.unique(trace)) == 2:
        fits = [_two_values(x, interval)]
    else:
        uniform = _uniform(x)
        search = _Search(x, interval, tell, uniform)
        fits = [uniform, *(each.fit for each in search.all())]
        if not any(fit.determined for fit in fits):
            raise ValueError("no sum of noises is determined by this trace; record a longer one")
    fits.sort(key=lambda fit: (not fit.determined, fit.bic))
    if fits[0].adequacy is None:
        tell("simulations of the best")
        fits[0] = replace(fits[0], adequacy=judge(x, fits[0].models, interval))
    return fits


class _Search:
    """Fits sums to one trace."""

    def __init__(
        self, x: Samples, interval: float, tell: Callable[[str], None], uniform: Fit
    ) -> None:
        self._spread, self._centred = float(x.std()), x
        self._x = np.ascontiguousarray(x / self._spread)
        self._interval, self._tell, self._uniform = interval, tell, uniform
        t = (np.arange(len(x)) + 0.5) / len(x) - 0.5
        self._slope = float(12 * (self._x * t).mean())
        power = np.abs(np.fft.rfft(self._x)) ** 2 / len(x)
        self._floor = math.sqrt(float(np.median(power[-max(8, len(power) // 5) :])) / math.log(2))

    def all(self) -> list[_Found]:
        """Backgrounds, with drift and without; then fluctuators as long as they are worth it."""
        found: list[_Found] = []
        for kind in _BACKGROUNDS:
            self._add(found, Sum(kind), Sum(kind).start(self._floor, len(self._x)))
        for each in tuple(found):
            self._add(found, *each.which.with_drift(each.theta, self._slope))
        for number in range(1, MOST_FLUCTUATORS + 1):
            # hops as fast as the samples have no memory either, and may look uniform without levels
            before = min(self._uniform.bic, *(each.fit.bic for each in found))
            base = [each for each in found if each.which.fluctuators == number - 1]
            base = [each for each in base if not each.which.drift]
            if number > 1:
                base = _best_of_each_kind(base)
            more: list[_Found] = []
            for each in base:
                if each.which.background != "1/f":
                    self._add_fluctuator(more, each)
            self._add_drift(more)
            found += more
            if not more or min(each.fit.bic for each in more) > before - WORTH:
                break
            if self._judge_best(found) == "good":
                break
        return found

    def _judge_best(self, found: list[_Found]) -> Verdict | None:
        """Judge the best by itself, and keep that with it."""
        best = min(range(len(found)), key=lambda i: found[i].fit.bic)
        fit = found[best].fit
        if not fit.determined:
            return None
        self._tell(f"simulations of {fit.name}")
        judged = replace(fit, adequacy=judge(self._centred, fit.models, self._interval))
        found[best] = replace(found[best], fit=judged)
        return judged.adequacy.verdict if judged.adequacy else None

    def _add_drift(self, found: list[_Found]) -> None:
        """The best sums once more with a slope."""
        for each in _best_of_each_kind(found):
            self._add(found, *each.which.with_drift(each.theta, 0.0))

    def _add_fluctuator(self, found: list[_Found], base: _Found) -> None:
        """Climb from the most likely of many starts, on a part of the trace first."""
        part, whole = self._x[:_PART], len(self._x)
        starts = base.which.starts(base.theta, self._floor)
        self._tell(starts[0][0].name)
        few = self._x[: max(_FEW, min(_PART // 2, whole))]
        scored = []
        for which, start in starts:
            try:
                value = float(which.log_densities(start, few, whole).sum())
            except ValueError:
                continue
            if math.isfinite(value):
                scored.append((value, which, start))
        scored.sort(key=lambda each: -each[0])
        best: tuple[float, Sum, Vector] | None = None
        for _, which, start in scored[:3]:
            climbed = maximise(partial(which.log_densities, x=part, whole=whole), start, 30)
            if climbed is not None and (best is None or climbed[1] > best[0]):
                best = climbed[1], which, climbed[0]
        if best is not None:
            self._add(found, best[1], best[2])

    def _add(self, found: list[_Found], which: Sum, start: Vector) -> None:
        self._tell(which.name)
        whole = len(self._x)
        climbed = maximise(lambda theta: which.log_densities(theta, self._x, whole), start)
        if climbed is None:
            return
        theta, value, information = climbed
        scales = whole, self._spread, self._interval
        logarithms = slice(1 + which.drift, None)
        try:
            parameters = which.parameters(theta, *scales)
            errors = standard_errors(
                theta, information, lambda at: which.parameters(at, *scales), logarithms
            )
            errors |= dict.fromkeys(fleeting(parameters, errors, self._interval), math.inf)
        except (ValueError, OverflowError):
            return  # the best lies on the border of what a model allows: a simpler sum has it
        fit = Fit(
            which.name,
            which.models(theta, *scales),
            value - whole * math.log(self._spread),
            which.size,
            whole,
            parameters,
            errors,
        )
        found.append(_Found(which, theta, fit))


def _best_of_each_kind(found: list[_Found]) -> list[_Found]:
    """The best of all, the best over nothing but white noise, and the best over 1/f."""
    ranked = sorted(found, key=lambda each: each.fit.bic)
    white = [each for each in ranked if each.which.background == "white"]
    pink = [each for each in ranked if each.which.background.startswith("1/f")]
    best = {id(each): each for each in (*ranked[:1], *white[:1], *pink[:1])}
    return list(best.values())


def _uniform(x: Samples) -> Fit:
    """The range is the best width; its error is the expected gap at either end."""
    half = float(x.max() - x.min()) / 2
    likelihood = -len(x) * math.log(2 * half)
    return Fit(
        "uniform",
        [UniformNoise(half_width=half)],
        likelihood,
        2,
        len(x),
        {"half_width": half},
        {"half_width": half / len(x)},
    )


def _two_values(x: Samples, interval: float) -> Fit:
    """Two values and nothing between: the hops are seen, and rates are counted."""
    low, high = float(x.min()), float(x.max())
    up = x > (low + high) / 2
    before, after = up[:-1], up[1:]
    rise = ((~before) & after).sum() / max(1, (~before).sum())
    fall = (before & ~after).sum() / max(1, before.sum())
    keep = 1 - rise - fall
    if not 0 < keep < 1:
        raise ValueError("the trace hops at every sample; sample it faster")
    if not rise or not fall:
        raise ValueError("the trace goes up or down once alone; record a longer one")

    def dwells(rise: float, fall: float) -> Samples:
        total = -math.log(1 - rise - fall) / interval
        return (rise + fall) / (total * np.array([rise, fall]))

    dwell_low, dwell_high = dwells(rise, fall).tolist()
    # counts are binomial; what a rate moves both dwell times by is found by moving it
    errors = np.zeros(2)
    for moved, rate, count in (("rise", rise, (~before).sum()), ("fall", fall, before.sum())):
        spread, step = math.sqrt(rate * (1 - rate) / count), 1e-4 * min(rate, keep)
        ends = [
            dwells(**{"rise": rise, "fall": fall, moved: rate + sign * step}) for sign in (1, -1)
        ]
        errors += ((ends[0] - ends[1]) / (2 * step) * spread) ** 2
    errors = np.sqrt(errors)
    model = TelegraphNoise(
        low=low, high=high, dwell_low=dwell_low, dwell_high=dwell_high, read_interval=interval
    )
    return Fit(
        "telegraph",
        [model],
        math.inf,
        5,
        len(x),
        {name: getattr(model, name) for name in ("low", "high", "dwell_low", "dwell_high")},
        {
            "low": 0.0,
            "high": 0.0,
            "dwell_low": float(errors[0]),
            "dwell_high": float(errors[1]),
        },
        note="two values and nothing between: a density is infinite, and no other model fits",
    )
