"""Fits of traces that were simulated from known models: the right model, and its parameters."""

import itertools
import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from scipy import stats

from devices.noise import (
    AutoregressiveNoise,
    GaussianNoise,
    MagneticTunnelJunctionNoise,
    NoiseModel,
    PinkNoise,
    TelegraphNoise,
    UniformNoise,
)
from devices.noise.base import Memory
from substrate.fit.fit import fit_all
from substrate.fit.two_levels import log_likelihood

SAMPLES = 8000
INTERVAL = 1e-6
# Standard errors that a fitted parameter may be off; chance allows that once in a million.
ALLOWED = 5.0

MODELS: list[NoiseModel] = [
    GaussianNoise(std=0.02),
    UniformNoise(half_width=0.03),
    AutoregressiveNoise(std=0.02, correlation_time=5e-6),
    PinkNoise(std=0.01, alpha=1.2, corner=1e5, lowest=1 / (SAMPLES * INTERVAL)),
    MagneticTunnelJunctionNoise(
        std=0.01, dwell_parallel=3e-5, dwell_antiparallel=1.5e-5, read_interval=INTERVAL
    ),
    TelegraphNoise(dwell_low=2e-5, dwell_high=1e-5),
]


def simulate(model: NoiseModel, seed: int = 0) -> np.ndarray:
    memory = Memory(torch.Generator().manual_seed(seed))
    return model.sample(torch.zeros(SAMPLES, 1, dtype=torch.float64), memory)[:, 0].numpy()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_right_model_is_found_with_its_parameters(model):
    fits = fit_all(simulate(model) + 0.7, INTERVAL)
    best = fits[0]
    assert best.model.name == model.name
    for parameter, error in best.errors.items():
        found, true = getattr(best.model, parameter), getattr(model, parameter)
        if parameter in ("parallel", "antiparallel"):
            # The trace's mean was taken off, and with it some of the true mean.
            true -= model.mean()
            error += math.sqrt(model.variance(torch.zeros(1)).item() * 40 / SAMPLES)
        if parameter == "half_width":
            error *= 4  # the gaps at the ends are exponential, not Gaussian
        assert math.isfinite(error)
        assert abs(found - true) < ALLOWED * error, parameter
    assert [fit.aic for fit in fits] == sorted(fit.aic for fit in fits)


def test_likelihoods_of_nested_models_agree():
    trace = simulate(GaussianNoise(std=0.02))
    by_name = {fit.model.name: fit.log_likelihood for fit in fit_all(trace, INTERVAL)}
    exact = stats.norm(0, trace.std()).logpdf(trace - trace.mean()).sum()
    assert by_name["gaussian"] == pytest.approx(exact, abs=0.01)
    # White noise is AR(1) without memory, and 1/f^α noise below its floor (Whittle: nearly).
    assert exact - 0.01 <= by_name["autoregressive"] < exact + 15
    assert exact - 1 < by_name["pink"] < exact + 15


def test_the_likelihood_of_two_levels_is_the_sum_over_all_paths():
    x = np.array([0.1, -0.2, 1.1, 0.9, 0.4])
    levels, std, keep, high = (0.0, 1.0), 0.5, 0.6, 0.3
    prior = np.array([1 - high, high])
    transitions = keep * np.eye(2) + (1 - keep) * prior
    total = 0.0
    for path in np.ndindex(*[2] * len(x)):
        chance = prior[path[0]]
        for before, after in itertools.pairwise(path):
            chance *= transitions[before, after]
        density = stats.norm(np.array(levels)[list(path)], std).pdf(x)
        total += chance * density.prod()
    assert log_likelihood(x, levels, std, keep, high) == pytest.approx(math.log(total), rel=1e-12)


@pytest.mark.parametrize(
    ("trace", "message"),
    [(np.zeros(500), "never changes"), (np.arange(20.0), "needs 100 samples")],
)
def test_traces_without_noise_are_refused(trace, message):
    with pytest.raises(ValueError, match=message):
        fit_all(trace, INTERVAL)


def test_the_command_prints_a_fragment_that_a_scenario_takes(tmp_path):
    model = MODELS[2]
    table = np.stack([np.arange(SAMPLES) * INTERVAL, simulate(model) * 1e3], axis=1)
    np.savetxt(tmp_path / "lab.csv", table, delimiter=",", header="time,mV", comments="")
    command = [
        *(sys.executable, "-m", "substrate", "fit", "lab.csv", "--sampling-rate", "1e6"),
        *("--column", "mV", "--scale", "1e-3", "--json"),
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    result = json.loads(run.stdout)
    assert result["fits"][0]["model"] == "autoregressive"
    assert (tmp_path / "lab-fit.png").read_bytes().startswith(b"\x89PNG")
    from substrate.scenario.schema import AihwkitChip

    fragment = yaml.safe_load(yaml.safe_dump(result["scenario"]))
    chip = AihwkitChip.model_validate({"crossbar": "aihwkit"} | fragment)
    assert isinstance(chip.noise[0], AutoregressiveNoise)
    assert chip.noise[0].std == pytest.approx(0.02, rel=0.1)
