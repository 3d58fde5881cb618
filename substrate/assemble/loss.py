"""From a scenario's loss to the function that computes it."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from learning.losses import LOSSES, Loss, LossError, black_box
from substrate.plugins import PluginError, load_object
from substrate.scenario.schema import LossFunction, Training
from substrate.scenario.source import ScenarioError


def build_loss(training: Training) -> Loss:
    """Give the loss that the scenario names, importing the user's own.

    Raises:
        PluginError: the user's own cannot be imported, or cannot be called.
        ScenarioError: from a call, if the user's own fails, or gives what is no loss.
    """
    if not isinstance(training.loss, LossFunction):
        return LOSSES[training.loss]
    spec = training.loss.function
    function = load_object(spec, Path())
    if not callable(function):
        raise PluginError(f"{spec} is no function", "a loss takes (output, target)")
    own = black_box(function, Path(spec).name)

    def loss(output: Tensor, target: Tensor) -> Tensor:
        try:
            return own(output, target)
        except LossError as problem:
            raise ScenarioError(str(problem), field="training.loss") from problem

    return loss
