"""What a learner may see of a chip, and what it may ask of it. Types only.

The learning layer imports this module of `devices` and no other. The noise and the weights of a
chip have no name here: what is not in this file is nobody's to read.

All but `backpropagate` take and give plain values: what a call means depends on nothing that the
learner does while it is carried out. So a chip may as well be in another process or building.

Words: a layer's *input* is the vector that drives its crossbar's rows (x*, after decorrelation if
the chip has any), its *pre-activation* is a = W x* + b. In a convolutional layer every position of
the kernel is one drive of the crossbar, so both carry an axis of positions between batch and node.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float

if TYPE_CHECKING:
    from torch import Generator, Tensor

PerSampleLoss = Callable[["Tensor"], "Tensor"]
"""Loss of every sample, shape (batch,), as a function of the network's output (batch, classes)."""

Perturbation = tuple["Tensor | None", ...]
"""A known perturbation of every layer's pre-activation, in its shape; None leaves a layer alone."""


class Capability(StrEnum):
    """What a chip lets the learner do (DESIGN.md, "The chip")."""

    OBSERVE = "observe"
    INJECT = "inject"
    CLEAN_PASS = "clean_pass"
    GRADIENTS = "gradients"
    TRANSPOSED_READ = "transposed_read"
    ACTIVATION_DERIVATIVE = "activation_derivative"
    LOSS_DERIVATIVE = "loss_derivative"


class NotFiniteError(ArithmeticError):
    """A signal or a request is NaN or infinite, and was kept from the device."""


class CapabilityError(RuntimeError):
    """The chip was asked for something that it cannot do."""


class LayerShape(NamedTuple):
    """One layer as the learner meets it.

    Attributes:
        n_out: pre-activations per position; a kernel's channels.
        n_in: inputs per position; a kernel's channels × height × width.
        positions: positions of the kernel, 1 for a fully connected layer.
    """

    n_out: int
    n_in: int
    positions: int = 1

    @property
    def nodes(self) -> int:
        """N_l of METHOD.md: every channel at every position is a node."""
        return self.n_out * self.positions


@dataclass(frozen=True)
class Observation:
    """What the converters read in one physical pass, and nothing more.

    Attributes:
        inputs: of every layer, (batch, n_in), or (batch, positions, n_in) in a convolution; empty
            if they were not to be read.
        pre_activations: of every layer, (batch, n_out) or (batch, positions, n_out); likewise.
        output: the last layer's pre-activation as read, (batch, n_out).
    """

    inputs: tuple[Float[Tensor, "batch *_position_and_n_in"], ...]
    pre_activations: tuple[Float[Tensor, "batch *_position_and_n_out"], ...]
    output: Float[Tensor, "batch n_out"]


@dataclass(frozen=True)
class Outer:
    """A request for ΔW = -rate Σ_s d_s x_sᵀ, the form that a crossbar can carry out in place.

    Attributes:
        x: what drives the rows, (samples, n_in).
        d: what drives the columns, (samples, n_out).
        rate: the learning rate.
    """

    x: Float[Tensor, "samples n_in"]
    d: Float[Tensor, "samples n_out"]
    rate: float


@dataclass(frozen=True)
class Dense:
    """A request for the given ΔW, (n_out, n_in), as optimisers with a state make it."""

    delta: Float[Tensor, "n_out n_in"]


@dataclass(frozen=True)
class DecorrelationUpdate:
    """A request for R ← R - rate Σ_s (x*_s x*_sᵀ - diag(x*_s²)) R.

    Attributes:
        x_star: decorrelated inputs, (samples, n_in).
        rate: ε over the number of samples.
    """

    x_star: Float[Tensor, "samples n_in"]
    rate: float


@dataclass(frozen=True)
class LayerUpdate:
    """What a learner asks of one layer; None leaves that part alone.

    Attributes:
        layer: which one, counted from 0.
        weight: the request to the crossbar.
        bias: to be added to the bias, (n_out,).
        decorrelation: the request to the layer's decorrelation matrix R.
        mirror: the request to the layer's mirror B, of the same form as those to the crossbar.
    """

    layer: int
    weight: Outer | Dense | None = None
    bias: Float[Tensor, " n_out"] | None = None
    decorrelation: DecorrelationUpdate | None = None
    mirror: Outer | Dense | None = None


@dataclass(frozen=True)
class Drawn:
    """A perturbation told by how it is drawn, ε_l ~ N(0, std²), independently for every sample.

    Of several in one call of `Chip.passes`, numbers are drawn layer by layer and within a layer
    pass by pass, so that no more than one layer's are there at a time. Perturbations that share a
    generator share its stream, which has moved on by what was drawn when the call returns.

    Attributes:
        layers: those that are perturbed, counted from 0.
        std: standard deviation, in units of the pre-activation.
        generator: draws on its own device.
    """

    layers: frozenset[int]
    std: float
    generator: Generator

    def draw(self, shape: LayerShape, samples: int) -> Tensor:
        """Draw for one layer, (samples, n_out) or (samples, positions, n_out)."""
        import torch

        positions = () if shape.positions == 1 else (shape.positions,)
        drawn = torch.empty(samples, *positions, shape.n_out, device=self.generator.device)
        return drawn.normal_(0.0, self.std, generator=self.generator)


@runtime_checkable
class Chip(Protocol):
    """A network laid out on crossbars with a digital periphery."""

    @property
    def shapes(self) -> tuple[LayerShape, ...]:
        """The layers, first to last."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this chip can serve."""
        ...

    @property
    def decorrelates(self) -> bool:
        """Whether every layer has a decorrelation matrix R in front of its crossbar."""
        ...

    @property
    def mirrors(self) -> bool:
        """Whether every layer but the first has a mirror B: a second matrix of W's shape."""
        ...

    def forward(self, x: Tensor, perturb: Perturbation | Drawn | None = None) -> Observation:
        """Run one physical pass; every call draws the device's noise afresh.

        Args:
            x: the network's input, (batch, ...).
            perturb: known values that the periphery adds to the pre-activations.

        Raises:
            CapabilityError: `perturb` is given and the chip's periphery cannot inject.
        """
        ...

    def passes(
        self,
        x: Tensor,
        perturbs: Sequence[Perturbation | Drawn | None],
        *,
        samples: Sequence[int] | None = None,
        read_inputs: Collection[int] | None = None,
        read_pre_activations: Collection[int] | None = None,
    ) -> tuple[Observation, ...]:
        """Run one physical pass for every entry of `perturbs`, in order, of the same input.

        The same as that many calls of `forward`; a chip may share work that is the same in all.

        Args:
            x: the network's input, (batch, ...).
            perturbs: of every pass, as in `forward`, or to be drawn as the passes go on.
            samples: of every pass, how many of the first samples of x are its input; None for all
                in every pass.
            read_inputs: numbers of the passes whose layer inputs are read; None for all. What is
                not read need not be held.
            read_pre_activations: likewise; the output is read in every pass.

        Raises:
            CapabilityError: as `forward`.
        """
        ...

    def backpropagate(
        self, x: Tensor, loss: PerSampleLoss
    ) -> tuple[Observation, tuple[Tensor, ...]]:
        """Run one pass and give ∂L/∂a_l of every layer, per sample, in its pre-activation's shape.

        Raises:
            CapabilityError: the chip lacks `Capability.GRADIENTS`.
        """
        ...

    def read_decorrelation_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Rᵀ y of a layer, both (samples, n_in), read through R's own noise where it has any.

        Raises:
            CapabilityError: the chip has no decorrelation matrices.
        """
        ...

    def read_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Drive a layer's array from its columns: Wᵀ y, (samples, n_out) to (samples, n_in).

        The read has the array's own noise.

        Raises:
            CapabilityError: the chip lacks `Capability.TRANSPOSED_READ`.
        """
        ...

    def read_mirror(self, layer: int, x: Tensor) -> Tensor:
        """Give B x of a layer, (samples, n_in) to (samples, n_out), through B's own noise.

        Raises:
            CapabilityError: the layer has no mirror.
        """
        ...

    def read_mirror_transposed(self, layer: int, y: Tensor) -> Tensor:
        """Give Bᵀ y of a layer, (samples, n_out) to (samples, n_in), through B's own noise.

        Raises:
            CapabilityError: the layer has no mirror.
        """
        ...

    def activate(self, layer: int, a: Tensor) -> Tensor:
        """Give f(a) of a layer's pre-activations, as its digital periphery computes it."""
        ...

    def pull_back(
        self, layer: int, a: Tensor, gradient: Tensor, slope: Tensor | None = None
    ) -> Tensor:
        """Take a gradient back through the exact digital periphery behind a layer.

        Between a layer's pre-activation and the next layer's rows, before R, lie the activation f
        and the layout (patches of a convolution). Nothing of the analog side is in it.

        Args:
            layer: whose pre-activations are meant, not the last.
            a: they, (batch, [positions,] n_out).
            gradient: with respect to the next layer's rows before R, (batch, [positions,] n_in).
            slope: taken in place of f'(a), in the shape of `a`.

        Returns:
            The gradient with respect to `a`.

        Raises:
            CapabilityError: no slope is given, and the chip lacks
                `Capability.ACTIVATION_DERIVATIVE`.
        """
        ...

    def apply(self, updates: Sequence[LayerUpdate]) -> None:
        """Ask for changes of some layers. What the device makes of them is its own affair.

        Their tensors may change as soon as the call has returned.

        Raises:
            ValueError: a layer's number or a tensor's shape is not one of the chip's; then nothing
                is changed.
        """
        ...
