"""One learning step: a rule's estimate, and the requests for change.

A learner meets the chip through `devices.interface.Chip` and nothing else. Perturbation,
resampling, two noisy passes, decorrelation and the optimiser are settings that go with every rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from devices.interface import Chip, LayerUpdate
from learning.decorrelation import DecorrelationSettings, decorrelation_update
from learning.estimator import Estimate, Estimator
from learning.losses import Loss
from learning.optimisers import Optimiser, OptimiserSettings
from learning.requirements import RuleSettings
from learning.states import below, prefixed


class LearningSettings(NamedTuple):
    """A rule with everything that goes with it; `decorrelation` is None where there is none."""

    rule: RuleSettings
    optimiser: OptimiserSettings
    decorrelation: DecorrelationSettings | None = None


@dataclass(frozen=True)
class Step:
    """What one learning step shows of itself.

    Attributes:
        losses: loss of every sample in the baseline pass.
        output: the baseline pass's output.
    """

    losses: Float[Tensor, " batch"]
    output: Float[Tensor, "batch n_out"]


class Learner:
    """Trains a chip by observations alone.

    Raises:
        CapabilityError: from a step, if the chip lacks what the rule requires.
    """

    def __init__(
        self,
        chip: Chip,
        settings: LearningSettings,
        loss: Loss,
        generator: torch.Generator,
        rule_generator: torch.Generator | None = None,
    ) -> None:
        """Prepare to train `chip`; the generators are those of `learning.estimator.Estimator`."""
        self._chip = chip
        self._decorrelation = settings.decorrelation
        self._estimator = Estimator(chip, settings.rule, loss, generator, rule_generator)
        self._tells_mirror = settings.rule.rule.mirror_is_told
        self._optimiser = Optimiser(settings.optimiser, chip.shapes, generator.device)
        self._steps = 0

    @torch.no_grad()
    def step(self, x: Tensor, target: Tensor) -> Step:
        """Learn from one mini-batch: inputs (batch, ...) and their targets."""
        estimate = self._estimator.estimate(x, target)
        self._ask_for_changes(estimate)
        self._steps += 1
        return Step(estimate.losses, estimate.output)

    def _ask_for_changes(self, estimate: Estimate) -> None:
        """Make each layer's requests when the chip has taken those before, last layer first.

        What a layer's requests were made of is taken from the estimate, so that its memory is free
        for those of the larger layers, which tend to come first in a network.
        """
        settings = self._decorrelation
        due = settings is not None and self._steps % settings.every == 0
        while estimate.errors:
            d, x = estimate.errors.pop(), estimate.inputs.pop()
            layer = len(estimate.errors)
            weight, bias = self._optimiser.request(layer, d, x)
            decorrelation = None
            if settings is not None and due:
                decorrelation = decorrelation_update(x, settings)
            mirror = weight if self._tells_mirror and layer > 0 else None
            self._chip.apply((LayerUpdate(layer, weight, bias, decorrelation, mirror),))
            self._optimiser.release(layer)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on and that is not the chip's."""
        return {
            "steps": torch.tensor(self._steps),
            **prefixed("estimator", self._estimator.state()),
            **prefixed("optimiser", self._optimiser.state()),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a state."""
        self._steps = int(state["steps"])
        self._estimator.restore(below("estimator", state))
        self._optimiser.restore(below("optimiser", state))
