import pytest
import torch
from scipy import stats

from devices.crossbars.aihwkit import AihwkitCrossbar
from devices.crossbars.aihwkit_config import PRESETS, ConfigProblem, preset_config
from devices.crossbars.ideal import IdealCrossbar
from devices.interface import Dense, Outer
from tests.chips import CPU, make_chip, random_weights

SIZES = (20, 16, 10)


def perfect_tile(n_out: int, n_in: int) -> AihwkitCrossbar:
    config = preset_config("IdealizedPreset")
    config.forward.is_perfect = True
    config.backward.is_perfect = True
    config.device.w_max_dtod = config.device.w_min_dtod = 0.0
    config.device.w_max, config.device.w_min = 10.0, -10.0
    return AihwkitCrossbar(n_out, n_in, config, CPU)


def test_a_tile_with_perfect_input_and_output_is_the_ideal_chip():
    x = torch.randn(50, 20)
    ideal, tile = make_chip(SIZES), make_chip(SIZES, perfect_tile)
    for one, other in zip(
        ideal.forward(x).pre_activations, tile.forward(x).pre_activations, strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_perfect_tile_reads_backwards_as_the_ideal_crossbar():
    weights, y = random_weights((20, 16))[0], torch.randn(5, 16)
    tile, ideal = perfect_tile(16, 20), IdealCrossbar(16, 20, CPU)
    for crossbar in (tile, ideal):
        crossbar.program(weights)
    torch.testing.assert_close(tile.read_transposed(y), ideal.read_transposed(y))


def test_noise_is_fresh_in_every_read_and_repeat():
    crossbar = AihwkitCrossbar(16, 20, preset_config("IdealizedPreset"), CPU)
    crossbar.program(random_weights((20, 16))[0] / 4)
    x = torch.randn(5, 20)
    reads = [*crossbar.read(x, repeats=2).split(5), crossbar.read(x)]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert (reads[one] != reads[other]).float().mean() > 0.5


def update_regression(request: Outer | Dense, wanted: torch.Tensor):
    """Regress the change that a tile makes on the change that was asked for."""
    config = preset_config("IdealizedPreset")
    config.forward.is_perfect = True
    crossbar = AihwkitCrossbar(16, 20, config, CPU)
    crossbar.program(torch.zeros(16, 20))
    eye = torch.eye(20)
    before = crossbar.read(eye).T
    crossbar.update(request)
    change = crossbar.read(eye).T - before
    return stats.linregress(wanted.flatten(), change.flatten())


@pytest.mark.parametrize("form", ["pulses", "row by row"])
def test_the_device_moves_where_it_is_asked_to(form):
    # one sample moves this device by at most 31 pulses of 0.0002; six standard errors are a false
    # alarm in 500 million runs, and a tenth is for its asymmetry and the spread of its step
    x, d = torch.rand(400, 20) - 0.5, torch.rand(400, 16) - 0.5
    wanted = -0.002 * d.T @ x
    request: Outer | Dense = Outer(x, d, 0.002)
    if form == "row by row":
        wanted = wanted.clamp(-0.006, 0.006)
        request = Dense(wanted)
    result = update_regression(request, wanted)
    assert abs(result.slope - 1) < 6 * result.stderr + 0.1
    assert result.rvalue > 0.5


def test_an_unknown_preset_is_refused():
    assert "IdealizedPreset" in PRESETS
    with pytest.raises(ConfigProblem, match="no such preset"):
        preset_config("IdealisedPreset")
