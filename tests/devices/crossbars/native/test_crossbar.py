import hashlib
import subprocess
import sys

import pytest
import torch

from devices.converters import Converter
from devices.crossbars.base import Crossbar
from devices.crossbars.native.conductance import Conductance
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.device import NativeDevice
from devices.crossbars.native.drift import Drift
from devices.crossbars.native.faults import Faults
from devices.crossbars.native.line_resistance import LineResistance
from devices.crossbars.native.presets import PRESETS
from devices.crossbars.native.response import PulseResponse
from devices.interface import Dense, Outer
from devices.noise.base import NoiseModel, NoiseSource
from devices.noise.gaussian import GaussianNoise
from tests.devices.crossbars.native.arrays import CPU, STILL, crossbar, streams
from tests.host_copies import HostCopies
from tests.statistics import assert_mean


def test_offers_what_every_crossbar_offers():
    assert isinstance(crossbar(2, 3), Crossbar)


def test_without_imperfections_it_is_the_matrix_product():
    array, weights = crossbar(4, 6), torch.rand(4, 6) - 0.5
    array.program(weights)
    x, y = torch.randn(3, 2, 6), torch.randn(5, 4)
    torch.testing.assert_close(array.read(x), x @ weights.T)
    torch.testing.assert_close(array.read_transposed(y), y @ weights)
    assert array.noise_free
    assert torch.equal(array.read(x, repeats=3), array.read(x).repeat(3, 1, 1))


def test_converters_stand_at_both_ends():
    dac, adc = Converter(bits=4), Converter(bits=5, range=2.0)
    array = crossbar(4, 6, input_converter=dac, output_converter=adc)
    weights, x = torch.rand(4, 6) - 0.5, torch.randn(3, 6)
    array.program(weights)
    rows = dac(x)
    expected = rows @ weights.T
    for read, scale in zip(expected, x.abs().amax(1), strict=True):
        step = 2.0 * scale / 15
        read.copy_((read / step).round().clamp(-15, 15) * step)
    torch.testing.assert_close(array.read(x), expected)


def test_read_noise_has_the_variance_of_independent_cells_and_is_fresh_in_every_repeat():
    window = Conductance(**STILL | {"read_noise": 0.05, "read_noise_exponent": 0.5})
    array, weights, x = (
        crossbar(3, 8, conductance=window),
        torch.rand(3, 8) - 0.5,
        torch.randn(2, 8),
    )
    array.program(weights)
    assert not array.noise_free
    repeats = 20_000
    noise = array.read(x, repeats).view(repeats, 2, 3) - x @ weights.T
    g_plus, g_minus = weights.clamp(min=0), (-weights).clamp(min=0)
    relative = [1e-7 / 25e-6 + (1 - 1e-7 / 25e-6) * each for each in (g_plus, g_minus)]
    per_siemens = 25e-6 / (25e-6 - 1e-7)
    sigma_squared = (0.05 * per_siemens) ** 2 * (relative[0] + relative[1])
    assert_mean(noise.square(), x.square() @ sigma_squared.T)
    # reads are independent of each other and columns too
    assert noise[1:].mul(noise[:-1]).mean(0).abs().max() < 6 * noise.var() / repeats**0.5
    assert noise[..., 0].mul(noise[..., 1]).mean().abs() < 6 * noise.var() / repeats**0.5


def test_weight_noise_is_drawn_once_a_pass():
    source = NoiseSource(GaussianNoise(std=0.1), streams(1)(""), of_weights=True)
    array = crossbar(4, 5, weight_noise=source)
    x = torch.eye(5)
    passes = array.read(x, repeats=3000).view(3000, 5, 4)
    # what a unit input reads is the weight's own noise
    assert_mean(passes.square(), torch.full((5, 4), 0.01))
    both = array.read(torch.cat([x, x]), repeats=2).view(2, 2, 5, 4)
    assert torch.equal(both[:, 0], both[:, 1])
    assert not torch.equal(both[0], both[1])


def test_noise_of_the_scenario_acts_between_the_converters():
    quiet, adc = GaussianNoise(std=0.01), Converter(bits=3, range=3.0)
    x = torch.ones(100, 2)
    arguments = {"output_converter": adc, "input_converter": Converter(range=1.0)}
    for name in ("input_noise", "output_noise"):
        array = crossbar(2, 2, **arguments, **{name: NoiseSource(quiet, streams(1)(""))})
        array.program(torch.eye(2))
        # steps of 1: what is smaller than half a step cannot be seen
        assert torch.equal(array.read(x, repeats=2), torch.ones(200, 2))
        assert not array.noise_free


def test_noise_of_the_scenario_acts_on_reads_from_the_columns():
    """Var e_i = σ_out² + Σ_j W_ji² σ_in² + σ_w² Σ_j (y_j² + σ_in²)."""
    std = {"transposed_input": 0.3, "weight": 0.05, "transposed_output": 0.2}
    sources = {
        f"{at}_noise": NoiseSource(
            GaussianNoise(std=each), streams(seed)(at), of_weights=at == "weight"
        )
        for seed, (at, each) in enumerate(std.items(), start=1)
    }
    array, weights, y = crossbar(4, 5, **sources), torch.rand(4, 5) - 0.5, torch.randn(4)
    array.program(weights)
    noise = torch.cat([array.read_transposed(y[None]) for _ in range(20_000)]) - y @ weights
    expected = 0.2**2 + 0.3**2 * weights.square().sum(0) + 0.05**2 * (y.square() + 0.3**2).sum()
    assert_mean(noise.square(), expected)
    assert not array.noise_free


def test_a_slow_fluctuation_of_a_cell_is_the_same_from_either_side():
    class Frozen(NoiseModel):
        def sample(self, signal, memory):
            if "drawn" not in memory.past:
                memory.past["drawn"] = torch.randn(signal.shape, generator=memory.generator)
            return memory.past["drawn"].clone()

    array = crossbar(3, 4, weight_noise=NoiseSource(Frozen(), streams(1)(""), of_weights=True))
    seen = array.read(torch.eye(4)).T
    torch.testing.assert_close(array.read_transposed(torch.eye(3)), seen)
    assert seen.abs().min() > 0


def test_drift_goes_on_with_every_read_and_starts_anew_when_programmed():
    drift = Drift(nu=0.05, t_0=1.0, start=1.0, seconds_per_read=99.0)
    window = Conductance(**STILL | {"g_min": 0.0})
    array, weights = crossbar(2, 3, conductance=window, drift=drift), torch.rand(2, 3) - 0.5
    array.program(weights)
    x = torch.randn(10, 3)
    clean = x @ weights.T
    torch.testing.assert_close(array.read(x), clean)
    torch.testing.assert_close(array.read(x), clean * (1 + 990.0) ** -0.05)
    array.advance(1e6)
    torch.testing.assert_close(array.read(x), clean * (1 + 2 * 990.0 + 1e6) ** -0.05)
    array.program(weights)
    torch.testing.assert_close(array.read(x), clean)


def test_faulty_cells_answer_neither_programming_nor_pulses():
    array = crossbar(20, 30, faults=Faults(open=1.0))
    array.program(torch.rand(20, 30))
    array.update(Outer(torch.ones(1, 30), -torch.ones(1, 20), 0.1))
    assert torch.equal(array.read(torch.randn(4, 30)), torch.zeros(4, 20))


def test_line_resistance_weakens_far_cells_most():
    array = crossbar(30, 30, line_resistance=LineResistance(row=10.0, column=10.0))
    array.program(torch.ones(30, 30))
    weights = array.read(torch.eye(30)).T
    assert weights[0, -1] > weights[-1, -1] > weights[-1, 0]
    assert weights[0, -1] < 1


def test_dense_changes_can_be_programmed_whole():
    window = Conductance(**STILL | {"programming_error": (0.02,), "g_min": 5e-6})
    array = crossbar(200, 200, conductance=window, update=PulseResponse(dense="program"))
    delta = torch.full((200, 200), 0.3)
    array.update(Dense(delta))
    written = array.read(torch.eye(200)).T
    # both cells of a pair are written, each 2 % of g_max off
    std = 0.02 * 2**0.5 * 25 / 20
    assert written.mean().item() == pytest.approx(0.3, abs=6 * std / 200)
    assert written.std().item() == pytest.approx(std, rel=6 / (2 * 200**2) ** 0.5)


def test_write_noise_is_seen_but_further_pulses_start_from_what_is_behind_it():
    response = PulseResponse(
        dw_min=1e-3, dw_min_spread=0.0, cycle_spread=0.0, up_down_spread=0.0, write_noise=50.0
    )
    array = crossbar(200, 200, update=response)
    x, d = torch.ones(1, 200), -torch.ones(1, 200)
    for _ in range(3):
        array.update(Outer(x, d, 0.01))
    seen = array.read(torch.eye(200))
    assert seen.mean().item() == pytest.approx(0.03, abs=6 * 0.05 / 200)
    assert seen.std().item() == pytest.approx(0.05, rel=6 / (2 * 200**2) ** 0.5)
    array.update(Outer(x, torch.zeros(1, 200), 0.01))
    # where no pulse fell nothing is drawn again
    assert torch.equal(array.read(torch.eye(200)), seen)


EVERYTHING = {
    "input_converter": Converter(bits=7),
    "output_converter": Converter(bits=9, range=12.0),
    "conductance": Conductance(levels=100),
    "update": PulseResponse(
        gamma_up=1.0, gamma_down=1.0, write_noise=1.0, blocks=2, gamma_spread=0.1
    ),
    "drift": Drift(nu=0.05, nu_spread=0.1, seconds_per_read=1.0),
    "faults": Faults(stuck_low=0.01, stuck_high=0.01, open=0.01),
    "line_resistance": LineResistance(row=0.1, column=0.1),
}


def exercise(array: NativeCrossbar, device: torch.device) -> torch.Tensor:
    n_out, n_in = 12, 20
    x, d = torch.ones(8, n_in, device=device) * 0.3, torch.ones(8, n_out, device=device) * 0.1
    array.update(Outer(x, d, 0.1))
    array.update(Dense(torch.ones(n_out, n_in, device=device) * 0.01))
    return torch.cat([array.read(x, repeats=2).flatten(), array.read_transposed(d).flatten()])


def everything(seed: int) -> NativeCrossbar:
    noises = {
        f"{at}_noise": NoiseSource(
            GaussianNoise(std=0.01), streams(seed + k)(at), of_weights=at == "weight"
        )
        for k, at in enumerate(
            ("input", "weight", "output", "transposed_input", "transposed_output"), start=1
        )
    }
    array = crossbar(12, 20, seed, **EVERYTHING, **noises)
    array.program(torch.linspace(-0.3, 0.3, 240).view(12, 20))
    return array


def test_repeats_bitwise_under_a_seed():
    first, again, other = (exercise(everything(seed), CPU) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_goes_on_bitwise_from_a_saved_state():
    array = everything(5)
    exercise(array, CPU)
    state = array.state()
    first = exercise(array, CPU)
    other = everything(6)
    other.restore(state)
    assert torch.equal(exercise(other, CPU), first)
    # the saved state is a copy
    array.restore(state)
    assert torch.equal(exercise(array, CPU), first)


PROGRAM = """
import hashlib, itertools, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from devices.crossbars.native.crossbar import NativeCrossbar
from devices.crossbars.native.presets import PRESETS
from devices.interface import Dense, Outer
count = itertools.count()
streams = lambda purpose: torch.Generator().manual_seed(next(count))
digest = hashlib.sha256()
for batch, n_in, n_out in ((1000, 64, 128), (1000, 1024, 10), (100, 1024, 1024), (50, 10, 1024)):
    generator = torch.Generator().manual_seed(1)
    array = NativeCrossbar(n_out, n_in, PRESETS["generic"], streams, torch.device("cpu"))
    array.program(0.1 * torch.randn(n_out, n_in, generator=generator))
    x = torch.randn(batch, n_in, generator=generator)
    d = torch.randn(batch, n_out, generator=generator)
    array.update(Outer(x, d, 0.001))
    for result in (array.read(x), array.read_transposed(d), array.state()["weights"]):
        digest.update(result.contiguous().numpy().tobytes())
print(digest.hexdigest())
"""


def test_repeats_bitwise_whatever_the_number_of_threads():
    digests = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, threads], capture_output=True, text=True, check=True
        ).stdout
        for threads in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == len(hashlib.sha256().hexdigest())


def test_no_tensor_is_made_on_the_wrong_device():
    meta = torch.device("meta")
    array = NativeCrossbar(12, 20, NativeDevice(**EVERYTHING), streams(), meta)
    array.program(torch.zeros(12, 20, device=meta))
    # an operation that met a tensor of another device would raise
    assert exercise(array, meta).device == meta
    assert {
        value.device.type
        for name, value in array.state().items()
        if not name.startswith("stream.") and name not in ("seconds", "programmings")
    } == {"meta"}


def test_update_and_read_bring_nothing_to_or_from_the_device():
    meta = torch.device("meta")
    array = NativeCrossbar(12, 20, NativeDevice(**EVERYTHING), streams(), meta)
    array.program(torch.zeros(12, 20, device=meta))
    with HostCopies() as copies:
        exercise(array, meta)
    assert copies.found == []


@pytest.mark.parametrize(
    "breach",
    [
        lambda: torch.ones(3).to("meta"),
        lambda: torch.ones(3, device="meta").copy_(torch.ones(3)),
        lambda: float(torch.ones(())),
        lambda: torch.ones(3).nonzero(),
        lambda: torch.ones(3)[torch.ones(3) > 0],
        lambda: bool((torch.ones(3) > 0).any()),
    ],
)
def test_a_copy_would_be_found(breach):
    with HostCopies() as copies:
        breach()
    assert copies.found


@pytest.mark.gpu
def test_runs_on_the_gpu_without_a_copy_to_the_host():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    gpu = torch.device("cuda")
    generators = iter(range(100))
    array = NativeCrossbar(
        12,
        20,
        NativeDevice(**EVERYTHING),
        lambda purpose: torch.Generator(gpu).manual_seed(next(generators)),
        gpu,
    )
    array.program(torch.zeros(12, 20, device=gpu))
    torch.cuda.set_sync_debug_mode("error")
    try:
        assert exercise(array, gpu).device.type == "cuda"
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_programs_reads_and_learns(name):
    array = NativeCrossbar(12, 20, PRESETS[name], streams(), CPU)
    array.program(torch.zeros(12, 20))
    before = array.state()["weights"]
    x, d = torch.rand(50, 20), -torch.rand(50, 12)
    array.update(Outer(x, d, 0.01))
    changed = array.state()["weights"] - before
    # all requests point up
    assert changed.mean() > 0.02
    assert array.read(x).isfinite().all()
