"""From a scenario's loss to the function that computes it."""

from __future__ import annotations

from pathlib import Path

from learning.losses import LOSSES, Loss, black_box
from substrate.plugins import PluginError, load_object
from substrate.scenario.schema import LossFunction, Training


def build_loss(training: Training) -> Loss:
    """Give the loss that the scenario names, importing the user's own.

    Raises:
        PluginError: the user's own cannot be imported, or cannot be called.
    """
    if not isinstance(training.loss, LossFunction):
        return LOSSES[training.loss]
    spec = training.loss.function
    function = load_object(spec, Path())
    if not callable(function):
        raise PluginError(f"{spec} is no function", "a loss takes (output, target)")
    return black_box(function, spec)
