"""A sealed chip gives away neither noise nor weights, whatever public way one tries."""

import copy
import pickle
from collections.abc import Iterator

import pytest
import torch

from devices.chip import NetworkChip
from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import preset_config
from devices.interface import Capability, CapabilityError, Chip, Dense, LayerUpdate, Observation
from devices.seal import SealedChip, seal
from tests.chips import CPU, make_chip, random_weights

SIZES = (6, 5, 3)
SECRET_WORDS = ("weight", "noise", "crossbar", "tile", "generator", "matrix", "conductance")


def aihwkit_crossbar(n_out: int, n_in: int) -> AihwkitCrossbar:
    return AihwkitCrossbar(n_out, n_in, preset_config("IdealizedPreset"), CPU)


def output_noise(a: torch.Tensor) -> torch.Tensor:
    return a + 0.1 * torch.randn(a.shape)


@pytest.fixture(params=["aihwkit", "noisy ideal"])
def chip(request: pytest.FixtureRequest) -> NetworkChip:
    if request.param == "aihwkit":
        return make_chip(SIZES, aihwkit_crossbar, frozenset({Capability.OBSERVE}))
    return make_chip(SIZES, capabilities=frozenset({Capability.OBSERVE}), output_noise=output_noise)


@pytest.fixture
def sealed(chip) -> SealedChip:
    return seal(chip)


def reachable(root: object, depth: int = 6) -> Iterator[object]:
    """Everything that public attributes, items and autograd links lead to."""
    seen: set[int] = set()
    edge = [root]
    for _ in range(depth):
        following: list[object] = []
        for thing in edge:
            if id(thing) in seen or isinstance(thing, str | bytes | int | float | bool | type):
                continue
            seen.add(id(thing))
            yield thing
            if isinstance(thing, torch.Tensor):
                following += [thing.grad_fn, thing.grad]
            elif isinstance(thing, dict):
                following += thing.values()
            elif isinstance(thing, tuple | list | frozenset | set):
                following += thing
            else:
                names = [name for name in dir(thing) if not name.startswith("_")]
                following += [getattr(thing, name, None) for name in names]
                following += getattr(thing, "__dict__", {}).values()
                function = getattr(thing, "__func__", thing)
                closure = getattr(function, "__closure__", None) or ()
                following += [cell.cell_contents for cell in closure]
        edge = following


def storages(things: Iterator[object]) -> set[int]:
    return {t.untyped_storage().data_ptr() for t in things if isinstance(t, torch.Tensor)}


def test_it_has_the_members_of_the_interface_and_no_others(sealed):
    wanted = {name for name in vars(Chip) if not name.startswith("_")}
    assert {name for name in dir(sealed) if not name.startswith("_")} == wanted
    assert not hasattr(sealed, "__dict__")
    with pytest.raises(AttributeError):
        sealed.weights = 1


def test_no_public_way_leads_to_the_chip_behind(chip, sealed):
    found = list(reachable(sealed))
    assert not any(isinstance(thing, NetworkChip | AihwkitCrossbar) for thing in found)
    assert not any(isinstance(thing, torch.Tensor | torch.Generator) for thing in found)


def test_returned_values_share_nothing_with_the_chip(chip, sealed):
    x = torch.randn(4, 6)
    observations = (sealed.forward(x), *sealed.passes(x, [None, None]))
    hidden = storages(layer.bias for layer in chip._layers)
    hidden |= storages(getattr(layer.crossbar, "weights", None) for layer in chip._layers)
    for observation in observations:
        assert isinstance(observation, Observation)
        tensors = [t for t in reachable(observation) if isinstance(t, torch.Tensor)]
        assert tensors
        assert not any(t.requires_grad or t.grad_fn is not None for t in tensors)
        assert not storages(iter(tensors)) & hidden


def test_no_returned_value_holds_the_weights_or_the_noise(chip, sealed):
    weights = random_weights(SIZES)
    x = torch.randn(4, 6)
    values = [t for t in reachable(sealed.forward(x)) if isinstance(t, torch.Tensor)]
    allowed = {(4, 6), (4, 5), (4, 3)}
    assert {tuple(t.shape) for t in values} == allowed
    for held in weights:
        assert not any(t.shape == held.shape for t in values)


def test_the_loss_sees_values_and_no_graph():
    seen = []

    def loss(output: torch.Tensor) -> torch.Tensor:
        seen.append(output)
        return output.square().sum(1)

    seal(make_chip(SIZES)).backpropagate(torch.randn(4, 6), loss)
    assert seen[0].is_leaf
    assert seen[0].grad_fn is None


def test_a_request_answers_nothing(sealed):
    requests = [LayerUpdate(0, Dense(torch.zeros(5, 6)))]
    assert sealed.apply(requests) is None


def test_neither_repr_nor_errors_name_what_is_behind(sealed):
    words = repr(sealed) + str(sealed)
    for refused in (
        lambda: sealed.backpropagate(torch.zeros(2, 6), lambda output: output.sum(1)),
        lambda: sealed.forward(torch.zeros(2, 6), (torch.zeros(2, 5), torch.zeros(2, 3))),
    ):
        with pytest.raises(CapabilityError) as problem:
            refused()
        words += str(problem.value)
    assert not any(secret in words.lower() for secret in SECRET_WORDS)


def test_it_can_be_neither_copied_nor_pickled(sealed):
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="sealed"):
            attempt(sealed)


def test_the_noise_cannot_be_switched_off_by_autograd_or_inference_mode(sealed):
    x = torch.randn(4, 6)
    with torch.inference_mode():
        first, second = sealed.forward(x), sealed.forward(x)
    assert (first.output != second.output).any()


def test_the_chip_behind_goes_when_the_sealed_one_goes():
    from devices import seal as module

    sealed = seal(make_chip(SIZES))
    held = len(module._behind)
    del sealed
    assert len(module._behind) == held - 1
