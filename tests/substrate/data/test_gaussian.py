"""Synthetic Gaussian data: its covariance, and its teacher."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from substrate.data.error import DataError
from tests.substrate.data.conftest import Load

SAMPLES = 40_000
# Σ̂_ij of n samples has a standard deviation of at most √(2/n) at unit variance; 6 of them on any
# of 25 entries is a false alarm in fewer than 1e-7 of all runs
TOLERANCE = 6 * (2 / SAMPLES) ** 0.5


def sample_covariance(x: torch.Tensor) -> np.ndarray:
    return (x.double().T @ x.double() / len(x)).numpy()


@pytest.mark.parametrize("rho", [0.0, 0.8, -0.5])
def test_neighbouring_inputs_are_correlated_as_asked(load: Load, rho: float) -> None:
    data = load(name="gaussian", inputs=5, train=SAMPLES, covariance=rho)
    i = np.arange(5)
    expected = np.where(i[:, None] == i, 1.0, rho ** np.abs(i[:, None] - i))
    np.testing.assert_allclose(sample_covariance(data.x_train), expected, atol=TOLERANCE)


def test_a_covariance_from_a_file_may_be_singular(tmp_path: Path, load: Load) -> None:
    expected = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.25]])
    np.save(tmp_path / "sigma.npy", expected)
    path = str(tmp_path / "sigma.npy")
    data = load(name="gaussian", inputs=3, train=SAMPLES, covariance=path)
    np.testing.assert_allclose(sample_covariance(data.x_train), expected, atol=TOLERANCE)
    torch.testing.assert_close(data.x_train[:, 0], data.x_train[:, 1], rtol=0, atol=1e-4)


def test_the_teacher_is_linear_and_the_same_for_both_parts(load: Load) -> None:
    data = load(name="gaussian", inputs=6, outputs=3, targets="values")
    assert data.regression
    teacher = torch.linalg.lstsq(data.x_train, data.y_train).solution
    torch.testing.assert_close(data.x_test @ teacher, data.y_test, rtol=1e-3, atol=1e-3)


def test_classes_are_the_teachers_largest_output(load: Load) -> None:
    same = {"name": "gaussian", "inputs": 6, "outputs": 3}
    values, classes = load(**same, targets="values"), load(**same)
    assert classes.y_train.equal(values.y_train.argmax(1))


def test_the_seed_is_the_datas_own(load: Load) -> None:
    assert load(name="gaussian").x_train.equal(load(name="gaussian").x_train)
    assert not load(name="gaussian").x_train.equal(load(name="gaussian", seed=1).x_train)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.eye(3), r"has the shape \(3, 3\); Σ is symmetric, 2×2"),
        (np.array([[1.0, 0.5], [0.0, 1.0]]), "is not symmetric, which Σ is"),
        (np.full((2, 2), np.nan), r"Σ\[0, 0\] .* is nan, no finite number"),
        (np.full((2, 2), 1j), "holds no matrix of real numbers"),
        (np.array([[1.0, 2.0], [2.0, 1.0]]), "negative eigenvalue -1"),
    ],
)
def test_what_is_no_covariance_is_refused(
    tmp_path: Path, load: Load, matrix: np.ndarray, said: str
) -> None:
    np.save(tmp_path / "sigma.npy", matrix)
    with pytest.raises(DataError, match=said):
        load(name="gaussian", inputs=2, covariance=str(tmp_path / "sigma.npy"))


def test_a_missing_file_is_named(tmp_path: Path, load: Load) -> None:
    with pytest.raises(DataError, match=r"there is no .*nowhere.npy"):
        load(name="gaussian", covariance=str(tmp_path / "nowhere.npy"))


@pytest.mark.parametrize("content", [b"nothing of the kind", b"", pickle.dumps([1, 2])])
def test_bytes_that_are_no_array_are_refused_without_advice_on_pickles(
    tmp_path: Path, load: Load, content: bytes
) -> None:
    (tmp_path / "sigma.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"sigma.npy cannot be read as an .npy file: it is") as told:
        load(name="gaussian", covariance=str(tmp_path / "sigma.npy"))
    assert "pickle" not in str(told.value)
