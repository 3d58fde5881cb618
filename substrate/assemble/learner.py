"""From an arm's learning settings to the learner."""

from __future__ import annotations

import torch

from devices.interface import Chip
from learning.decorrelation import DecorrelationSettings
from learning.learner import Learner, LearningSettings
from learning.optimisers import OptimiserSettings
from substrate.assemble.loss import build_loss
from substrate.randomness import stream
from substrate.scenario.capabilities import rule_settings
from substrate.scenario.schema import Arm, Learning, Scenario


def learning_settings(learning: Learning) -> LearningSettings:
    """Translate a scenario's settings for the learning layer."""
    optimiser, decorrelation = learning.optimiser, learning.decorrelation
    return LearningSettings(
        rule_settings(learning),
        OptimiserSettings(
            optimiser.name, optimiser.learning_rate, optimiser.momentum, optimiser.write
        ),
        DecorrelationSettings(
            decorrelation.rate, decorrelation.sample_fraction, decorrelation.every
        )
        if decorrelation
        else None,
    )


def build_learner(
    scenario: Scenario, arm: Arm, chip: Chip, seed: int, device: torch.device
) -> Learner:
    """Make the learner that trains an arm's chip."""
    generator = stream(seed, "injected perturbation", device=device)
    own = stream(seed, "learning rule", device=device)
    settings = learning_settings(arm.learning)
    return Learner(chip, settings, build_loss(scenario.training), generator, own)
