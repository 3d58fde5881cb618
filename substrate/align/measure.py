"""Measuring how far every arm's update points away from backpropagation's.

The network has its initial weights and does not learn (R is still the identity, so a decorrelated
rule gives what the plain one does). For one input at a time, an arm's update is averaged over more
and more noise samples, and its angle in every layer to the gradient by backpropagation, of the same
weights on the ideal chip, is taken; what is reported is the mean angle over the inputs.

    against noise samples (Fig. 1), and the same against noisy passes (Fig. 5):
        passes = samples · K · (1, or L where each layer has a pass of its own), and one more a
        sample where the baseline pass is noisy too; a clean one is needed once
    against σ² (Fig. 6): for a fixed number of noise samples
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from devices.interface import LayerShape
from learning.alignment import angle, averaged_gradients
from learning.estimator import Estimator
from learning.requirements import RuleSettings
from learning.rules.backpropagation import Backpropagation
from substrate.assemble.chip import build_chip
from substrate.assemble.loss import build_loss
from substrate.data.dataset import Dataset
from substrate.randomness import stream
from substrate.scenario.capabilities import rule_settings
from substrate.scenario.schema import Arm, IdealChip, Learning, Optimiser, Scenario

SIGMAS_SQUARED = tuple(10.0**exponent for exponent in range(-15, 2))
"""Fig. 6 and beyond it on both sides: 16 decades."""

_STEPS = (1, 2, 5)

Told = Callable[[str, str], None]
"""Takes the name of an arm, and what is done with it now."""


@dataclass(frozen=True)
class ArmAngles:
    """Angles of one arm, in degrees, means over the inputs.

    Attributes:
        rule: as the scenario names it.
        passes: noisy passes for every entry of `angles`.
        angles: a row for every number of noise samples, an entry a layer.
        by_sigma: a row for every σ², None where the arm injects no noise.
        angles_by_input, by_sigma_by_input: the same of every input, whose spread says how far the
            means can be told apart.
    """

    rule: str
    passes: list[int]
    angles: list[list[float]]
    by_sigma: list[list[float]] | None
    angles_by_input: list[list[list[float]]]
    by_sigma_by_input: list[list[list[float]]] | None


@dataclass(frozen=True)
class Alignment:
    """What `align.json` holds.

    Attributes:
        layers: `n_in→n_out` of every layer.
        noise_samples: the numbers at which angles were taken.
        sigmas_squared: the σ² of `by_sigma`.
        sigma_samples: noise samples at every σ².
    """

    scenario: str
    seed: int
    inputs: int
    layers: list[str]
    noise_samples: list[int]
    sigmas_squared: list[float]
    sigma_samples: int
    arms: dict[str, ArmAngles]


def sample_counts(most: int) -> list[int]:
    """Give 1, 2, 5, 10, … up to and with `most`."""
    decades = range(int(math.log10(most)) + 1)
    counts = [step * 10**decade for decade in decades for step in _STEPS]
    return [*(count for count in counts if count < most), most]


def perturbed_arms(scenario: Scenario) -> dict[str, Arm]:
    """All arms but those of backpropagation."""
    return {name: arm for name, arm in scenario.all_arms.items() if arm.learning.perturbation}


def measure(
    scenario: Scenario,
    dataset: Dataset,
    device: torch.device,
    *,
    inputs: int,
    samples: int,
    sigma_samples: int,
    told: Told,
) -> Alignment:
    """Measure every arm that perturbs.

    Args:
        scenario: its first seed gives the weights.
        dataset: on `device`; the first training samples are the inputs.
        device: where to compute.
        inputs: how many of them.
        samples: the largest number of noise samples.
        sigma_samples: noise samples at every σ²; 0 leaves σ² alone.
        told: is told of every piece of work before it is done.
    """
    seed = scenario.seeds[0]
    counts = sample_counts(samples)
    references = [_reference(scenario, dataset, seed, index, device) for index in range(inputs)]
    arms = {}
    for name, arm in perturbed_arms(scenario).items():
        perturbation = arm.learning.perturbation
        assert perturbation is not None

        def by_input(
            rule: RuleSettings, counts: Sequence[int], purpose: str, arm: Arm = arm
        ) -> Tensor:
            angles = [
                torch.stack([angle(u, v) for u, v in zip(update, reference, strict=True)])
                for index, reference in enumerate(references)
                for update in _updates(
                    scenario, arm, rule, dataset, seed, index, counts, purpose, device
                )
            ]
            return torch.stack(angles).view(len(references), len(counts), -1).cpu().float()

        rule = rule_settings(arm.learning)
        told(name, f"up to {samples:,} noise samples")
        angles = by_input(rule, counts, name)
        by_sigma = None
        if perturbation.source == "injected" and sigma_samples:
            at_every_sigma = []
            for squared in SIGMAS_SQUARED:
                told(name, f"σ² = {squared:.0e}")
                assert rule.perturbation is not None
                at = rule._replace(perturbation=rule.perturbation._replace(sigma=squared**0.5))
                at_every_sigma.append(by_input(at, [sigma_samples], f"{name} {squared}"))
            by_sigma = torch.cat(at_every_sigma, 1)
        passes = [count * _passes(arm.learning, len(references[0])) for count in counts]
        arms[name] = ArmAngles(
            arm.learning.rule,
            passes,
            angles.mean(0).tolist(),
            None if by_sigma is None else by_sigma.mean(0).tolist(),
            angles.tolist(),
            None if by_sigma is None else by_sigma.tolist(),
        )
    return Alignment(
        scenario.name,
        seed,
        inputs,
        [f"{shape.n_in}→{shape.n_out}" for shape in _shapes(scenario, dataset, device)],
        counts,
        list(SIGMAS_SQUARED),
        sigma_samples,
        arms,
    )


def _passes(learning: Learning, layers: int) -> int:
    """Noisy passes for one noise sample."""
    perturbation = learning.perturbation
    assert perturbation is not None
    one_by_one = learning.rule_class.layer_by_layer
    return perturbation.resamples * (layers if one_by_one else 1) + (
        perturbation.baseline == "noisy"
    )


def _updates(
    scenario: Scenario,
    arm: Arm,
    rule: RuleSettings,
    dataset: Dataset,
    seed: int,
    index: int,
    counts: Sequence[int],
    purpose: str,
    device: torch.device,
) -> Iterator[tuple[Tensor, ...]]:
    """Average the arm's update for one input, afresh: what a rule remembers starts empty."""
    chip = build_chip(scenario, arm, dataset, seed, device)
    generator = stream(seed, "alignment", purpose, str(index), device=device)
    x, y = dataset.x_train[index : index + 1], dataset.y_train[index : index + 1]
    own = stream(seed, "alignment of the rule", purpose, str(index), device=device)
    estimator = Estimator(chip, rule, build_loss(scenario.training), generator, own)
    for _, update in averaged_gradients(estimator, x, y, counts):
        yield update


def _backpropagation() -> Arm:
    optimiser = Optimiser(learning_rate=1.0)  # asked for, and not used: nothing learns here
    return Arm(chip=IdealChip(), learning=Learning(rule="bp", optimiser=optimiser))


def _reference(
    scenario: Scenario, dataset: Dataset, seed: int, index: int, device: torch.device
) -> tuple[Tensor, ...]:
    rule = RuleSettings(Backpropagation(), None)
    arguments = (dataset, seed, index, [1], "backpropagation", device)
    return next(_updates(scenario, _backpropagation(), rule, *arguments))


def _shapes(scenario: Scenario, dataset: Dataset, device: torch.device) -> tuple[LayerShape, ...]:
    return build_chip(scenario, _backpropagation(), dataset, scenario.seeds[0], device).shapes
