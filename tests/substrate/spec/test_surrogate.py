"""The surrogate against scikit-learn's own regression, and how its draws cover a response."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

from substrate.spec import surrogate
from substrate.spec.surrogate import Surrogate


def test_at_one_pair_of_hyperparameters_it_is_that_of_scikit_learn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(surrogate, "_LENGTHS", (0.3,))
    monkeypatch.setattr(surrogate, "_NOISES", (0.1,))
    generator = np.random.default_rng(0)
    points = generator.random((12, 2))
    values = np.sin(3 * points[:, 0]) + points[:, 1]
    (model,) = Surrogate(points, values)._models
    centred = values - np.median(values)
    other = GaussianProcessRegressor(model.kernel, alpha=0.01, optimizer=None).fit(points, centred)
    where = generator.random((5, 2))
    mean, covariance = other.predict(where, return_cov=True)
    drawn = Surrogate(points, values).draws(where, 20_000, generator) - np.median(values)
    # Student's process: the scale is that of the data, with v + n degrees of freedom
    amplitude = model.squares / (2 + len(values) - 2)
    error = np.sqrt(np.diag(covariance) * amplitude / 20_000)
    assert np.all(np.abs(drawn.mean(0) - mean) < 5 * error)
    assert np.var(drawn, axis=0) == pytest.approx(np.diag(covariance) * amplitude, rel=0.08)


def test_a_response_without_noise_is_found_again() -> None:
    points = np.linspace(0, 1, 9)[:, None]
    where = np.array([[0.31], [0.77]])
    drawn = Surrogate(points, np.exp(points[:, 0])).draws(where, 400, np.random.default_rng(0))
    assert np.median(drawn, 0) == pytest.approx(np.exp(where[:, 0]), abs=0.02)
