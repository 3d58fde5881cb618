"""Noise models against independent truth: scipy, closed forms worked by hand, data sheets."""

import math

import numpy as np
import pytest
import torch
from scipy import signal as scipy_signal
from scipy import stats

from devices.noise import (
    MODELS,
    AutoregressiveNoise,
    CommonModeNoise,
    GaussianNoise,
    MagneticTunnelJunctionNoise,
    PinkNoise,
    ShotNoise,
    TelegraphNoise,
    ThermalNoise,
    UniformNoise,
)
from devices.noise.base import Memory, NoiseModel, NoiseSource, StackedSources
from devices.noise.recursions import first_order_recursion
from tests.host_copies import HostCopies

# Chance that a right program fails a test of this file.
FALSE_ALARM = 1e-6


def memory(seed: int = 0) -> Memory:
    return Memory(torch.Generator().manual_seed(seed))


def draw(model: NoiseModel, reads: int, lines: int, seed: int = 0) -> np.ndarray:
    return model.sample(torch.zeros(reads, lines), memory(seed)).double().numpy()


@pytest.mark.parametrize("reads", [1, 63, 64, 65, 1000, 5000])
def test_the_blocked_recursion_is_scipys_filter(reads):
    drive = torch.randn(reads, 3, dtype=torch.float64)
    start = torch.randn(3, dtype=torch.float64)
    phi = 0.96875
    wanted, _ = scipy_signal.lfilter([1], [1, -phi], drive, axis=0, zi=phi * start[None].numpy())
    solved = first_order_recursion(drive[None], torch.tensor([phi]).double(), start[None])[0]
    np.testing.assert_allclose(solved, wanted, rtol=1e-6, atol=1e-10)


def test_gaussian_noise_is_gaussian_and_uniform_noise_uniform():
    gaussian = draw(GaussianNoise(std=0.3), 1000, 20).ravel()
    uniform = draw(UniformNoise(half_width=0.3), 1000, 20).ravel()
    assert stats.kstest(gaussian, stats.norm(0, 0.3).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(uniform, stats.uniform(-0.3, 0.6).cdf).pvalue > FALSE_ALARM
    assert stats.kstest(uniform, stats.norm(0, 0.3 / 3**0.5).cdf).pvalue < FALSE_ALARM


def test_dwell_times_are_exponential_with_the_means_given():
    model = TelegraphNoise(low=0, high=1, dwell_low=2e-4, dwell_high=5e-5, read_interval=1e-6)
    states = draw(model, 400_000, 1)[:, 0]
    edges = np.flatnonzero(np.diff(states)) + 1
    dwells, levels = np.diff(edges), states[edges[:-1]]
    for level, mean in ((0, 200), (1, 50)):
        times = dwells[levels == level]
        # A read sees a geometric dwell; visits shorter than a read go unseen on both sides.
        error = times.std() / len(times) ** 0.5
        assert len(times) > 500
        assert abs(times.mean() - mean) < 5 * error + 0.02 * mean
        assert abs(times.std() / times.mean() - 1) < 0.2


def test_a_slow_telegraph_still_hops():
    model = TelegraphNoise(low=0, high=1, dwell_low=1.0, dwell_high=1.0, read_interval=1e-6)
    hops = np.abs(np.diff(draw(model, 20_000, 100), axis=0)).sum()
    # Two million reads at one hop a million: Poisson with mean 2, and single precision has none.
    assert 0 < hops + np.abs(np.diff(draw(model, 20_000, 400, seed=1), axis=0)).sum() < 40


def test_the_next_call_goes_on_where_the_last_one_ended():
    model = AutoregressiveNoise(std=1.0, correlation_time=1.0, read_interval=1e-6)
    held, signal = memory(), torch.zeros(10, 50)
    first, second = model.sample(signal, held), model.sample(signal, held)
    assert (first[-1] - second[0]).abs().max() < 0.02
    assert first[0].std() > 0.5


@pytest.mark.parametrize("alpha", [0.8, 1.0, 1.5])
def test_pink_noise_falls_as_its_exponent_says_and_meets_the_floor_at_its_corner(alpha):
    model = PinkNoise(std=1.0, alpha=alpha, corner=1e4, lowest=10, read_interval=1e-6)
    lags = torch.arange(2**18)
    covariance = model.autocovariance(lags, 0.0).numpy()
    # The spectrum by a cosine transform of the stated autocovariance, one-sided, per hertz.
    window = scipy_signal.windows.hann(2 * len(lags))[len(lags) :]
    even = np.concatenate([covariance * window, [0], (covariance * window)[:0:-1]])
    density = 2e-6 * np.fft.rfft(even).real
    frequency = np.fft.rfftfreq(len(even), 1e-6)
    band = (frequency > 100) & (frequency < 3000)
    white = 2 * 1.0**2 * 1e-6
    wanted = white * (1 + (1e4 / frequency[band]) ** alpha)
    assert np.abs(density[band] / wanted - 1).max() < 0.05


@pytest.mark.parametrize(
    ("alpha", "nearest", "found"),
    [
        (0.5, 0.06, {0.1: 0.94}),
        (0.3, 0.26, {0.1: 0.75}),
        (0.1, 0.67, {0.1: 0.33}),
        (0.7, 0.051, {}),
        (1.0, 0.051, {0.2: 1.10, 0.4: 1.21, 0.9: 1.71}),
        (1.9, 0.051, {}),
    ],
)
def test_pink_noise_departs_from_its_formula_towards_the_rate_of_reads_as_stated(
    alpha, nearest, found
):
    """Spectra of sampled Ornstein-Uhlenbeck processes, added up; the floor is left out."""
    model = PinkNoise(std=1.0, alpha=alpha, corner=1e4, lowest=10, read_interval=1e-6)

    def relative(frequency):
        turn = np.exp(-2j * np.pi * frequency * 1e-6)
        density = sum(
            2e-6 * variance * (1 - np.exp(-2 * rate)) / np.abs(1 - np.exp(-rate) * turn) ** 2
            for rate, variance in zip(*model.processes(), strict=True)
        )
        return density / (2e-6 * (1e4 / frequency) ** alpha)

    assert np.abs(relative(np.geomspace(100, 5e4, 300)) - 1).max() < nearest
    for part, ratio in found.items():
        assert relative(part * 5e5) == pytest.approx(ratio, abs=0.01)


def test_thermal_noise_is_that_of_the_textbook():
    # 1 kΩ, 300 K, 1 Hz: 4.07 nV/√Hz and 4.07 pA/√Hz
    voltage = ThermalNoise(
        temperature=300, resistance=1e3, bandwidth=1, measured="voltage", unit=1e-9
    )
    assert voltage.std == pytest.approx(4.07, rel=1e-3)
    assert voltage.model_copy(update={"measured": "current", "unit": 1e-12}).std == pytest.approx(
        4.07, rel=1e-3
    )


def test_shot_noise_is_that_of_the_textbook():
    # 1 mA in 1 Hz: 17.9 pA
    model = ShotNoise(bandwidth=1, unit=1e-3)
    std_in_amperes = math.sqrt(model.variance(torch.tensor([1.0], dtype=torch.float64)).item())
    assert std_in_amperes * 1e-3 == pytest.approx(17.9e-12, rel=1e-3)
    doubled = model.variance(torch.tensor([-2.0, 0.0]))
    assert doubled.tolist() == pytest.approx([2 * (std_in_amperes**2), 0.0])


def test_a_tunnel_junction_has_two_humps():
    model = MagneticTunnelJunctionNoise(parallel=-1, antiparallel=1, std=0.1)
    noise = draw(model, 4000, 50).ravel()
    mixture = lambda x: (stats.norm.cdf(x, -1, 0.1) + stats.norm.cdf(x, 1, 0.1)) / 2  # noqa: E731
    assert stats.kstest(noise[::400], mixture).pvalue > FALSE_ALARM
    assert (np.abs(noise) < 0.5).mean() < 1e-3


def test_common_mode_noise_is_shared_as_it_says():
    lines = CommonModeNoise(std=1.0, tile=3).sample(torch.zeros(5, 7), memory())
    assert torch.equal(lines[:, 0], lines[:, 2])
    assert not torch.equal(lines[:, 2], lines[:, 3])
    weights = torch.zeros(1, 4, 6)
    row = CommonModeNoise(std=1.0, shared="row").sample(weights, memory())[0]
    assert torch.equal(row, row[:1].expand(4, 6))
    assert row[0].unique().numel() == 6
    column = CommonModeNoise(std=1.0, shared="column").sample(weights, memory())[0]
    assert torch.equal(column, column[:, :1].expand(4, 6))
    of_tile = CommonModeNoise(std=1.0, shared="row", tile=2).sample(torch.zeros(1, 4, 5), memory())
    assert torch.equal(of_tile[0, ::2], of_tile[0, 1::2])  # a row within a tile of 2 outputs
    assert of_tile.unique().numel() == 2 * 5
    tiles = CommonModeNoise(std=1.0, tile=2).sample(weights, memory())[0]
    assert tiles.unique().numel() == 6
    with pytest.raises(ValueError, match="can act at `weight` only"):
        CommonModeNoise(shared="row").sample(torch.zeros(2, 3), memory())


def test_positions_are_reads_that_follow_one_another():
    model = AutoregressiveNoise(std=1.0, correlation_time=1.0, read_interval=1e-3)
    noisy = NoiseSource(model, torch.Generator().manual_seed(0))(torch.zeros(3, 4, 5))
    in_time = NoiseSource(model, torch.Generator().manual_seed(0))(torch.zeros(12, 5))
    assert torch.equal(noisy, in_time.view(3, 4, 5))


def test_weights_are_one_read():
    source = NoiseSource(
        AutoregressiveNoise(std=1.0, correlation_time=1e3),
        torch.Generator().manual_seed(0),
        of_weights=True,
    )
    first, second = source(torch.zeros(200, 300)), source(torch.zeros(200, 300))
    assert (first - second).abs().max() < 0.01
    assert first.std() == pytest.approx(1.0, abs=0.05)


def test_variances_add_up_in_a_stack_and_its_state_is_its_sources():
    def stack(seed: int) -> StackedSources:
        models = (GaussianNoise(std=0.3), AutoregressiveNoise(std=0.4))
        return StackedSources(
            [
                NoiseSource(model, torch.Generator().manual_seed(seed + number))
                for number, model in enumerate(models)
            ]
        )

    one, signal = stack(0), torch.zeros(300, 400)
    assert one(signal).var() == pytest.approx(0.25, rel=0.05)
    state = one.state()
    assert sorted(state) == ["0.generator", "1.generator", "1.last"]
    other = stack(7)
    other.restore(state)
    assert torch.equal(other(signal), one(signal))


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"trace"}))
def test_reads_after_the_first_bring_nothing_to_or_from_the_device(name):
    source = NoiseSource(MODELS[name](), torch.Generator().manual_seed(0))
    signal = torch.ones(150, 3, device="meta")
    source(signal)
    with HostCopies() as copies:
        noisy = source(signal)
    assert noisy.device == signal.device
    assert copies.found == []
