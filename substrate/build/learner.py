"""From an arm's learning settings to the learner."""

from __future__ import annotations

import torch

from devices.seal import SealedChip
from learning.learner import Learner, LearningSettings, PerturbationSettings
from learning.optimisers import OptimiserSettings
from substrate.build.loss import build_loss
from substrate.randomness import stream
from substrate.scenario.schema import Arm, Learning, Scenario


def learning_settings(learning: Learning) -> LearningSettings:
    """Translate a scenario's settings for the learning layer."""
    perturbation, optimiser = learning.perturbation, learning.optimiser
    return LearningSettings(
        learning.base_rule,
        PerturbationSettings(
            perturbation.source,
            perturbation.baseline,
            perturbation.sigma,
            perturbation.resamples,
        )
        if perturbation
        else None,
        OptimiserSettings(
            optimiser.name, optimiser.learning_rate, optimiser.momentum, optimiser.write
        ),
        learning.decorrelation.rate if learning.decorrelation else None,
    )


def build_learner(
    scenario: Scenario, arm: Arm, chip: SealedChip, seed: int, device: torch.device
) -> Learner:
    """Make the learner that trains an arm's chip."""
    generator = stream(seed, "injected perturbation", device=device)
    settings = learning_settings(arm.learning)
    return Learner(chip, settings, build_loss(scenario.training), generator)
