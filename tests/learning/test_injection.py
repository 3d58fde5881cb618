import torch

from devices.interface import Drawn, LayerShape
from learning.injection import drawn_again

SHAPES = (LayerShape(4, 3), LayerShape(5, 4, positions=6), LayerShape(2, 30))


def drawn(layers, seed: int = 0) -> list[torch.Tensor | None]:
    each = Drawn(frozenset(layers), 0.5, torch.Generator())
    (again,) = drawn_again(SHAPES, [each], [1000], torch.Generator().manual_seed(seed))
    return list(again)


def test_it_has_the_shapes_of_the_pre_activations_and_the_spread_asked_for():
    found = drawn(range(3))
    assert [tuple(each.shape) for each in found] == [(1000, 4), (1000, 6, 5), (1000, 2)]
    together = torch.cat([each.flatten() for each in found])
    # six standard errors of the standard deviation of n normal deviates, σ/√(2n)
    assert abs(together.std() - 0.5) < 6 * 0.5 / (2 * len(together)) ** 0.5


def test_layers_left_alone_are_none_and_shift_nothing():
    alone = drawn((1,))
    assert alone[0] is None
    assert alone[2] is None
    assert torch.equal(alone[1], drawn((1, 2))[1])


def test_again_is_the_same_in_the_order_of_drawing():
    generator = torch.Generator().manual_seed(1)
    before = generator.clone_state()
    passes = [Drawn(frozenset(layers), 1.0, generator) for layers in (range(3), (0, 2))]
    sizes = (10, 7)
    interleaved = [
        [
            each.draw(shape, size) if layer in each.layers else None
            for each, size in zip(passes, sizes, strict=True)
        ]
        for layer, shape in enumerate(SHAPES)
    ]
    torch.randn(7, generator=generator)
    again = drawn_again(SHAPES, [*passes, None], [*sizes, 10], before)
    assert again[2] is None
    for number in range(2):
        for layer in range(3):
            one, other = again[number][layer], interleaved[layer][number]
            assert (one is None and other is None) or torch.equal(one, other)
    assert not torch.equal(interleaved[0][0][:7], interleaved[0][1])
