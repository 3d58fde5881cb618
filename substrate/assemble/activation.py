"""From an activation of the user's own to the function that a chip's periphery computes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from devices.activations import Activation
from substrate.plugins import PluginError, load_object
from substrate.scenario.schema import ActivationFunction


def own_activation(activation: ActivationFunction) -> Activation:
    """Import the function, and see that it gives a tensor of the same shape.

    Raises:
        PluginError: it cannot be imported or called, or gives something else.
    """
    spec = activation.function
    function = load_object(spec, Path())
    if not callable(function):
        raise PluginError(f"{spec} is no function", "an activation takes a tensor")
    tried = torch.linspace(-1, 1, 6).view(2, 3)
    try:
        given = function(tried.clone())
    except (Exception, SystemExit) as problem:
        what = f"{type(problem).__name__}: {problem}"
        raise PluginError(f"{spec} fails for a tensor of shape (2, 3): {what}") from problem
    if not isinstance(given, Tensor) or given.shape != tried.shape or given.dtype != tried.dtype:
        raise PluginError(
            f"{spec} must give a tensor of the shape and type that it gets",
            "an activation is an element-wise function",
        )

    def activate(a: Tensor) -> Tensor:
        # a copy, so that one that works in place cannot change what was observed
        made: Tensor = function(a.clone())
        return made

    return activate
