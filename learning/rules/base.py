"""What a learning rule is: observations and losses in, an estimate of ∂L/∂a_l for every layer out.

Every rule of METHOD.md has the same last step, ΔW_l = ⟨d_l x_{l-1}ᵀ⟩ over the batch, with x_{l-1}
the layer's input in the baseline pass; what sets rules apart is d_l. So a rule is a frozen set of
settings with a pure function that gives d_l per sample, in the shape of the layer's pre-activation.
What it remembers from one trial to the next is handed to it with the trial, so that it can be
saved. A rule that sends errors backwards gives d_L alone, and says through which matrices the rest
follows (`learning.backward`).

A rule of one's own is a class derived from `Rule` in a file of its own: `substrate new rule NAME`
writes one, and `substrate verify` holds it to what every rule must do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from jaxtyping import Float
from pydantic import BaseModel, ConfigDict

from devices.deferred import torch
from devices.interface import Capability, LayerShape, LayerUpdate, Perturbation

if TYPE_CHECKING:
    from torch import Tensor

RuleState = Mapping[str, "Tensor"]
"""What a rule remembers, by name."""

Backward = Literal["transposed_read", "mirror"]
"""The matrices that errors go back through: the weight arrays themselves, or their mirrors."""


@dataclass(frozen=True)
class Trial:
    """One comparison of a baseline pass with perturbed passes of the same input.

    What a rule does not read (`Rule.reads_activities`, `Rule.reads_inputs`) is empty, so that it
    need not be held. Changes are those of the first samples of the batch alone where no more are
    passed a second time (`Rule.perturbed_fraction`); "part" is their number.

    Attributes:
        shapes: the layers.
        activity_changes: δa_l = ã_l - a_l of every layer, observed in the perturbed pass.
        perturbations: what was injected in each perturbed pass: one, or one for every layer in
            rules that perturb layer by layer; None where nothing was, or none need know.
        loss_changes: δL of each of them, per sample; none in a rule that perturbs nothing.
        sigma: standard deviation of what was injected, in units of the pre-activation.
        input_changes: δx*_l of every layer, observed in the perturbed pass.
        pre_activations: a_l of every layer in the baseline pass.
        output_changes: δf(a_l) of every layer but the last.
        output: a_L of the baseline pass, as read.
        target: class numbers or values of the batch.
        loss_gradient: gives ∂L/∂a_L per sample at the baseline's output, where the periphery
            computes the loss with its derivative; raises RuntimeError elsewhere.
        generator: for a rule's own draws, on the chip's device.
        state: what the rule remembers, this trial included in `errors`.
        number: of the trials that came before it.
    """

    shapes: tuple[LayerShape, ...]
    activity_changes: tuple[Float[Tensor, "part *_position_and_n_out"], ...]
    perturbations: tuple[Perturbation | None, ...]
    loss_changes: tuple[Float[Tensor, " part"], ...]
    sigma: float
    input_changes: tuple[Float[Tensor, "part *_position_and_n_in"], ...] = ()
    pre_activations: tuple[Float[Tensor, "batch *_position_and_n_out"], ...] = ()
    output_changes: tuple[Float[Tensor, "part *_position_and_n_out"], ...] = ()
    output: Float[Tensor, "batch n_out"] | None = None
    target: Tensor | None = None
    loss_gradient: Callable[[], Float[Tensor, "batch n_out"]] | None = None
    generator: torch.Generator | None = None
    state: RuleState = field(default_factory=dict[str, "Tensor"])
    number: int = 0


class Rule(BaseModel):
    """A learning rule: settings, what it needs of a chip, and one estimate.

    Attributes:
        name: what a scenario calls it.
        title: one line for people, with the equation.
        citation: where it comes from.
        decorrelated_name: what a scenario may call it together with decorrelation; None for `rule:
            NAME` with a `decorrelation` beside it alone.
        requires: what the chip must offer whatever the settings.
        perturbs: whether it compares passes; one that does not sees a single pass.
        layer_by_layer: whether each layer is perturbed in a pass of its own.
        knows_perturbation: whether it must know what was injected.
        own_noise_only: whether it is made for noise that nobody can know, and for no other.
        reads_activities: whether it reads pre-activations of the perturbed passes.
        reads_inputs: whether it reads layer inputs of the perturbed passes, and the baseline's
            pre-activations.
        backward: what errors go back through; None where the rule gives every layer's.
        is_gradient: whether errors are the gradient itself, so that a chip that differentiates its
            own pass may give them and nothing else of the rule is asked: backpropagation's alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    decorrelated_name: ClassVar[str | None] = None
    requires: ClassVar[frozenset[Capability]] = frozenset({Capability.OBSERVE})
    perturbs: ClassVar[bool] = True
    layer_by_layer: ClassVar[bool] = False
    knows_perturbation: ClassVar[bool] = False
    own_noise_only: ClassVar[bool] = False
    reads_activities: ClassVar[bool] = False
    reads_inputs: ClassVar[bool] = False
    backward: ClassVar[Backward | None] = None
    is_gradient: ClassVar[bool] = False

    @property
    def needs(self) -> frozenset[Capability]:
        """What the chip must offer with these settings."""
        return self.requires

    @property
    def unbiased_in(self) -> Literal["any network", "one layer"] | None:
        """Where the expected errors are ∂L/∂a_l itself, to first order in the noise.

        None where all that is known is that they go downhill; `substrate verify` holds a rule to
        what it says here.
        """
        return None

    @property
    def averages_errors(self) -> bool:
        """Whether `errors` differ from trial to trial, so that their mean is taken."""
        return True

    @property
    def perturbed_fraction(self) -> float:
        """Part of the mini-batch that is passed a second time, above 0 and at most 1."""
        return 1.0

    @property
    def trials_before_training(self) -> int:
        """Trials of the first mini-batch to be remembered before the first update."""
        return 0

    @property
    def period(self) -> int:
        """Trials after which the same is computed again; a `Trial.number` counts in these."""
        return 1

    @property
    def mirror_on(self) -> Literal["digital", "crossbar"] | None:
        """Where the rule wants mirrors of the weights to be; None if it needs none."""
        return None

    @property
    def mirror_is_told(self) -> bool:
        """Whether the changes that are asked of W are asked of the mirror as well."""
        return False

    @property
    def reads_output_changes(self) -> bool:
        """Whether it reads δf(a_l)."""
        return False

    def remember(self, trial: Trial) -> RuleState:
        """Give the state that follows from the state and the observations of a trial.

        `trial.state` is empty in the first trial. The state before is left as it was.
        """
        return trial.state

    def requests(
        self, trial: Trial, read_mirror: Callable[[int, Tensor], Tensor]
    ) -> Iterable[LayerUpdate]:
        """Give what is asked of the mirrors after a trial, whose state includes it.

        Args:
            trial: what was observed.
            read_mirror: gives B_l y for a layer's number, counted from 0, and y (samples, n_in).
        """
        return ()

    def errors(self, trial: Trial) -> tuple[Tensor, ...]:
        """Estimate ∂L/∂a_l per sample, in the pre-activation's shape, for every layer.

        A rule that sends errors backwards gives the last layer's alone.
        """
        raise NotImplementedError

    def slope_at(self, layer: int, trial: Trial) -> Tensor | None:
        """Give what stands for f'(a_l) on the way back, in the shape of a_l; None for f' itself."""
        return None


def activity_scale(trial: Trial) -> Float[Tensor, " batch"]:
    """Give N / ‖δa‖² of every sample, ‖δa‖² = Σ_l ‖δa_l‖²; 0 where no activity changed."""
    changes = trial.activity_changes
    norm = torch.stack([change.flatten(1).square().sum(1) for change in changes]).sum(0)
    nodes = sum(shape.nodes for shape in trial.shapes)
    return torch.where(norm > 0, nodes / norm, torch.zeros_like(norm))


def per_sample(value: Float[Tensor, " batch"], like: Tensor) -> Tensor:
    """Give a per-sample value the axes and the type that multiply `like`, (batch, ...)."""
    return value.to(like.dtype).view(-1, *[1] * (like.ndim - 1))
