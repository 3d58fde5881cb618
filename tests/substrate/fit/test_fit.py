"""Fits of traces that were simulated from known sums: the right sum, and its parameters."""

import json
import math

import numpy as np
import pytest
import torch
import yaml
from scipy import stats

from devices.noise import (
    AutoregressiveNoise,
    DriftNoise,
    GaussianNoise,
    NoiseModel,
    PinkNoise,
    TelegraphNoise,
    UniformNoise,
)
from devices.noise.base import Memory
from substrate.fit.adequacy import judge
from substrate.fit.fit import Fit, _two_values, fit_all
from substrate.fit.sums import fleeting

SAMPLES = 8000
INTERVAL = 1e-6
# Standard errors that a fitted parameter may be off; chance allows that once in a million.
ALLOWED = 5.0

WHITE = GaussianNoise(std=0.02)
PINK = PinkNoise(std=0.01, alpha=1.2, corner=1e5, lowest=1 / (SAMPLES * INTERVAL))
HOPS = TelegraphNoise(low=-0.03, high=0.03, dwell_low=3e-5, dwell_high=1.5e-5)
SUMS: dict[str, tuple[NoiseModel, ...]] = {
    "white": (WHITE,),
    "uniform": (UniformNoise(half_width=0.03),),
    "autoregressive": (AutoregressiveNoise(std=0.02, correlation_time=5e-6),),
    "1/f + white": (PINK,),
    "telegraph": (TelegraphNoise(dwell_low=2e-5, dwell_high=1e-5),),
    "telegraph + white": (HOPS, GaussianNoise(std=0.01)),
    "telegraph + 1/f + white": (HOPS, PINK),
    "white + drift": (WHITE, DriftNoise(per_second=10.0, period=SAMPLES * INTERVAL)),
}


def simulate(*models: NoiseModel, seed: int = 0, samples: int = SAMPLES) -> np.ndarray:
    generator = torch.Generator().manual_seed(seed)
    still, total = torch.zeros(samples, 1, dtype=torch.float64), np.zeros(samples)
    for model in models:
        if isinstance(model, DriftNoise):
            total += model.per_second * np.arange(samples) * model.read_interval
        else:
            total += model.sample(still, Memory(generator))[:, 0].numpy()
    return total


def true_parameters(models: tuple[NoiseModel, ...]) -> dict[str, float]:
    named: dict[str, float] = {}
    for model in models:
        values = model.model_dump()
        if isinstance(model, TelegraphNoise):
            values["low"] -= model.mean()
            values["high"] -= model.mean()
            values["step"] = model.high - model.low
        named |= values
    return named


@pytest.mark.parametrize("name", SUMS)
def test_the_right_sum_is_found_with_its_parameters(name):
    models = SUMS[name]
    fits = fit_all(simulate(*models) + 0.7, INTERVAL)
    best = fits[0]
    assert best.name == name
    true = true_parameters(models)
    for parameter, error in best.errors.items():
        assert math.isfinite(error)
        if parameter == "half_width":
            error *= 4  # the gaps at the ends are exponential, not Gaussian
        if error:  # levels of two values and nothing between are known
            off = best.parameters[parameter] - true[parameter]
            assert abs(off) < ALLOWED * error, parameter
    assert best.adequacy is not None
    assert best.adequacy.verdict != "poor"
    determined = [fit for fit in fits if fit.determined]
    assert fits[: len(determined)] == sorted(determined, key=lambda fit: fit.bic)


def test_hops_as_fast_as_the_samples_are_no_uniform_noise():
    hops = TelegraphNoise(low=-0.05, high=0.05, dwell_low=1e-6, dwell_high=1e-6)
    best = fit_all(simulate(hops, GaussianNoise(std=0.01), samples=3000), INTERVAL)[0]
    assert best.name == "telegraph + white"
    for parameter in ("dwell_low", "dwell_high"):
        assert abs(best.parameters[parameter] - 1e-6) < ALLOWED * best.errors[parameter]
    assert best.adequacy is not None
    assert best.adequacy.verdict == "good"


def test_levels_under_slow_noise_and_drift_are_found():
    """A memristor's trace: two levels for 5 and 2 ms, 1/f, white noise and drift, at 25 kHz."""
    interval, samples = 1 / 25e3, 40_000
    hops = TelegraphNoise(
        low=0.0, high=0.4, dwell_low=5e-3, dwell_high=2e-3, read_interval=interval
    )
    slow = PinkNoise(std=0.15, corner=300.0, lowest=0.5, read_interval=interval)
    drift = DriftNoise(per_second=0.3, period=1.6, read_interval=interval)
    best = fit_all(simulate(hops, slow, drift, samples=samples), interval)[0]
    true = true_parameters((hops,))
    for parameter in ("low", "high", "step", "dwell_low", "dwell_high"):
        off = best.parameters[parameter] - true[parameter]
        assert abs(off) < ALLOWED * best.errors[parameter], parameter
        # and the errors say something
        assert best.errors[parameter] < 0.15 * abs(true[parameter])
    assert best.adequacy is not None
    assert best.adequacy.verdict != "poor"


def test_several_fluctuators_are_told_apart():
    fast = TelegraphNoise(low=0.0, high=0.1, dwell_low=1e-5, dwell_high=2e-5)
    slow = TelegraphNoise(low=0.0, high=0.05, dwell_low=2e-4, dwell_high=1e-4)
    best = fit_all(simulate(fast, slow, GaussianNoise(std=0.01)), INTERVAL)[0]
    assert best.name == "2 telegraphs + white"
    for model, end in ((fast, ""), (slow, "_2")):
        for parameter in ("dwell_low", "dwell_high"):
            off = best.parameters[parameter + end] - getattr(model, parameter)
            assert abs(off) < ALLOWED * best.errors[parameter + end]


def test_what_no_sum_of_noises_is_like_is_called_poor():
    t = np.arange(SAMPLES) * INTERVAL
    hum = 0.1 * np.sin(2 * np.pi * 3e3 * t)
    best = fit_all(hum + simulate(WHITE), INTERVAL)[0]
    assert best.adequacy is not None
    assert best.adequacy.verdict == "poor"
    assert "autocorrelation off" in best.adequacy.why


def test_a_right_model_is_called_good():
    x = simulate(HOPS, PINK, seed=1)
    assert judge(x - x.mean(), [HOPS, PINK], INTERVAL).verdict == "good"


def test_what_the_trace_leaves_open_is_not_recommended():
    fits = fit_all(simulate(WHITE), INTERVAL)
    assert fits[0].determined
    open_ = [fit for fit in fits if not fit.determined]
    assert open_  # white noise does not say how fast anything else forgets
    assert fits[-len(open_) :] == open_


def test_stays_of_single_samples_are_no_level():
    dwells = {"dwell_low": 2e-5, "dwell_high": 0.5e-6, "dwell_low_2": 0.5e-6, "dwell_high_2": 2e-6}
    errors = {"dwell_low": 3e-5, "dwell_high": 0.7e-6, "dwell_low_2": 0.1e-6, "dwell_high_2": 3e-6}
    assert fleeting(dwells, errors, INTERVAL) == ["dwell_high"]


def test_a_sum_with_such_stays_is_not_determined(monkeypatch):
    monkeypatch.setattr("substrate.fit.fit.fleeting", lambda *_: ["dwell_high"])
    trace = simulate(HOPS, GaussianNoise(std=0.01), samples=500)
    fits = [fit for fit in fit_all(trace, INTERVAL) if "telegraph" in fit.name]
    assert fits
    assert not any(fit.determined for fit in fits)


def test_likelihoods_of_nested_sums_agree():
    trace = simulate(WHITE)
    by_name: dict[str, Fit] = {fit.name: fit for fit in fit_all(trace, INTERVAL)}
    exact = stats.norm(0, trace.std()).logpdf(trace - trace.mean()).sum()
    assert by_name["white"].log_likelihood == pytest.approx(exact, abs=0.01)
    assert exact - 0.01 <= by_name["autoregressive"].log_likelihood < exact + 15


@pytest.mark.parametrize(
    ("trace", "message"),
    [(np.zeros(500), "never changes"), (np.arange(20.0), "needs 100 samples")],
)
def test_traces_without_noise_are_refused(trace, message):
    with pytest.raises(ValueError, match=message):
        fit_all(trace, INTERVAL)


def test_the_command_prints_a_stack_that_a_scenario_takes(tmp_path, substrate_here):
    table = np.stack([np.arange(SAMPLES) * INTERVAL, simulate(HOPS, PINK) * 1e3], axis=1)
    np.savetxt(tmp_path / "lab.csv", table, delimiter=",", header="time (s),U (mV)", comments="")
    run = substrate_here("fit", "lab.csv", "--scale", "1e-3", "--json")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["best"] == "telegraph + 1/f + white"
    assert result["sampling_rate"] == pytest.approx(1e6)
    best = result["candidates"][0]
    assert best["recommended"]
    assert best["verdict"] in ("good", "usable")
    assert best["parameters"]["dwell_low"] == pytest.approx(3e-5, rel=0.3)
    assert set(best["errors"]) == set(best["parameters"])
    assert all(each["verdict"] for each in result["candidates"])
    assert (tmp_path / "lab-fit.png").read_bytes().startswith(b"\x89PNG")
    from substrate.scenario.schema import AihwkitChip

    fragment = yaml.safe_load(yaml.safe_dump(result["scenario"]))
    chip = AihwkitChip.model_validate({"crossbar": "aihwkit"} | fragment)
    assert [each.model for each in chip.noise] == ["telegraph", "pink"]


def test_without_a_sampling_rate_it_says_what_to_type(tmp_path, substrate_here):
    np.save(tmp_path / "lab.npy", simulate(WHITE))
    run = substrate_here("fit", "lab.npy")
    assert run.returncode == 2
    assert "--sampling-rate HZ" in run.stderr


@pytest.mark.parametrize("dwell", [1.0, 2.0, 5.0])
def test_dwell_times_near_a_sample_scatter_as_their_errors_say(dwell):
    """Of 200 simulations; the spread of z is within five of its standard errors of 1."""
    rng, z = np.random.default_rng(3), []
    hop = (1 - math.exp(-2 / dwell)) / 2  # of a symmetric telegraph signal, in a sample
    for _ in range(200):
        up = np.logical_xor.accumulate(rng.random(2000) < hop)
        fit = _two_values(up.astype(float), 1.0)
        z += [(fit.parameters[name] - dwell) / fit.errors[name] for name in ("dwell_low",)]
    assert abs(np.std(z) - 1) < 5 / 400**0.5


def test_a_trace_that_hops_once_is_too_short():
    with pytest.raises(ValueError, match="once alone; record a longer one"):
        _two_values(np.repeat([0.0, 1.0], 50), 1.0)
