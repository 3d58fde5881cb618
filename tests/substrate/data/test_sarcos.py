"""SARCOS from .mat files."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch
from scipy.io import savemat

from substrate.data.error import DataError
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


def refusal(path: Path, load: Load) -> str:
    with pytest.raises(DataError) as caught:
        load(name="sarcos", train_file=str(path))
    return str(caught.value)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.full((5, 28), 1j), "wrong.mat: rows is complex128; it must be a full matrix of real"),
        (scipy.sparse.eye(5, 28, format="csc"), "wrong.mat: rows is sparse; it must be a full"),
        (np.full((5, 28), "a", object), "wrong.mat: rows is object; it must be a full matrix"),
        (np.full((5, 28), 1e300), "wrong.mat: rows[0, 0] (row 0, column 0, counted from 0) is"),
        (np.full((5, 28, 2), 1.0), "has not one matrix of 28 columns"),
        ({"a": 1.0}, "has not one matrix of 28 columns"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_named(
    tmp_path: Path, load: Load, matrix: object, said: str
) -> None:
    savemat(tmp_path / "wrong.mat", {"rows": matrix})
    assert said in refusal(tmp_path / "wrong.mat", load)


def test_version_4_is_read(tmp_path: Path, load: Load) -> None:
    matrix = np.random.default_rng(0).normal(size=(10, 28))
    savemat(tmp_path / "old.mat", {"rows": matrix}, format="4")
    assert len(load(name="sarcos", train_file=str(tmp_path / "old.mat")).x_train) == 8


@pytest.mark.parametrize("version", ["4", "5"])
def test_damaged_files_end_in_one_line(tmp_path: Path, load: Load, version: str) -> None:
    """Bytes flipped and cut off at random, by a fixed draw; half of them in the headers."""
    path = tmp_path / "broken.mat"
    matrix = np.random.default_rng(0).normal(size=(10, 28))
    savemat(path, {"rows": matrix}, format=version, do_compression=version == "5")
    whole = path.read_bytes()
    generator = np.random.default_rng(1)
    refused: list[str] = []
    for attempt in range(200):
        content = np.frombuffer(whole, np.uint8).copy()
        end = 250 if attempt % 2 else len(content)
        for place in generator.integers(0, end, generator.integers(1, 6)):
            content[place] ^= 1 << generator.integers(8)
        cut = generator.integers(1, len(content)) if attempt % 4 == 0 else len(content)
        path.write_bytes(content[:cut].tobytes())
        try:
            load(name="sarcos", train_file=str(path))
        except DataError as problem:
            refused.append(str(problem))
    assert len(refused) > 50
    assert all("broken" in said and "\n" not in said for said in refused)


def test_the_development_data(data_dir: Path, load: Load) -> None:
    data = load(name="sarcos")
    assert len(data.x_train) + len(data.x_test) == 4449
    # the torques follow from the inputs: a straight line already explains most of them
    solved = torch.linalg.lstsq(data.x_train, data.y_train).solution
    assert (data.x_test @ solved - data.y_test).square().mean() < 0.2


def test_rows_that_are_trained_on_and_tested_on_are_told(tmp_path: Path, load: Load) -> None:
    """As with the usual pair of files, whose test rows are training rows too."""
    rows = write(tmp_path / "train.mat", 40)
    savemat(tmp_path / "test.mat", {"test": np.vstack([rows[5:12], rows[:3] + 1.0])})
    files = {f"{part}_file": str(tmp_path / f"{part}.mat") for part in ("train", "test")}
    data = load(name="sarcos", **files)
    assert data.seen_in_training == 7
    assert "7 of the test samples stand among the training samples too" in data.described
    assert load(name="sarcos", train_file=files["train_file"]).seen_in_training == 0
