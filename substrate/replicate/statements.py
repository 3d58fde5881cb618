"""What the paper says in words, as statements that measured figures confirm or do not.

    danp better than anp            a higher accuracy; a lower loss or angle
    dnp_noisy worse than danp
    danp_noisy within 1 of danp     points of accuracy, degrees, units of the loss; either way
    danp_noisy at most 1 behind danp  the same one way: it may be better by any amount
    dnp closer to bp than np
    dbp best                        of all arms
    np steady over 6 decades        angle against σ²: five degrees at most between any two of them

Angles are means over the layers for the largest number of noise samples; ` in layer 1` and
` at 100 samples` behind a statement say otherwise.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Protocol

STEADY_DEGREES = 5.0

_NUMBER = r"\d+(?:\.\d+)?"
_STATEMENT = re.compile(
    rf"""(?P<arm>\w+)\ (?:
        (?P<order>better|worse)\ than\ (?P<other>\w+)
        | within\ (?P<margin>{_NUMBER})\ of\ (?P<near>\w+)
        | at\ most\ (?P<lag>{_NUMBER})\ behind\ (?P<ahead>\w+)
        | closer\ to\ (?P<target>\w+)\ than\ (?P<rival>\w+)
        | (?P<best>best)
        | steady\ over\ (?P<decades>\d+)\ decades
    )
    (?:\ in\ layer\ (?P<layer>[1-9]\d*))?
    (?:\ at\ (?P<samples>[1-9]\d*)\ samples)?""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Spread:
    """A figure over seeds: percent, degrees or units of the loss.

    Attributes:
        deviation: standard deviation, None for one seed.
    """

    mean: float
    deviation: float | None
    seeds: int


@dataclass(frozen=True)
class Check:
    """What became of a statement; `holds` is None where an arm that it names was not measured."""

    statement: str
    holds: bool | None
    figures: str


class Measured(Protocol):
    """A run as statements see it."""

    @property
    def arms(self) -> list[str]:
        """Names of all arms."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """True of accuracies, not of losses and angles."""
        ...

    def compared(
        self, arms: list[str], layer: int | None, samples: int | None
    ) -> dict[str, Spread]:
        """Figures that are fair to compare; no entry for an arm that was not measured."""
        ...

    def by_sigma(self, arm: str) -> list[tuple[float, float]] | None:
        """Pairs of σ² and angle in degrees, ascending; None where there are none."""
        ...

    def written(self, spread: Spread) -> str:
        """The figure for people, with its unit."""
        ...


def check_syntax(text: str) -> str:
    """Give a statement back.

    Raises:
        ValueError: it is none.
    """
    if not _STATEMENT.fullmatch(text):
        raise ValueError(
            f"{text!r} is no statement; one is like 'danp better than np', 'danp within 1 of bp',"
            " 'danp at most 1 behind bp', 'dnp closer to bp than np', 'dbp best' or"
            " 'np steady over 6 decades'"
        )
    return text


def check(statement: str, run: Measured) -> Check:
    """Hold a statement against what a run measured."""
    found = _STATEMENT.fullmatch(check_syntax(statement))
    assert found
    part = found.groupdict()
    if part["decades"]:
        return _check_steady(
            statement, part["arm"], int(part["decades"]), run.by_sigma(part["arm"])
        )
    others = [part[key] for key in ("other", "near", "ahead", "target", "rival") if part[key]]
    named = run.arms if part["best"] else [part["arm"], *others]
    layer, samples = (int(part[key]) if part[key] else None for key in ("layer", "samples"))
    figures = run.compared(named, layer, samples)
    text = ", ".join(f"{arm} {run.written(figures[arm])}" for arm in named if arm in figures)
    missing = [arm for arm in named if arm not in figures]
    if missing or part["arm"] not in figures:
        missing = missing or [part["arm"]]
        text = f"{', '.join(missing)} not measured" + (f"; {text}" if text else "")
        return Check(statement, None, text)
    mean = {arm: figures[arm].mean for arm in named}
    sign = 1 if run.higher_is_better else -1
    own = mean[part["arm"]]
    if part["order"]:
        ahead = sign * (own - mean[part["other"]])
        holds = ahead > 0 if part["order"] == "better" else ahead < 0
    elif part["ahead"]:
        holds = sign * (mean[part["ahead"]] - own) <= float(part["lag"])
    elif part["near"]:
        holds = abs(own - mean[part["near"]]) <= float(part["margin"])
    elif part["target"]:
        target = mean[part["target"]]
        holds = abs(own - target) < abs(mean[part["rival"]] - target)
    else:
        holds = all(sign * (own - each) > 0 for arm, each in mean.items() if arm != part["arm"])
    return Check(statement, holds, text)


def _check_steady(
    statement: str, arm: str, decades: int, angles: list[tuple[float, float]] | None
) -> Check:
    if not angles:
        return Check(statement, None, f"{arm} not measured against σ²")
    widest = (0.0, angles[0], angles[0])
    for first, low in enumerate(angles):
        for last in range(first, len(angles)):
            inside = [angle for _, angle in angles[first : last + 1]]
            width = math.log10(angles[last][0] / low[0])
            if max(inside) - min(inside) <= STEADY_DEGREES and width > widest[0]:
                widest = (width, low, angles[last])
    width, low, high = widest
    figures = (
        f"{width:.0f} decades, from σ² = {low[0]:.0e} ({low[1]:.1f}°)"
        f" to {high[0]:.0e} ({high[1]:.1f}°)"
    )
    return Check(statement, width > decades - 1e-9, figures)
