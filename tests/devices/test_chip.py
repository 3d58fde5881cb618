import pytest
import torch
from torch.nn import functional

from devices.crossbars.ideal import IdealCrossbar
from devices.crossbars.tiled import TiledCrossbar
from devices.interface import (
    Capability,
    CapabilityError,
    DecorrelationUpdate,
    Dense,
    Drawn,
    LayerUpdate,
    Observation,
    Outer,
)
from tests.chips import CPU, make_chip, torch_network

SIZES = (6, 5, 4, 3)


def gaussian(std: float, seed: int = 3):
    generator = torch.Generator().manual_seed(seed)
    return lambda signal: signal + std * torch.randn(signal.shape, generator=generator)


def assert_same(left: Observation, right: Observation) -> None:
    for one, other in zip(
        (*left.inputs, *left.pre_activations, left.output),
        (*right.inputs, *right.pre_activations, right.output),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_forward_is_the_network_in_plain_torch():
    x = torch.randn(7, 6)
    torch.testing.assert_close(make_chip(SIZES).forward(x).output, torch_network(SIZES)(x))


def test_images_are_flattened():
    x = torch.randn(7, 1, 2, 3)
    chip = make_chip(SIZES)
    assert_same(chip.forward(x), chip.forward(x.flatten(1)))


@pytest.mark.parametrize("decorrelated", [False, True])
def test_passes_run_together_are_those_run_alone(decorrelated):
    chip = make_chip(SIZES, decorrelated=decorrelated)
    x = torch.randn(7, 6)
    everywhere = tuple(torch.randn(7, n) for n in SIZES[1:])
    one_layer = [
        tuple(e if layer == alone else None for layer, e in enumerate(everywhere))
        for alone in range(3)
    ]
    perturbs = [None, everywhere, *one_layer, None, everywhere]
    for together, perturb in zip(chip.passes(x, perturbs), perturbs, strict=True):
        assert_same(together, chip.forward(x, perturb))


def test_passes_share_work_until_they_are_perturbed(monkeypatch):
    chip = make_chip(SIZES)
    rows_read = []
    for layer in chip._layers:
        read = layer.crossbar.read
        monkeypatch.setattr(
            layer.crossbar, "read", lambda x, read=read: rows_read.append(len(x)) or read(x)
        )
    x = torch.randn(7, 6)
    e = [torch.randn(7, n) for n in SIZES[1:]]
    chip.passes(x, [None, (e[0], None, None), (None, e[1], None), (None, None, e[2])])
    assert rows_read == [7, 14, 21]


@pytest.mark.parametrize("decorrelated", [False, True])
def test_passes_of_a_part_of_the_samples_are_those_of_that_part_alone(decorrelated):
    chip = make_chip(SIZES, decorrelated=decorrelated)
    x = torch.randn(7, 6)
    samples = [3, 7, 3, 5, 2, 7]
    late = tuple(None if n != 4 else torch.randn(3, n) for n in SIZES[1:])
    everywhere = tuple(torch.randn(5, n) for n in SIZES[1:])
    perturbs = [None, None, late, everywhere, None, None]
    together = chip.passes(x, perturbs, samples=samples)
    for seen, perturb, part in zip(together, perturbs, samples, strict=True):
        assert len(seen.output) == part
        assert_same(seen, chip.forward(x[:part], perturb))


def test_a_part_of_the_samples_shares_the_work_of_all(monkeypatch):
    chip = make_chip(SIZES)
    rows_read = []
    for layer in chip._layers:
        read = layer.crossbar.read
        monkeypatch.setattr(
            layer.crossbar, "read", lambda x, read=read: rows_read.append(len(x)) or read(x)
        )
    chip.passes(
        torch.randn(7, 6), [None, tuple(torch.randn(2, n) for n in SIZES[1:])], samples=[7, 2]
    )
    assert rows_read == [7, 9, 9]


def test_noise_is_drawn_for_a_part_of_the_samples():
    chip = make_chip(SIZES, output_noise=gaussian(0.1))
    x = torch.randn(7, 6)
    whole, part = chip.passes(x, [None, None], samples=[7, 3])
    assert len(part.output) == 3
    again, anew = (
        make_chip(SIZES, output_noise=gaussian(0.1)).passes(x, [None, None], samples=[7, n])[0]
        for n in (3, 7)
    )
    assert torch.equal(whole.pre_activations[0], again.pre_activations[0])
    assert not torch.equal(whole.output[:3], part.output)
    assert len(anew.output) == 7


def test_gradients_are_autograds():
    chip, network = make_chip(SIZES), torch_network(SIZES)
    x, target = torch.randn(7, 6), torch.randint(3, (7,))
    _, gradients = chip.backpropagate(
        x, lambda output: functional.cross_entropy(output, target, reduction="none")
    )
    functional.cross_entropy(network(x), target, reduction="sum").backward()
    for gradient, linear in zip(gradients, network[::2], strict=True):
        torch.testing.assert_close(gradient.sum(0), linear.bias.grad)


@pytest.mark.parametrize("place", ["input_noise", "output_noise"])
def test_intrinsic_noise_travels_and_is_fresh_in_every_pass(place):
    chip = make_chip(SIZES, **{place: gaussian(0.1)})
    x = torch.randn(7, 6)
    first, second = chip.passes(x, [None, None])
    for one, other in zip(first.pre_activations, second.pre_activations, strict=True):
        assert (one != other).all()
    assert (first.inputs[1] != second.inputs[1]).all()
    torch.testing.assert_close(first.inputs[0], x)


def test_readout_noise_is_observed_and_does_not_travel():
    noisy, clean = make_chip(SIZES, readout=gaussian(0.1)), make_chip(SIZES)
    x = torch.randn(7, 6)
    seen, truth = noisy.passes(x, [None, None])[0], clean.forward(x)
    for one, other in zip(seen.inputs, truth.inputs, strict=True):
        torch.testing.assert_close(one, other)
    for one, other in zip(seen.pre_activations, truth.pre_activations, strict=True):
        assert (one != other).all()


def test_updates_are_carried_out():
    chip, network = make_chip(SIZES), torch_network(SIZES)
    x = torch.randn(7, 6)
    d, delta, bias = torch.randn(9, 5), torch.randn(4, 5), torch.randn(3)
    rows = torch.randn(9, 6)
    chip.apply(
        [
            LayerUpdate(2, bias=bias),
            LayerUpdate(0, weight=Outer(rows, d, 0.5)),
            LayerUpdate(1, weight=Dense(delta)),
        ]
    )
    with torch.no_grad():
        network[0].weight -= 0.5 * sum(torch.outer(d[s], rows[s]) for s in range(9))
        network[2].weight += delta
        network[4].bias += bias
    torch.testing.assert_close(chip.forward(x).output, network(x))


def test_what_a_chip_cannot_do_is_refused_by_name():
    chip = make_chip(SIZES, capabilities=frozenset({Capability.OBSERVE}))
    x = torch.randn(2, 6)
    with pytest.raises(CapabilityError, match="inject"):
        chip.forward(x, tuple(torch.zeros(2, n) for n in SIZES[1:]))
    with pytest.raises(CapabilityError, match="gradients"):
        chip.backpropagate(x, lambda output: output.sum(1))
    with pytest.raises(CapabilityError, match="decorrelation"):
        chip.read_decorrelation_transposed(0, x)


def test_a_perturbation_told_by_how_it_is_drawn_is_the_one_that_is_drawn():
    chip, x = make_chip(SIZES), torch.randn(7, 6)
    generator = torch.Generator().manual_seed(3)
    same = generator.clone_state()
    told = [Drawn(frozenset({0, 2}), 0.5, generator), None, Drawn(frozenset({0}), 0.1, generator)]
    seen = chip.passes(x, told, samples=[7, 7, 4])
    first = [
        each.draw(chip.shapes[0], n)
        for each, n in zip(
            (Drawn(frozenset(), 0.5, same), Drawn(frozenset(), 0.1, same)), (7, 4), strict=True
        )
    ]
    last = Drawn(frozenset(), 0.5, same).draw(chip.shapes[2], 7)
    given = chip.passes(
        x, [(first[0], None, last), None, (first[1], None, None)], samples=[7, 7, 4]
    )
    for one, other in zip(seen, given, strict=True):
        assert torch.equal(one.output, other.output)
    assert torch.equal(generator.get_state(), same.get_state())


@pytest.mark.parametrize(
    ("update", "named"),
    [
        (LayerUpdate(-1, bias=torch.ones(3)), "no layer -1"),
        (LayerUpdate(3, bias=torch.ones(3)), "no layer 3"),
        (LayerUpdate(0, bias=torch.ones(3)), "bias of layer 0"),
        (LayerUpdate(0, weight=Dense(torch.ones(6, 5))), "delta in the weight request of layer 0"),
        (LayerUpdate(0, weight=Outer(torch.ones(2, 6), torch.ones(2, 4), 0.1)), "d in the weight"),
        (LayerUpdate(0, mirror=Outer(torch.ones(2, 5), torch.ones(2, 5), 0.1)), "x in the mirror"),
        (LayerUpdate(0, decorrelation=DecorrelationUpdate(torch.ones(2, 5), 0.1)), "x_star"),
    ],
)
def test_an_update_that_does_not_fit_is_refused_and_nothing_is_changed(update, named):
    chip, x = make_chip(SIZES, decorrelated=True), torch.randn(7, 6)
    before = chip.forward(x).output
    fits = LayerUpdate(2, bias=torch.ones(SIZES[3]))
    with pytest.raises(ValueError, match=named):
        chip.apply([fits, update])
    assert torch.equal(chip.forward(x).output, before)


def test_reads_of_no_layer_are_refused():
    chip = make_chip(SIZES, decorrelated=True)
    for read in (chip.read_transposed, chip.read_decorrelation_transposed, chip.activate):
        with pytest.raises(ValueError, match="no layer -1"):
            read(-1, torch.ones(2, 3))


def test_pulse_trains_of_the_mirror_count(monkeypatch):
    chip = make_chip(SIZES)
    assert chip.pulse_trains is None
    for layer in chip._layers[1:]:
        monkeypatch.setattr(layer.mirror, "pulse_trains", torch.tensor([10, 4]), raising=False)
    assert chip.pulse_trains.tolist() == [20, 8]


def test_every_array_of_a_split_matrix_reports(monkeypatch):
    def make(n_out, n_in):
        return TiledCrossbar(n_out, n_in, 4, 4, lambda *size: IdealCrossbar(*size[:2], CPU))

    chip = make_chip(SIZES, make)
    assert chip.report() == {}
    second = chip._layers[0].crossbar.tiles[1]
    monkeypatch.setattr(second, "report", lambda: {"temperature (K)": 4.2}, raising=False)
    assert chip.report() == {"temperature (K)": 4.2}
