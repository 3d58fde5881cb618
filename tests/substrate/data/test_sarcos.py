"""SARCOS from .mat files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from substrate.data.dataset import DataError
from tests.substrate.data.conftest import Load


def write(path: Path, rows: int, seed: int = 0, columns: int = 28) -> np.ndarray:
    matrix = np.random.default_rng(seed).normal(3.0, 5.0, (rows, columns))
    savemat(path, {path.stem: matrix, "note": "of a robot"})
    return matrix


def test_an_own_split_leaks_no_row_and_standardises_by_training_rows(
    tmp_path: Path, load: Load
) -> None:
    write(tmp_path / "sarcos.mat", 100)
    data = load(name="sarcos", train_file=str(tmp_path / "sarcos.mat"), test_fraction=0.3)
    assert data.regression
    assert data.n_out == 7
    assert data.x_train.shape == (70, 21)
    assert data.y_test.shape == (30, 7)
    for part in (data.x_train, data.y_train):
        assert part.mean(0).abs().max() < 1e-6
        torch.testing.assert_close(part.std(0, correction=0), torch.ones(part.shape[1]))
    assert not torch.isclose(data.x_test[:, :1], data.x_train[:, 0]).any()
    assert data.x_test.mean(0).abs().max() > 1e-3


def test_the_split_is_the_same_every_time(tmp_path: Path, load: Load) -> None:
    write(tmp_path / "sarcos.mat", 50)
    first, second = (load(name="sarcos", train_file=str(tmp_path / "sarcos.mat")) for _ in "ab")
    assert first.x_test.equal(second.x_test)


def test_two_files_are_scaled_alike(tmp_path: Path, load: Load) -> None:
    train = write(tmp_path / "train.mat", 40)
    test = write(tmp_path / "test.mat", 10, seed=1)
    files = {f"{part}_file": str(tmp_path / f"{part}.mat") for part in ("train", "test")}
    data = load(name="sarcos", **files)
    expected = (test[:, 21:] - train[:, 21:].mean(0)) / train[:, 21:].std(0)
    torch.testing.assert_close(data.y_test, torch.from_numpy(expected).float())
    assert len(data.x_train) == 40


def test_what_is_wrong_is_named(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "wrong.mat"
    with pytest.raises(DataError, match=r"there is no .*wrong.mat; put it there"):
        load(name="sarcos", train_file=str(path))
    path.write_bytes(b"not matlab, " * 50)
    with pytest.raises(DataError, match=r"wrong.mat cannot be read as a .mat file"):
        load(name="sarcos", train_file=str(path))
    write(path, 5, columns=20)
    with pytest.raises(DataError, match=r"has not one matrix of 28 columns; .*'wrong': \(5, 20\)"):
        load(name="sarcos", train_file=str(path))


def test_the_development_data(data_dir: Path, load: Load) -> None:
    data = load(name="sarcos")
    assert len(data.x_train) + len(data.x_test) == 4449
    # the torques follow from the inputs: a straight line already explains most of them
    solved = torch.linalg.lstsq(data.x_train, data.y_train).solution
    assert (data.x_test @ solved - data.y_test).square().mean() < 0.2
