"""Arrays of the user's own."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from substrate.data.error import DataError
from substrate.data.npz import understood
from substrate.scenario.schema.data import Npz
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
    y = {"y_train": np.full((12, *shape), 0.5), "y_test": np.ones((4, *shape))}
    data = load(name="npz", path=write(tmp_path, **y))
    assert data.regression
    assert data.n_out == (width or 1)
    assert data.y_train.shape == (12, width or 1)


def test_pixels_of_8_bits_are_scaled(tmp_path: Path, load: Load) -> None:
    x = np.full((12, 1, 2, 2), 51, np.uint8)
    data = load(name="npz", path=write(tmp_path, x_train=x, x_test=x[:4]))
    torch.testing.assert_close(data.x_train, torch.full((12, 1, 2, 2), 0.2))


@pytest.mark.parametrize("stored", ["<u2", ">u2"])
def test_pixels_of_16_bits_are_scaled_and_said(tmp_path: Path, load: Load, stored: str) -> None:
    x = np.full((12, 1, 2, 2), 13107, stored)
    x[0] = 0
    path = write(tmp_path, x_train=x, x_test=x[:4])
    data = load(name="npz", path=path)
    torch.testing.assert_close(data.x_train[1:], torch.full((11, 1, 2, 2), 0.2))
    assert "pixels of 16 bits, 0 to 13,107, divided by 65,535" in data.understood
    assert understood(Npz(name="npz", path=path)) == data.understood


@pytest.mark.parametrize("stored", ["i1", "i2", "u4", "i8"])
def test_other_whole_numbers_are_left_and_said(tmp_path: Path, load: Load, stored: str) -> None:
    x = np.arange(60).reshape(12, 5).astype(stored)
    data = load(name="npz", path=write(tmp_path, x_train=x, x_test=x[:4]))
    assert data.x_train.max() == 59
    assert "whole numbers 0 to 59, not scaled" in data.understood


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
    with pytest.raises(DataError, match="limit_test is 5, and mine has 4"):
        understood(Npz(name="npz", path=path, limit_test=5))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"x_test": None, "x_tset": 1}, "no array 'x_test'; 'x_tset' is like it"),
        ({"y_test": np.ones(3, int)}, "4 test samples, 3 targets"),
        ({"x_test": np.ones((4, 6))}, r"training samples have the shape \(5,\)"),
        (
            {"y_test": np.full(4, 9)},
            r"y_test\[0\] is 9, a class that y_train has not: its labels run from 0 to 2",
        ),
        ({"y_train": np.full(12, -1)}, "from -1 to -1"),
        ({"y_train": np.ones((12, 1), int)}, r"y_train is int64 \(12, 1\).*both are classes"),
        ({"y_test": np.ones(4)}, "both are classes, or both as many values"),
        (
            {"x_train": np.full((12, 5), np.nan)},
            r"x_train\[0, 0\] .row 0, column 0.* is nan, no finite",
        ),
        ({"x_train": np.array(["a"] * 12)}, "x_train is <U1"),
        ({"y_train": np.array(["a"] * 12)}, r"must be numbers; numpy.unique\(y, return_inverse"),
        ({"y_train": np.ones(12, bool)}, r"y_train is bool \(12,\).*; store y.astype\(int\)"),
        ({"x_train": np.ones((12, 5), bool)}, r"x_train is bool .*; store x.astype\(float\)"),
        ({"x_train": np.ones((12, 5), complex)}, "store real and imaginary parts"),
        ({"x_train": np.zeros(12, [("a", "f8")])}, "it must be numbers"),
        (
            {"y_train": np.ones((12, 0)), "y_test": np.ones((4, 0))},
            r"y_train has the shape \(12, 0",
        ),
        ({"y_train": np.ones(12, int), "y_test": np.ones(4, int)}, "mine has one class alone"),
        ({"y_train": np.r_[np.nan, np.full(11, 0.5)], "y_test": np.full(4, 0.5)}, r"y_train\[0\]"),
        ({"x_train": np.array([{}] * 12)}, "x_train holds Python objects"),
        ({"x_train": np.ones((0, 5)), "y_train": np.ones(0, int)}, "no training samples"),
    ],
)
def test_what_is_wrong_is_named_and_the_same_by_check_and_run(
    tmp_path: Path, load: Load, changed: dict[str, object], said: str
) -> None:
    path = write(tmp_path, **changed)
    with pytest.raises(DataError, match=said):
        load(name="npz", path=path)
    with pytest.raises(DataError, match=said):
        understood(Npz(name="npz", path=path))


@pytest.mark.filterwarnings("error")
def test_infinity_in_16_bits_is_named(tmp_path: Path, load: Load) -> None:
    x = np.full((12, 5), np.inf, np.float16)
    with pytest.raises(DataError, match=r"x_train\[0, 0\] .* is inf, no finite number"):
        load(name="npz", path=write(tmp_path, x_train=x))


@pytest.mark.parametrize(
    "turned",
    [
        np.asfortranarray,
        lambda x: x.astype(">f8"),
        lambda x: np.asfortranarray(x.astype(">f4")),
        lambda x: x[::-1, ::-1][::-1, ::-1],
        lambda x: x.astype(np.longdouble),
    ],
)
@pytest.mark.parametrize("standardise", [False, True])
def test_how_numbers_lie_in_a_file_changes_nothing(
    tmp_path: Path, load: Load, turned: Callable[[np.ndarray], np.ndarray], standardise: bool
) -> None:
    plain = load(name="npz", path=write(tmp_path), standardise=standardise).x_train
    path = write(tmp_path, x_train=turned(arrays()["x_train"]))
    torch.testing.assert_close(load(name="npz", path=path, standardise=standardise).x_train, plain)


def test_what_float32_takes_away_is_said(tmp_path: Path, load: Load) -> None:
    x, y = arrays()["x_train"], np.arange(12) % 7 * 1e-3 + 1e6
    x[:, 1] = 1e9 + np.arange(12)
    path = write(tmp_path, x_train=x, y_train=y, y_test=y[:4])
    said = "vary by less than float32 holds, and so never change: 1"
    notes = load(name="npz", path=path).notes
    assert [note.split(";")[0] for note in notes] == [
        f"inputs that {said}",
        f"values of y that {said}",
    ]
    kept = load(name="npz", path=path, standardise=True)
    assert len(kept.notes) == 1
    torch.testing.assert_close(kept.x_train[:, 1].std(correction=0), torch.tensor(1.0))


def test_a_file_that_is_no_npz_is_named(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "mine.npz"
    with pytest.raises(DataError, match=r"there is no .*mine.npz"):
        load(name="npz", path=str(path))
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"mine.npz cannot be read as an .npz file"):
        load(name="npz", path=str(path))


def test_a_member_that_is_no_array_is_named(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for key in arrays():
            archive.writestr(f"{key}.npy", b"nothing of the kind")
    with pytest.raises(DataError, match=r"mine.npz: x_train.npy in it cannot be read: it is dam"):
        load(name="npz", path=str(path))


def test_what_was_understood_is_one_line_and_the_same_for_check_and_run(
    tmp_path: Path, load: Load
) -> None:
    x = np.full((12, 8, 8, 3), 51, np.uint8)
    y = {"y_train": np.arange(12) % 3 + 1.0, "y_test": np.arange(4) % 3 + 1.0}
    path = write(tmp_path, x_train=x, x_test=x[:4], **y)
    settings = {"name": "npz", "path": path, "task": "classification", "limit_train": 9}
    line = (
        "mine: 9 training and 4 test samples of 192 inputs (3×8×8); 3 classes; images with"
        " channels last, pixels of 8 bits, scaled to 0…1; read from float64, labels 1…3 are"
        " classes 0…2"
    )
    data = load(**settings)
    assert data.understood == understood(Npz(**settings)) == line
    assert data.x_train.shape == (9, 3, 8, 8)
    assert data.y_test.tolist() == [0, 1, 2, 0]


WHOLE = {"y_train": np.arange(12) % 3 * 1.0, "y_test": np.arange(4) % 3 * 1.0}


def test_whole_numbers_stored_as_floating_ones_are_asked_about(tmp_path: Path, load: Load) -> None:
    path = write(tmp_path, **WHOLE)
    with pytest.raises(
        DataError, match=r"y_train is float64 and holds whole numbers alone, 0 to 2"
    ):
        load(name="npz", path=path)
    classes = load(name="npz", path=path, task="classification")
    assert (classes.n_out, classes.y_test.tolist()) == (3, [0, 1, 2, 0])
    values = load(name="npz", path=path, task="regression")
    assert (values.n_out, values.y_test.tolist()) == (1, [[0.0], [1.0], [2.0], [0.0]])


def test_rows_with_a_single_1_are_asked_about(tmp_path: Path, load: Load) -> None:
    path = write(tmp_path, **{key: np.eye(3)[y.astype(int)] for key, y in WHOLE.items()})
    with pytest.raises(DataError, match=r"has a single 1.*store y.argmax\(1\) for classes"):
        load(name="npz", path=path)
    with pytest.raises(DataError, match=r"shape \(12, 3\); classes are \(samples,\); y.argmax"):
        load(name="npz", path=path, task="classification")
    assert load(name="npz", path=path, task="regression").n_out == 3


def test_integers_may_be_values(tmp_path: Path, load: Load) -> None:
    y = {"y_train": np.arange(12) * 1000, "y_test": np.arange(4)}
    data = load(name="npz", path=write(tmp_path, **y), task="regression")
    assert data.regression
    assert data.y_train[-1].tolist() == [11000.0]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0, 1, 10**9], "3 different labels, from 0 to 1000000000, and none is 2: an output that"),
        ([0, 1, 3], "none is 2"),
        ([2, 3, 4], "from 2 to 4, and none is 0"),
        ([1, 2, 4], "from 1 to 4, and none is 3"),
    ],
)
def test_an_output_that_no_sample_trains_is_refused(
    tmp_path: Path, load: Load, labels: list[int], said: str
) -> None:
    y_train = np.array(labels * 4)
    with pytest.raises(DataError, match=said):
        load(name="npz", path=write(tmp_path, y_train=y_train, y_test=y_train[:4]))


def test_classes_with_a_fraction_are_named(tmp_path: Path, load: Load) -> None:
    path = write(tmp_path, **WHOLE | {"y_test": np.array([0.0, 1.5, 2.0, 0.0])})
    with pytest.raises(DataError, match=r"y_test\[1\] is 1.5, and classes are whole numbers"):
        load(name="npz", path=path, task="classification")


@pytest.mark.parametrize(
    ("shape", "first"),
    [
        ((8, 8, 3), "last"),
        ((3, 8, 8), "first"),
        ((5, 7, 1), "last"),
        ((1, 5, 7), "first"),
        ((8, 8, 2), "last"),
        ((3, 4, 4), "first"),
        ((1, 8, 3), None),
        ((8, 8, 8), None),
        ((2, 5, 7), None),
        ((3, 3, 3), None),
        ((4, 4, 3), "last"),
        ((28, 28, 4), "last"),
        ((4, 28, 28), "first"),
        ((4, 4, 16), None),
        ((16, 4, 4), None),
        ((1, 1, 16), None),
        ((3, 3, 8), None),
    ],
)
def test_channels_are_where_the_shape_has_them_or_asked_about(
    tmp_path: Path, load: Load, shape: tuple[int, ...], first: str | None
) -> None:
    x = np.random.default_rng(0).normal(size=(12, *shape))
    path = write(tmp_path, x_train=x, x_test=x[:4])
    if first is None:
        with pytest.raises(DataError, match=r"write data.channels: first or last"):
            load(name="npz", path=path)
    else:
        data = load(name="npz", path=path)
        expected = np.moveaxis(x, -1, 1) if first == "last" else x
        np.testing.assert_allclose(data.x_train.numpy(), expected, rtol=1e-6)
        assert f"channels {first}" in data.understood
    last = load(name="npz", path=path, channels="last")
    assert last.input_shape == (shape[2], *shape[:2])


def test_pixels_beside_other_numbers_are_refused(tmp_path: Path, load: Load) -> None:
    x_train = np.full((12, 5), 51, np.uint8)
    with pytest.raises(DataError, match="x_train is uint8 and x_test float64; pixels of 8"):
        load(name="npz", path=write(tmp_path, x_train=x_train))


@pytest.mark.parametrize("key", ["x_train", "y_train", "x_test", "y_test"])
@pytest.mark.parametrize("value", [1e300, -1e39, np.inf])
def test_numbers_beyond_float32_are_named(
    tmp_path: Path, load: Load, key: str, value: float
) -> None:
    array = arrays(y_train=np.full((12, 2), 0.5), y_test=np.full((4, 2), 0.5))
    array[key][3, 1] = value
    with pytest.raises(DataError, match=rf"{key}\[3, 1\] \(row 3, column 1, counted from 0\) is"):
        load(name="npz", path=write(tmp_path, **array))


def test_inputs_as_far_apart_as_float32_holds_are_standardised(tmp_path: Path, load: Load) -> None:
    x = np.full((12, 5), 3e38)
    x[::2] *= -1
    path = write(tmp_path, x_train=x, x_test=x[:4])
    data = load(name="npz", path=path, standardise=True)
    torch.testing.assert_close(data.x_train.numpy(), np.sign(x).astype(np.float32))


@pytest.mark.parametrize("x", [np.ones(12), np.ones((12, 0))])
def test_inputs_that_are_none_are_refused(tmp_path: Path, load: Load, x: np.ndarray) -> None:
    with pytest.raises(
        DataError, match=r"x_train has the shape .*; inputs are \(samples, inputs\)"
    ):
        load(name="npz", path=write(tmp_path, x_train=x, x_test=x[:4]))


def with_header(tmp_path: Path, shape: object, descr: str = "<f8") -> str:
    """A file whose x_train claims to be what it is not."""
    path = write(tmp_path)
    forged = tmp_path / "forged.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(forged, "w") as bad:
        for name in good.namelist():
            content = header.getvalue() + bytes(80) if name == "x_train.npy" else good.read(name)
            bad.writestr(name, content)
    return str(forged)


@pytest.mark.parametrize("shape", [(10**9, 10**9), (100,), (-1, 5)])
def test_a_size_that_is_claimed_and_not_there_is_refused_unread(
    tmp_path: Path, load: Load, shape: tuple[int, ...]
) -> None:
    with pytest.raises(DataError, match=r"forged.npz: x_train claims to be float64 .* damaged"):
        load(name="npz", path=with_header(tmp_path, shape))


def test_more_than_the_machine_holds_is_refused_unread(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path)
    monkeypatch.setattr(os, "sysconf", lambda name: 16)
    with pytest.raises(DataError, match=r"mine.npz would take .* GB of memory, and this machine"):
        load(name="npz", path=path)


def test_damaged_files_end_in_one_line(tmp_path: Path, load: Load) -> None:
    """Bytes flipped and cut off at random, by a fixed draw."""
    whole = Path(write(tmp_path)).read_bytes()
    generator = np.random.default_rng(0)
    broken = tmp_path / "broken.npz"
    refused: list[str] = []
    for attempt in range(300):
        content = np.frombuffer(whole, np.uint8).copy()
        for place in generator.integers(0, len(content), generator.integers(1, 6)):
            content[place] ^= 1 << generator.integers(8)
        cut = generator.integers(1, len(content)) if attempt % 4 == 0 else len(content)
        broken.write_bytes(content[:cut].tobytes())
        try:
            load(name="npz", path=str(broken))
        except DataError as problem:
            refused.append(str(problem))
    assert len(refused) > 150
    assert all("broken" in said and "\n" not in said for said in refused)


def test_a_pipe_is_not_waited_for(tmp_path: Path, load: Load) -> None:
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(DataError, match=r"pipe.npz is no regular file"):
        load(name="npz", path=str(tmp_path / "pipe.npz"))
