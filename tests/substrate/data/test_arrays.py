"""From arrays to tensors: what standardising keeps, and what memory it takes."""

import tracemalloc

import numpy as np
import pytest

from substrate.data.arrays import dataset_from_arrays, mean_and_std
from substrate.data.error import DataError

SAMPLES = 60


def arrays(x_train: np.ndarray, x_test: np.ndarray | None = None) -> dict[str, np.ndarray]:
    x_test = x_train[:4] if x_test is None else x_test
    y_train, y_test = (np.arange(len(x)) % 2 for x in (x_train, x_test))
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


@pytest.mark.parametrize("mean", [0.0, 1e4, -1e9])
def test_what_varies_little_about_a_large_mean_is_kept(mean: float) -> None:
    x = mean + 0.001 * np.random.default_rng(0).normal(size=(SAMPLES, 3))
    data = dataset_from_arrays("own", arrays(x), 2, standardise=True)
    # of a mean of 1e9 float64 leaves steps of 1e-7, a ten-thousandth of the spread
    np.testing.assert_allclose(
        data.x_train.numpy(), (x - x.mean(0)) / x.std(0), rtol=1e-3, atol=1e-3
    )
    np.testing.assert_array_equal(data.x_test, data.x_train[:4])


def test_many_samples_have_the_mean_and_spread_of_numpy() -> None:
    x = np.random.default_rng(0).integers(0, 256, (700, 3, 20, 20)).astype(np.uint8)
    mean, std = mean_and_std(x)
    np.testing.assert_allclose(mean, x.mean((0, 2, 3), keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(std, x.std((0, 2, 3), keepdims=True), rtol=1e-12)
    data = dataset_from_arrays("own", arrays(x), 2, standardise=True)
    np.testing.assert_allclose(data.x_train.numpy(), (x - mean) / std, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("stored", [np.float16, np.float32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("value", [0.1, 7e4])
def test_an_input_that_never_changes_becomes_0(stored: type, value: float) -> None:
    if value > 255 and stored in (np.float16, np.uint8):
        value = 200.1
    x = np.full((SAMPLES, 2), value).astype(stored)
    x[:, 1] = np.arange(SAMPLES)
    data = dataset_from_arrays("own", arrays(x), 2, standardise=True)
    assert data.x_train[:, 0].count_nonzero() == 0
    np.testing.assert_allclose(data.x_train[:, 1].std(correction=0), 1, rtol=1e-5)


@pytest.mark.parametrize("stored", [np.float32, np.float64])
def test_rounding_is_no_spread(stored: type) -> None:
    """Adjacent numbers, and what comes to 1 but for the last bits of a sum."""
    x = np.full((SAMPLES, 2), 0.1, stored)
    x[::2, 0] = np.nextafter(x[::2, 0], stored(1))
    parts = np.random.default_rng(0).uniform(size=(SAMPLES, 50)).astype(stored)
    x[:, 1] = (parts / parts.sum(1, keepdims=True)).sum(1)
    assert len(np.unique(x[:, 1])) > 2
    data = dataset_from_arrays("own", arrays(x), 2, standardise=True)
    assert data.x_train.abs().max() < 1e-6
    # in float16 such a sum is 1
    data = dataset_from_arrays("own", arrays(x[:, 1:].astype(np.float16)), 2, standardise=True)
    assert data.x_train.count_nonzero() == 0


def test_a_step_of_float16_is_a_spread() -> None:
    """Temperatures about 300 K, where float16 has steps of 0.25 K; one step alone counts too."""
    kelvin = 300 + 0.2 * np.random.default_rng(0).normal(size=(SAMPLES, 2))
    x = kelvin.astype(np.float16)
    x[:, 1] = np.where(kelvin[:, 1] < 300, 300, 300.25)
    data = dataset_from_arrays("own", arrays(x), 2, standardise=True)
    whole = x.astype(np.float64)
    np.testing.assert_allclose(data.x_train, (whole - whole.mean(0)) / whole.std(0), rtol=1e-6)


def test_pixels_are_standardised_without_a_copy_of_all_in_float64() -> None:
    x = np.random.default_rng(0).integers(0, 256, (3000, 3, 32, 32)).astype(np.uint8)
    given = arrays(x)
    tracemalloc.start()
    data = dataset_from_arrays("own", given, 2, standardise=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.x_train.shape == x.shape
    assert peak < 1.5 * 4 * x.size  # in float64 alone it is 2 * 4


def test_a_sample_too_far_off_is_told() -> None:
    x = np.full((SAMPLES, 1), 1e-30)
    x[::2] *= -1
    with pytest.raises(DataError, match=r"own: x_test is further from the training samples' mean"):
        dataset_from_arrays("own", arrays(x, np.full((4, 1), 1e30)), 2, standardise=True)


def test_one_class_alone_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=(SAMPLES, 3))
    one = {key: y * 0 for key, y in arrays(x).items() if key[0] == "y"}
    with pytest.raises(DataError, match="own has one class alone"):
        dataset_from_arrays("own", arrays(x) | one, 1)
