"""A small network that learns ∂L/∂a_L from loss changes alone.

    g(a_L, y) · δa_L ≈ δL,   fitted on ⟨(g · δa_L - δL)²⟩

The loss may be a black box: only its values are seen, and δL of the two passes says how the loss
changes along δa_L. One δL tells one direction; g, a function of output and target alone, puts
together what all directions and batches told. Two hidden layers of tanh, and five Adam steps a
batch on the last 1,000 samples that it was shown, each on one in five of them: what the loss does
at an output is the same whatever the weights have become, so that a part of every mini-batch
teaches as well as all of it.
Everything is scaled by running root mean squares, so that no setting has a unit:

    g = (rms δL / rms δa_L) · net(a_L / rms a_L, y / rms y)

A class number y enters as one-hot values. The last layer starts at zero, so that g does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from jaxtyping import Float

from devices.deferred import torch
from learning.adam import adam_step

if TYPE_CHECKING:
    from torch import Tensor

_HIDDEN = 64
_STEPS = 5
_RATE = 3e-3
_DECAY = 0.95
_LAYERS = 3
_KEPT = 1000

CriticState = Mapping[str, "Tensor"]
"""Weights, Adam's moments, running scales and the samples that are kept, by name."""


def fit_critic(
    state: CriticState,
    output: Float[Tensor, "batch n_out"],
    target: Tensor,
    change: Float[Tensor, "batch n_out"],
    loss_change: Float[Tensor, " batch"],
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Take a trial into the critic, and give its state afterwards; the one before is left alone.

    Args:
        state: empty at first.
        output: a_L.
        target: class numbers, (batch,), or values, (batch, n_out).
        change: δa_L.
        loss_change: δL.
        generator: draws the first weights.
    """
    wanted = loss_change.to(output.dtype)
    values = _values(target, output)
    new = {name: value.clone() for name, value in state.items()} or _begin(output, generator)
    for name, seen in (("a", output), ("y", values), ("δa", change), ("δL", wanted)):
        _track(new, f"square.{name}", seen.square().mean())
        new[f"kept.{name}"] = _keep(new.get(f"kept.{name}"), seen)
    output, values = new["kept.a"], new["kept.y"]
    direction = new["kept.δa"] / _rms(new, "δa")
    wanted = new["kept.δL"] / _rms(new, "δL")
    weights = [new[f"{kind}.{layer}"] for layer in range(_LAYERS) for kind in ("weight", "bias")]
    for step in range(_STEPS):
        part = slice(step, None, _STEPS)
        with torch.enable_grad():
            leaves = [weight.requires_grad_() for weight in weights]
            g = _net(new, output[part], values[part])
            misfit = ((g * direction[part]).sum(1) - wanted[part]).square().mean()
            gradients = list(torch.autograd.grad(misfit, leaves))
        weights = [weight.detach_() for weight in leaves]
        _adam_step(new, weights, gradients)
    return new


def criticise(
    state: CriticState, output: Float[Tensor, "batch n_out"], target: Tensor
) -> Float[Tensor, "batch n_out"]:
    """Give g(a_L, y) of every sample, the critic's ∂L/∂a_L."""
    scale = _rms(state, "δL") / _rms(state, "δa")
    return _net(state, output, _values(target, output)).mul_(scale)


def _values(target: Tensor, output: Tensor) -> Tensor:
    if target.is_floating_point():
        return target.to(output.dtype).view(len(output), -1)
    # not by `one_hot`, which has the host look at the class numbers first
    return torch.zeros_like(output).scatter_(1, target.view(-1, 1), 1.0)


def _begin(output: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    state, n_out = {}, output.shape[1]
    sizes = (2 * n_out, *[_HIDDEN] * (_LAYERS - 1), n_out)
    for layer in range(_LAYERS):
        shape = sizes[layer + 1], sizes[layer]
        weight = torch.empty(shape, device=generator.device, dtype=output.dtype)
        spread = 0.0 if layer == _LAYERS - 1 else shape[1] ** -0.5
        state[f"weight.{layer}"] = weight.normal_(0.0, spread, generator=generator)
        state[f"bias.{layer}"] = weight.new_zeros(shape[0])
    for name in list(state):
        state[f"mean.{name}"] = torch.zeros_like(state[name])
        state[f"mean_square.{name}"] = torch.zeros_like(state[name])
        state[f"steps.{name}"] = torch.zeros((), device=generator.device)
    return state


def _net(state: CriticState, output: Tensor, values: Tensor) -> Tensor:
    signal = torch.cat([output / _rms(state, "a"), values / _rms(state, "y")], 1)
    for layer in range(_LAYERS):
        signal = torch.nn.functional.linear(
            signal, state[f"weight.{layer}"], state[f"bias.{layer}"]
        )
        if layer < _LAYERS - 1:
            signal = signal.tanh()
    return signal


def _adam_step(state: dict[str, Tensor], weights: list[Tensor], gradients: list[Tensor]) -> None:
    names = [f"{kind}.{layer}" for layer in range(_LAYERS) for kind in ("weight", "bias")]
    adam_step(
        weights,
        gradients,
        [state[f"mean.{name}"] for name in names],
        [state[f"mean_square.{name}"] for name in names],
        [state[f"steps.{name}"] for name in names],
        _RATE,
    )


def _keep(kept: Tensor | None, seen: Tensor) -> Tensor:
    """Give the last 1,000 samples, or all of a larger batch, newest first.

    Places not yet taken are zeros, of which no misfit follows.
    """
    if kept is None:
        kept = seen.new_zeros((_KEPT, *seen.shape[1:]))
    return torch.cat([seen, kept[: max(0, _KEPT - len(seen))]])


def _track(state: dict[str, Tensor], name: str, value: Tensor) -> None:
    before = state.get(name)
    state[name] = value.clone() if before is None else before.lerp(value, 1 - _DECAY)


def _rms(state: CriticState, name: str) -> Tensor:
    return state[f"square.{name}"].sqrt().clamp(min=1e-30)
