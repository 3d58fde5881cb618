"""MNIST in torchvision's own files; CIFAR in torchvision's own pickles, their sums left aside."""

import gzip
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from substrate.data.error import DataError
from tests.substrate.data.conftest import Load


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())
    path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, samples in (("train", 20), ("t10k", 10)):
        images = np.arange(samples, dtype=np.uint8)[:, None, None] * np.ones((1, 28, 28))
        write_idx(raw / f"{part}-images-idx3-ubyte", images)
        write_idx(raw / f"{part}-labels-idx1-ubyte", np.arange(samples) % 10)
    return tmp_path


def test_mnist_is_read_and_cached(mnist: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load(name="mnist", path=str(mnist), standardise=False)
    assert data.input_shape == (1, 28, 28)
    assert data.y_train.tolist() == [*range(10)] * 2
    torch.testing.assert_close(data.x_train[:, 0, 3, 7], torch.arange(20) / 255)
    monkeypatch.setattr("torchvision.datasets.MNIST", lambda *_: pytest.fail("read again"))
    assert load(name="mnist", path=str(mnist), standardise=False).x_train.equal(data.x_train)


def test_cifar_is_channels_first(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import CIFAR100

    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    pixels = np.zeros((6, 3, 32, 32), np.uint8)
    pixels[:, 1] = 255
    entry = {"data": pixels.reshape(6, -1), "fine_labels": [0, 1, 2, 3, 4, 99]}
    for part in ("train", "test"):
        (folder / part).write_bytes(pickle.dumps(entry))
    meta = {"fine_label_names": [str(i) for i in range(100)]}
    (folder / "meta").write_bytes(pickle.dumps(meta))
    monkeypatch.setattr(CIFAR100, "_check_integrity", lambda _: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    data = load(name="cifar100", path=str(tmp_path), standardise=False)
    assert data.x_train.shape == (6, 3, 32, 32)
    assert data.x_train.mean((0, 2, 3)).tolist() == [0, 1, 0]
    assert data.y_test.tolist() == [0, 1, 2, 3, 4, 99]
    assert data.n_out == 100


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "mnist"])
def test_nothing_is_downloaded_unless_asked(
    tmp_path: Path, load: Load, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("network"))
    with pytest.raises(DataError, match=r"set data.download: true to download \d+ MB, or put it"):
        load(name=name, path=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_fails_says_so(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", offline)
    with pytest.raises(DataError, match=r"CIFAR10 could not be downloaded to .*"):
        load(name="cifar10", path=str(tmp_path), download=True)


def test_files_that_are_not_whole_are_named(tmp_path: Path, load: Load) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"short")
    with pytest.raises(DataError, match=r"CIFAR10 is not whole in"):
        load(name="cifar10", path=str(tmp_path))


@pytest.mark.parametrize("at", [2, 3, 7])  # the type of numbers, their axes, how many there are
def test_a_damaged_header_of_mnist_is_refused(mnist: Path, load: Load, at: int) -> None:
    path = mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)
    with pytest.raises(DataError, match="MNIST is not whole in"):
        load(name="mnist", path=str(mnist))


def test_a_pipe_among_mnist_s_files_is_not_waited_for(mnist: Path, load: Load) -> None:
    path = mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match="is no regular file"):
        load(name="mnist", path=str(mnist))
