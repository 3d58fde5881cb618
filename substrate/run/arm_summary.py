"""What an arm did, seed by seed, and how the summary tells it: means over seeds, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from substrate.assemble.chip import chip_reproducibility
from substrate.assemble.parameters import device_in_words
from substrate.assemble.rung import rung_of
from substrate.bill.bill import bill_of
from substrate.library import find_rule
from substrate.record.afterwards import Afterwards
from substrate.record.ledger import Ledger, mean_ledger
from substrate.record.metrics import Epoch, ranges_reported
from substrate.record.summary import (
    Arm as ArmSummary,
)
from substrate.record.summary import (
    Comparison,
    DivergedSeed,
    FailedSeed,
    LayerNoise,
    Left,
    Measure,
    MetricName,
    PulseTrains,
    UnmeasuredSeed,
)
from substrate.record.unit import UnitEnd
from substrate.record.wire import WireFigures, together
from substrate.run.outcomes import BySample
from substrate.run.training import Divergence
from substrate.run.unit_figures import Done
from substrate.run.verdict import worst
from substrate.scenario.schema import Arm, Learning, Scenario
from substrate.scenario.schema.chips import chip_title


class ArmOutcome:
    """What one arm did, seed by seed."""

    def __init__(self) -> None:
        """Start with nothing measured."""
        self.last: dict[int, Epoch] = {}
        self._epochs: dict[tuple[int, int], Epoch] = {}
        self.noise: dict[int, list[LayerNoise]] = {}
        self.ledgers: dict[int, Ledger] = {}
        self.afterwards: dict[int, list[Afterwards]] = {}
        self.by_sample: dict[int, BySample] = {}
        self.divergences: dict[int, Divergence] = {}
        self.failed: dict[int, FailedSeed] = {}
        self.unmeasured: list[UnmeasuredSeed] = []
        self.wire: list[WireFigures] = []

    @property
    def epochs(self) -> list[Epoch]:
        """All of them, seed by seed, those before training too."""
        return [self._epochs[place] for place in sorted(self._epochs)]

    @property
    def seconds(self) -> float:
        """Time spent on all seeds."""
        return sum((record.seconds for record in self.last.values()), 0.0)

    def take(self, seed: int, done: Done) -> None:
        """Take what a seed came to, as far as it came."""
        for record in done.epochs:
            self.last[record.seed] = record
            self._epochs[record.seed, record.epoch] = record
        if done.by_sample is not None:
            self.by_sample[seed] = done.by_sample
        if done.end is not None:
            self._end(seed, done.end)

    def _end(self, seed: int, end: UnitEnd) -> None:
        if end.wire is not None:
            self.wire.append(end.wire)
        if end.diverged is not None:
            self.divergences[seed] = Divergence(end.diverged.epoch, end.diverged.what)
            return
        self.unmeasured += end.unmeasured
        self.noise[seed] = end.noise
        self.afterwards[seed] = end.afterwards
        if end.ledger is not None:
            self.ledgers[seed] = end.ledger

    def reached(self, seed: int) -> int:
        """The last epoch of a seed, 0 before it is trained."""
        return self.last[seed].epoch if seed in self.last else 0

    def values(
        self, metric: MetricName, seeds: Sequence[int], epoch: int | None = None
    ) -> list[float | None]:
        """The figure of every seed after an epoch, or after the last that any of them reached.

        None where it diverged, was given up, or has not come so far: figures after unequal numbers
        of epochs have no mean.
        """
        at = self.furthest(seeds) if epoch is None else epoch
        return [
            self._epochs[seed, at].figure(metric)
            if at and self._goes_on(seed) and (seed, at) in self._epochs
            else None
            for seed in seeds
        ]

    def furthest(self, seeds: Sequence[int]) -> int:
        """The last epoch that any of some seeds has reached, of those that were not lost."""
        return max((self.reached(seed) for seed in seeds if self._goes_on(seed)), default=0)

    def _goes_on(self, seed: int) -> bool:
        return seed not in self.divergences and seed not in self.failed


def summary_of_arm(
    scenario: Scenario,
    name: str,
    outcome: ArmOutcome,
    comparisons: Sequence[Comparison],
    *,
    regression: bool,
) -> ArmSummary:
    """Put together what the summary says of an arm.

    Args:
        scenario: of the run.
        name: of the arm.
        outcome: what it did.
        comparisons: of all arms; of a device arm its own make its verdict.
        regression: whether it has losses alone, and no accuracies.
    """
    arm = scenario.all_arms[name]
    own = [each for each in comparisons if each.arm == name]
    furthest = outcome.furthest(scenario.seeds)
    ledger = mean_ledger(list(outcome.ledgers.values())) if outcome.ledgers else None

    def measure(metric: MetricName) -> Measure:
        return _measure(outcome.values(metric, scenario.seeds))

    return ArmSummary(
        role="device" if name in scenario.arms else "baseline",
        chip=chip_title(arm.chip),
        rule=_rule_title(arm.learning),
        learning=_learning(arm),
        rung=rung_of(arm),
        verdict=worst(own) if own else None,
        reproducibility=chip_reproducibility(arm.chip),
        seconds=round(outcome.seconds, 3),
        diverged=[
            DivergedSeed(seed=seed, epoch=divergence.epoch, what=divergence.what)
            for seed, divergence in outcome.divergences.items()
        ],
        failed=list(outcome.failed.values()),
        unmeasured=outcome.unmeasured,
        after_epoch=furthest if 0 < furthest < scenario.training.epochs else None,
        test_accuracy=None if regression else measure("test_accuracy"),
        train_accuracy=None if regression else measure("train_accuracy"),
        test_loss=measure("test_loss"),
        train_loss=measure("train_loss"),
        observed_noise=_noise([each for each in outcome.noise.values() if each]),
        pulse_trains=_pulse_trains(outcome),
        ledger=ledger,
        bill=None if ledger is None else bill_of(ledger, arm.chip, scenario.costs),
        device=device_in_words(arm.chip),
        wire=together(outcome.wire),
        reported=ranges_reported(outcome.epochs),
        afterwards=_left(outcome.afterwards, scenario.seeds, regression=regression),
    )


def _left(
    of_seeds: Mapping[int, list[Afterwards]], seeds: Sequence[int], *, regression: bool
) -> list[Left]:
    """Put together what the trainings of all seeds left behind, condition by condition."""
    found = []
    conditions = {
        (each.what, each.amount, each.untried): each
        for conditions in of_seeds.values()
        for each in conditions
    }
    for condition in conditions.values():
        same = {
            seed: each
            for seed, conditions in of_seeds.items()
            for each in conditions
            if (each.what, each.amount) == (condition.what, condition.amount)
        }

        def measure(figure: str, same: Mapping[int, Afterwards] = same) -> Measure:
            return _measure([getattr(same.get(seed), figure, None) for seed in seeds])

        tried = condition.untried is None
        found.append(
            Left(
                what=condition.what,
                amount=condition.amount,
                test_accuracy=measure("test_accuracy") if tried and not regression else None,
                test_loss=measure("test_loss") if tried else None,
                untried=condition.untried,
            )
        )
    return found


def _pulse_trains(outcome: ArmOutcome) -> PulseTrains | None:
    pulsed = [record for record in outcome.last.values() if record.trains]
    if not pulsed:
        return None
    return PulseTrains(
        looked_at=sum(record.trains or 0 for record in pulsed),
        cut_short=sum(record.trains_cut_short or 0 for record in pulsed),
    )


def _rule_title(learning: Learning) -> str:
    """A rule as people write it; one of the user's own without its folder."""
    place, _, name = learning.rule.rpartition(":")
    title = name if place else learning.rule.upper().replace("_", " ")
    implied = find_rule(learning.rule, Path()).decorrelates
    return f"{title}, decorrelated" if learning.decorrelation and not implied else title


def _learning(arm: Arm) -> str:
    learning = arm.learning
    words = []
    rule = learning.rule_class.model_fields
    if changed := [
        f"{name.replace('_', ' ')}: {value}"
        for name, value in (learning.settings or {}).items()
        if name in rule and value != rule[name].default
    ]:
        words.append(", ".join(changed))
    if perturbation := learning.perturbation:
        baseline = {"clean": "clean baseline pass", "noisy": "two noisy passes"}
        words.append(baseline[perturbation.baseline])
        source = {
            "intrinsic": "the device's own noise",
            "injected": f"injected noise (σ = {perturbation.sigma:g})",
            "both": f"the device's own and injected noise (σ = {perturbation.sigma:g})",
        }
        words.append(source[perturbation.source])
        if perturbation.resamples > 1:
            words.append(f"{perturbation.resamples} resamples")
    if learning.decorrelation:
        words.append(f"decorrelation rate {learning.decorrelation.rate:g}")
    optimiser = learning.optimiser
    how = "pulses in place" if optimiser.write == "pulses" else "dense ΔW"
    words.append(f"{optimiser.name} {optimiser.learning_rate:g}, {how}")
    return "; ".join(words)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _measure(values: list[float | None]) -> Measure:
    known = np.array([value for value in values if value is not None])
    return Measure(
        mean=_mean(values),
        std=float(known.std(ddof=1)) if len(known) > 1 else None,
        values=values,
    )


def _noise(seeds: list[list[LayerNoise]]) -> list[LayerNoise]:
    return [
        LayerNoise(
            layer=layers[0].layer,
            noise_std=_mean([layer.noise_std for layer in layers]),
            signal_std=_mean([layer.signal_std for layer in layers]),
        )
        for layers in zip(*seeds, strict=True)
    ]
