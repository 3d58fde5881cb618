import torch

from devices.interface import LayerShape
from learning.injection import Injection

SHAPES = (LayerShape(4, 3), LayerShape(5, 4, positions=6), LayerShape(2, 30))


def injection(layers, seed: int = 0, sigma: float = 0.5) -> Injection:
    return Injection(SHAPES, layers, 1000, sigma, torch.Generator().manual_seed(seed))


def test_it_has_the_shapes_of_the_pre_activations_and_the_spread_asked_for():
    drawn = list(injection(range(3)))
    assert [tuple(each.shape) for each in drawn] == [(1000, 4), (1000, 6, 5), (1000, 2)]
    together = torch.cat([each.flatten() for each in drawn])
    # six standard errors of the standard deviation of n normal deviates, σ/√(2n)
    assert abs(together.std() - 0.5) < 6 * 0.5 / (2 * len(together)) ** 0.5


def test_layers_left_alone_are_none_and_shift_nothing():
    alone = list(injection((1,)))
    assert alone[0] is None
    assert alone[2] is None
    assert torch.equal(alone[1], next(each for each in injection((1, 2)) if each is not None))


def test_again_is_the_same_whatever_the_order_of_drawing():
    generator = torch.Generator().manual_seed(1)
    passes = [Injection(SHAPES, range(3), 10, 1.0, generator) for _ in range(2)]
    interleaved = list(zip(*passes, strict=True))
    torch.randn(7, generator=generator)
    for number, each in enumerate(passes):
        for layer, again in enumerate(each.again()):
            assert torch.equal(again, interleaved[layer][number])
    assert not torch.equal(interleaved[0][0], interleaved[0][1])
