"""What a crossbar of somebody's own must be, so that a scenario can name it.

A class that does what `devices.crossbars.base.Crossbar` says, and is built from its own parameters:

    class MyCrossbar:
        title = "one line for people"
        citation = "paper or data sheet"
        noise_free = False

        class Parameters(BaseModel, extra="forbid", frozen=True):
            read_noise: float = Field(0.01, description="standard deviation, in units of W x")

        def __init__(self, n_out, n_in, parameters, generators, device): ...

`substrate new device NAME` writes a complete one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from devices.crossbars.base import Crossbar
from devices.deferred import torch

Generators = Callable[[str], "torch.Generator"]
"""Gives the random stream for a purpose, such as `"read noise"`: one purpose, one generator."""


class CustomCrossbar(Crossbar, Protocol):
    """A crossbar that is built from parameters of its own.

    Attributes:
        title: one line for people.
        citation: where the model or its figures come from.
        Parameters: pydantic model; descriptions give the units.
    """

    title: ClassVar[str]
    citation: ClassVar[str]
    Parameters: ClassVar[type[BaseModel]]

    def __init__(
        self,
        n_out: int,
        n_in: int,
        parameters: Any,
        generators: Generators,
        device: torch.device,
    ) -> None:
        """Build an array of n_out × n_in on `device`.

        Args:
            n_out: columns.
            n_in: rows.
            parameters: an instance of the class's own `Parameters`.
            generators: the only source of randomness; called once for every purpose.
            device: where tensors are made.
        """
        ...
