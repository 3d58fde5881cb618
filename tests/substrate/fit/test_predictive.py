"""The forecast's density against exact ones: scipy's Gaussian, and the sum over all paths."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, linalg, stats

from devices.noise import PinkNoise
from substrate.fit.predictive import (
    STILL,
    Background,
    log_densities,
    together,
    two_levels,
)

NONE = np.empty(0)
X = np.array([0.1, -0.2, 1.1, 0.9, 0.4])


def test_without_levels_it_is_the_gaussian_density_of_the_stated_autocovariance():
    model = PinkNoise(std=0.4, alpha=1.2, corner=0.2, lowest=0.002, read_interval=1.0)
    x = np.random.default_rng(0).normal(size=300)
    rates, variances = model.processes()
    background = Background(model.std, np.array(rates), np.array(variances))
    covariance = linalg.toeplitz(model.autocovariance(torch.arange(300), 0.0).numpy())
    exact = stats.multivariate_normal(np.zeros(300), covariance).logpdf(x)
    assert log_densities(x, background, STILL).sum() == pytest.approx(exact, rel=1e-7)


def test_without_processes_it_is_the_sum_over_all_paths():
    chain = together([two_levels(1.0, 3.0, 5.0), two_levels(0.3, 2.0, 9.0)])
    total = 0.0
    for path in np.ndindex(*[4] * len(X)):
        chance = chain.stationary[path[0]]
        for before, after in itertools.pairwise(path):
            chance *= chain.transitions[before, after]
        total += chance * stats.norm(chain.levels[list(path)], 0.5).pdf(X).prod()
    found = log_densities(X, Background(0.5, NONE, NONE), chain).sum()
    assert found == pytest.approx(math.log(total), rel=1e-12)


def test_with_both_every_forecast_is_a_density():
    background = Background(0.3, np.array([0.1, 0.9]), np.array([0.5, 0.2]))
    chain = two_levels(1.5, 4.0, 2.0)

    def density(last):
        return math.exp(log_densities(np.append(X, last), background, chain)[-1])

    assert integrate.quad(density, -8, 8, epsabs=1e-8)[0] == pytest.approx(1, abs=1e-6)


def test_rare_hops_over_processes_are_nearly_the_sum_over_all_paths():
    background = Background(0.1, np.array([0.05]), np.array([0.04]))
    chain = two_levels(2.0, 6.0, 4.0)
    x = np.array([-0.7, -0.85, 1.3, 1.1, 1.25, -0.8, -0.9, 1.2])
    lags = np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    covariance = 0.01 * np.eye(8) + 0.04 * np.exp(-0.05 * lags)
    gaussian = stats.multivariate_normal(np.zeros(8), covariance)
    total = 0.0
    for path in np.ndindex(*[2] * 8):
        chance = chain.stationary[path[0]]
        for before, after in itertools.pairwise(path):
            chance *= chain.transitions[before, after]
        total += chance * gaussian.pdf(x - chain.levels[list(path)])
    assert log_densities(x, background, chain).sum() == pytest.approx(math.log(total), abs=0.01)
