"""Arrays of the user's own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from substrate.data.dataset import DataError
from tests.substrate.data.conftest import Load


def arrays(**changed: object) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    good = {
        "x_train": generator.normal(2.0, 3.0, (12, 5)),
        "y_train": np.arange(12) % 3,
        "x_test": generator.normal(2.0, 3.0, (4, 5)),
        "y_test": np.arange(4) % 3,
    }
    return {k: np.asarray(v) for k, v in (good | changed).items() if v is not None}


def write(tmp_path: Path, **changed: object) -> str:
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays(**changed))
    return str(path)


def test_whole_numbers_are_classes(tmp_path: Path, load: Load) -> None:
    data = load(name="npz", path=write(tmp_path))
    assert (data.n_out, data.regression, data.name) == (3, False, "mine")
    torch.testing.assert_close(data.x_train.numpy(), arrays()["x_train"].astype(np.float32))


@pytest.mark.parametrize("width", [None, 1, 2])
def test_other_numbers_are_a_regression(tmp_path: Path, load: Load, width: int | None) -> None:
    shape = () if width is None else (width,)
    y = {"y_train": np.ones((12, *shape)), "y_test": np.ones((4, *shape))}
    data = load(name="npz", path=write(tmp_path, **y))
    assert data.regression
    assert data.n_out == (width or 1)
    assert data.y_train.shape == (12, width or 1)


def test_pixels_of_8_bits_are_scaled(tmp_path: Path, load: Load) -> None:
    x = np.full((12, 1, 2, 2), 51, np.uint8)
    data = load(name="npz", path=write(tmp_path, x_train=x, x_test=x[:4]))
    torch.testing.assert_close(data.x_train, torch.full((12, 1, 2, 2), 0.2))


def test_standardising_goes_by_input(tmp_path: Path, load: Load) -> None:
    data = load(name="npz", path=write(tmp_path), standardise=True)
    torch.testing.assert_close(data.x_train.std(0, correction=0), torch.ones(5))


def test_limits_take_the_same_random_samples_every_time(tmp_path: Path, load: Load) -> None:
    path = write(tmp_path)
    data = load(name="npz", path=path, limit_train=6, limit_test=2)
    assert len(data.x_train) == 6
    assert len(data.y_test) == 2
    everything = load(name="npz", path=path).x_train
    assert all((row == everything).all(1).any() for row in data.x_train)
    assert data.x_train.equal(load(name="npz", path=path, limit_train=6).x_train)
    assert not data.x_train.equal(everything[:6])
    with pytest.raises(DataError, match="limit_train is 13, and mine has 12"):
        load(name="npz", path=path, limit_train=13)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"x_test": None, "x_tset": 1}, "no array 'x_test'; 'x_tset' is like it"),
        ({"y_test": np.ones(3, int)}, "4 test samples, 3 targets"),
        ({"x_test": np.ones((4, 6))}, r"training samples have the shape \(5,\)"),
        ({"y_test": np.full(4, 9)}, "classes run from 0 to 2, and the test targets from 9"),
        ({"y_train": np.full(12, -1)}, "from -1 to -1"),
        ({"y_train": np.ones((12, 1), int)}, r"y_train has the shape \(12, 1\)"),
        ({"y_test": np.ones(4)}, "both are classes, or both as many values"),
        ({"x_train": np.full((12, 5), np.nan)}, "x_train has values that are no finite"),
        ({"x_train": np.array(["a"] * 12)}, "x_train is <U1"),
        ({"x_train": np.array([{}] * 12)}, "cannot be read as an .npz file"),
        ({"x_train": np.ones((0, 5)), "y_train": np.ones(0, int)}, "no training samples"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, load: Load, changed: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        load(name="npz", path=write(tmp_path, **changed))


def test_a_file_that_is_no_npz_is_named(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "mine.npz"
    with pytest.raises(DataError, match=r"there is no .*mine.npz"):
        load(name="npz", path=str(path))
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"mine.npz cannot be read as an .npz file"):
        load(name="npz", path=str(path))
