"""Angles to backpropagation's update, as `substrate align` leaves them in a run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from substrate.replicate.statements import Spread, over_inputs
from substrate.run.estimate import Estimate, Interval


@dataclass(frozen=True)
class AngleRun:
    """A folder of `substrate align`; angles in degrees to backpropagation's update.

    Inputs take the place of seeds: differences are told apart as far as they repeat from input to
    input, each with noise of its own, for the one set of weights that was measured.

    Attributes:
        angles_by_input, by_sigma_by_input: by arm, a table for every input; older runs kept none.
    """

    folder: Path
    budget: str
    layers: list[str]
    inputs: int
    counts: list[int]
    angles: dict[str, list[list[float]]]
    sigmas_squared: list[float]
    angles_by_sigma: dict[str, list[list[float]]]
    angles_by_input: dict[str, list[list[list[float]]]]
    by_sigma_by_input: dict[str, list[list[list[float]]]]
    higher_is_better: bool = False
    complete: bool = True

    @property
    def arms(self) -> list[str]:
        """All that perturb."""
        return list(self.angles)

    def lost(self, arm: str) -> int:
        """None: nothing is trained."""
        return 0

    def compared(
        self, arms: list[str], layer: int | None = None, samples: int | None = None
    ) -> dict[str, Spread]:
        """Angles for a number of noise samples (the largest), in a layer (mean over all)."""
        found = {
            arm: self._angle(self.angles[arm], layer, samples) for arm in arms if arm in self.angles
        }
        return {arm: Spread(each, None, 1) for arm, each in found.items() if each is not None}

    def contrast(
        self,
        weights: Mapping[str, float],
        arms: list[str],
        layer: int | None = None,
        samples: int | None = None,
    ) -> Estimate:
        """Those angles added up, in degrees, for every input; else their means alone."""
        if not weights.keys() <= self.angles_by_input.keys():
            return over_inputs([self._sum(weights, self.angles, layer, samples)])
        tables = [
            {arm: self.angles_by_input[arm][place] for arm in weights}
            for place in range(self.inputs)
        ]
        return over_inputs([self._sum(weights, each, layer, samples) for each in tables])

    def _sum(
        self,
        weights: Mapping[str, float],
        tables: Mapping[str, list[list[float]]],
        layer: int | None,
        samples: int | None,
    ) -> float:
        angles = {arm: self._angle(tables[arm], layer, samples) for arm in weights}
        return sum(weight * (angles[arm] or 0.0) for arm, weight in weights.items())

    def _angle(
        self, table: list[list[float]], layer: int | None, samples: int | None
    ) -> float | None:
        if samples is not None and samples not in self.counts:
            return None
        if layer is not None and layer > len(self.layers):
            return None
        row = table[self.counts.index(samples) if samples is not None else -1]
        return mean(row) if layer is None else row[layer - 1]

    def number(self, value: float) -> str:
        """`−1.2`, in degrees."""
        return f"{value:.1f}".replace("-", "−")

    def without_interval(self, interval: Interval) -> str:
        """One input, or several of which the mean alone was kept."""
        if interval.over_seeds == 0:
            return "no difference at all"
        return "one input" if self.inputs == 1 else "spread over inputs unknown"

    def by_sigma(self, arm: str) -> list[tuple[float, list[float]]] | None:
        """σ² with the angle of every input, mean over the layers; else with the mean alone."""
        if arm not in self.angles_by_sigma:
            return None
        tables = self.by_sigma_by_input.get(arm, [self.angles_by_sigma[arm]])
        rows = zip(*tables, strict=True)
        return [
            (squared, [mean(layers) for layers in row])
            for squared, row in zip(self.sigmas_squared, rows, strict=True)
        ]

    def written(self, spread: Spread) -> str:
        """`44.1°`."""
        return f"{spread.mean:.1f}°"


def read_angles(folder: Path, budget: str) -> AngleRun:
    """Read what lies in a folder."""
    found = json.loads((folder / "align.json").read_text(encoding="utf-8"))
    arms = found["arms"]
    return AngleRun(
        folder,
        budget,
        found["layers"],
        found["inputs"],
        found["noise_samples"],
        {name: arm["angles"] for name, arm in arms.items()},
        found["sigmas_squared"],
        {name: arm["by_sigma"] for name, arm in arms.items() if arm["by_sigma"]},
        {name: arm["angles_by_input"] for name, arm in arms.items() if "angles_by_input" in arm},
        {
            name: arm["by_sigma_by_input"]
            for name, arm in arms.items()
            if arm.get("by_sigma_by_input")
        },
    )
