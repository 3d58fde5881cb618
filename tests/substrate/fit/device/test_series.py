"""Drift, read noise and bends of known figures."""

import numpy as np
import pytest

from substrate.fit.device.data import Measured, Series
from substrate.fit.device.fit import fit_device
from substrate.fit.device.series import bend_of_sweeps, fit_drift, fit_reads, gap_of_sweeps

RNG = np.random.default_rng(1)


def test_drift_comes_back():
    t = np.geomspace(5, 1e5, 20)
    exponents = RNG.normal(0.06, 0.012, 40)
    series = [Series(str(i), t, 1e-5 * t**-nu) for i, nu in enumerate(exponents)]
    fit = fit_drift(series)
    assert fit.nu[0] == pytest.approx(exponents.mean())
    assert abs(fit.nu[0] - 0.06) < 5 * fit.nu[1]
    assert abs(fit.nu_spread[0] - 0.2) < 5 * fit.nu_spread[1]
    assert fit.t_0 == pytest.approx(5)
    assert fit.verdict == "good"


@pytest.mark.parametrize(("spread", "noise"), [(0.0, 0.02), (0.0, 0.05), (0.3, 0.05)])
def test_spreads_of_drift_are_those_of_cells_and_not_of_lines(spread, noise):
    rng, t, found = np.random.default_rng(5), np.geomspace(10, 1e4, 8), []
    for _ in range(200):
        exponents = 0.02 * (1 + spread * rng.standard_normal(12))
        scatter = np.exp(noise * rng.standard_normal((12, 8)))
        series = [
            Series(str(i), t, 2e-5 * (t / 10) ** -nu * each)
            for i, (nu, each) in enumerate(zip(exponents, scatter, strict=True))
        ]
        found.append(fit_drift(series).nu_spread)
    values, errors = np.array(found).T
    held = (np.abs(values - spread) < 1.96 * errors).mean()
    # of 200 intervals of 95 %; fewer or more than this come up once in a thousand times
    assert held > 0.9
    if spread:
        assert np.mean(values**2) ** 0.5 == pytest.approx(spread, rel=0.1)


def test_a_retention_that_breaks_down_is_no_such_drift():
    t = np.geomspace(1, 1e5, 20)
    assert fit_drift([Series("a", t, np.where(t < 1e3, 1e-5, 2e-6))]).verdict == "poor"


def test_an_exponential_is_no_such_drift_however_close_the_line():
    t = np.geomspace(1, 1e5, 12)
    decay = np.exp(-t / 6e5)
    series = [
        Series(str(i), t, 1e-5 * decay * (1 + 0.002 * RNG.normal(size=12))) for i in range(10)
    ]
    fit = fit_drift(series)
    assert fit.residual < 0.05
    assert fit.verdict == "poor"


def test_drift_under_read_noise_is_good_but_for_chance():
    rng, verdicts = np.random.default_rng(3), []
    t = np.geomspace(1, 1e5, 12)
    for _ in range(100):
        noise = 1 + 0.08 * rng.normal(size=(10, 12))
        series = [Series(str(i), t, 1e-5 * t**-0.05 * each) for i, each in enumerate(noise)]
        verdicts.append(fit_drift(series).verdict)
    # more than five alarms of 1 % each come up once in two thousand times
    assert verdicts.count("good") >= 95


def test_three_times_do_not_tell_a_bend_from_noise():
    t = np.array([1.0, 1e2, 1e4])
    series = [Series(str(i), t, 1e-5 * np.array([1.0, 0.7, 0.68])) for i in range(5)]
    assert fit_drift(series).verdict == "usable"


def test_read_noise_against_conductance_comes_back():
    reads = [
        Series("a", np.arange(200.0), g + 1e-7 * (g / 1e-5) ** 0.7 * RNG.normal(size=200))
        for g in np.geomspace(1e-6, 5e-5, 8)
    ]
    fit = fit_reads(reads)
    assert abs(fit.exponent[0] - 0.7) < 5 * fit.exponent[1]
    assert fit.sigma_at(1e-5) == pytest.approx(1e-7, rel=0.1)
    assert fit.verdict == "good"


def test_read_noise_that_is_no_power_is_said():
    reads = [
        Series("a", np.arange(200.0), g + sigma * RNG.normal(size=200))
        for g, sigma in zip(np.geomspace(1e-6, 5e-5, 5), (1, 6, 1, 6, 1), strict=True)
    ]
    assert fit_reads(reads).verdict == "poor"


def test_the_bend_of_a_sweep():
    v = np.linspace(-0.5, 0.5, 41)
    bend, volts = bend_of_sweeps([Series("a", v, 1e-5 * v * (1 + 0.4 * v**2))])
    assert bend == pytest.approx(0.1)
    assert volts == pytest.approx(0.5)


def loop(largest, points):
    return largest * np.interp(np.linspace(0, 4, 4 * points + 1), range(5), (0, 1, 0, -1, 0))


def test_a_cell_that_switches_in_a_sweep_is_poor():
    v = loop(1.5, 75)
    on = np.zeros(len(v), dtype=bool)
    on[np.argmax(v > 1) : np.argmax(v < -1)] = True
    fit = fit_device(Measured(sweeps=[Series("a", v, np.where(on, 6e-5, 1e-5) * v)]))
    assert fit.verdicts["sweep"] == "poor"
    assert any("hysteresis" in note for note in fit.notes)


@pytest.mark.parametrize("bent", [0.0, 5.0])
def test_noise_and_bends_are_no_hysteresis_but_for_chance(bent):
    rng, v = np.random.default_rng(4), loop(0.2, 20)
    i = 1e-5 * (v + 3e-2 + bent * v**3)
    noise = 2e-7 * rng.normal(size=(200, len(v)))
    alarms = sum(gap_of_sweeps([Series("a", v, i + each)]) > 0 for each in noise)
    # more than eight alarms of 1 % each come up once in five thousand times
    assert alarms <= 8


def test_too_little_is_refused():
    with pytest.raises(ValueError, match="3 times"):
        fit_drift([Series("a", np.array([1.0, 2.0]), np.array([1.0, 1.0]))])
    with pytest.raises(ValueError, match="3 reads"):
        fit_reads([Series("a", np.array([1.0]), np.array([1.0]))])


@pytest.mark.parametrize("each", [3, 5, 20])
def test_few_reads_of_many_cells_say_no_less_than_many_of_few(each):
    rng, off, poor = np.random.default_rng(7), [], 0
    for _ in range(40):
        reads = [
            Series(str(cell), np.arange(float(each)), 1e-5 + 1e-7 * rng.normal(size=each))
            for cell in range(60)
        ]
        fit = fit_reads(reads)
        off.append((fit.sigma[0] - 1e-7) / fit.sigma[1])
        poor += fit.verdict == "poor"
    # of 40 draws; five standard errors of the mean, and of the spread
    assert abs(np.mean(off)) < 5 / 40**0.5
    assert abs(np.std(off) - 1) < 5 / 80**0.5
    assert poor <= 2
