"""Data in every format that the package reads, sound and in the ways in which files go wrong."""

from __future__ import annotations

import csv
import io
import os
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import io as matlab
from scipy import sparse

from tests.torture.image_folders import image_folder, tiny_imagenet
from tests.torture.spoiling import damaged, npy, sound_npy, strange

Make = Callable[[random.Random, Path], dict[str, Any]]
"""Write data into a folder, now and then wrong; gives the settings that name it."""

SAMPLES = 30


def arrays(rng: random.Random) -> dict[str, Any]:
    """Arrays of a data set: classes or values, vectors or images."""
    draw = np.random.default_rng(rng.randrange(2**32))
    shape: tuple[int, ...] = rng.choice([(5,), (1, 4, 4), (4, 4, 3), (3, 3, 3)])
    x = draw.normal(size=(2 * SAMPLES, *shape)).astype(rng.choice(["f4", "f8"]))
    if rng.random() < 0.2:
        x = (x * 50 + 100).clip(0, 255).astype("u1")
    y: Any = np.arange(2 * SAMPLES) % 3
    if rng.random() < 0.3:
        y = draw.normal(size=(2 * SAMPLES, 2))
    elif rng.random() < 0.3:
        y = y.astype(rng.choice(["u1", "i2", "f8"])) + rng.choice([0, 1])
    return {"x_train": x[::2], "y_train": y[::2], "x_test": x[1::2], "y_test": y[1::2]}


def npz(rng: random.Random, folder: Path) -> dict[str, Any]:
    """An .npz of the user's own."""
    found = arrays(rng)
    if rng.random() < 0.5:
        key = rng.choice(list(found))
        found[key] = strange(rng, found[key])
    if rng.random() < 0.1:
        found[rng.choice(["x_trian", "X_train", "", "../x", "x\x1b[2J"])] = found.pop(
            rng.choice(list(found))
        )
    path = folder / "data.npz"
    packed = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
    with zipfile.ZipFile(path, "w", packed) as archive:
        for key, array in found.items():
            content = npy(rng, array) if rng.random() < 0.2 else sound_npy(array)
            if rng.random() < 0.02:
                content += bytes(300_000_000)  # a bomb: it is packed into a few kilobytes
            archive.writestr(f"{key}.npy", content)
    settings: dict[str, Any] = {"name": "npz", "path": str(path)}
    if rng.random() < 0.3:
        settings["task"] = rng.choice(["classification", "regression"])
    if rng.random() < 0.3:
        settings["channels"] = rng.choice(["first", "last"])
    if rng.random() < 0.3:
        settings["standardise"] = True
    return settings


def mat(rng: random.Random, folder: Path) -> dict[str, Any]:
    """SARCOS' .mat files."""
    matrix = np.random.default_rng(rng.randrange(2**32)).normal(size=(SAMPLES, 28))
    variables: dict[str, Any] = {"sarcos_inv": matrix}
    if rng.random() < 0.5:
        cell = np.empty((2, 28), dtype=object)
        cell[:] = None
        variables["sarcos_inv"] = rng.choice(
            [
                lambda: sparse.csc_matrix(matrix),
                lambda: matrix.astype(complex),
                lambda: matrix > 0,
                lambda: matrix.astype("U3"),
                lambda: {"field": matrix},
                lambda: [{"field": matrix}] * 3,
                lambda: cell,
                lambda: matrix[:, :27],
                lambda: matrix.T,
                lambda: matrix[:0],
                lambda: matrix[:1],
                lambda: matrix.reshape(SAMPLES, 28, 1),
                lambda: matrix.astype(np.int8),
                lambda: matrix * 1e300,
                lambda: np.full_like(matrix, np.nan),
                lambda: np.zeros_like(matrix),
                lambda: strange(rng, matrix),
            ]
        )()
    if rng.random() < 0.2:
        variables[rng.choice(["other", "x" * 40])] = matrix
    path = folder / "sarcos.mat"
    options: dict[str, Any] = {"do_compression": rng.random() < 0.5}
    if rng.random() < 0.2:
        options = {"format": "4"}
    try:
        matlab.savemat(path, variables, **options)
    except Exception:  # what cannot be stored is tried as something else
        matlab.savemat(path, {"sarcos_inv": matrix})
    if rng.random() < 0.05:
        path.write_bytes(
            b"MATLAB 7.3 MAT-file, Platform: x" + bytes(92) + b"\x00\x02IM" + bytes(99)
        )
    settings: dict[str, Any] = {"name": "sarcos", "train_file": str(path)}
    if rng.random() < 0.3:
        settings["test_file"] = str(path)
    return settings


def covariance(rng: random.Random, folder: Path) -> dict[str, Any]:
    """The .npy file of a covariance matrix."""
    n = 4
    matrix: Any = 0.5 * np.eye(n) + 0.5
    if rng.random() < 0.5:
        matrix = rng.choice(
            [lambda: strange(rng, matrix), lambda: -matrix, lambda: np.triu(matrix)]
        )()
    path = folder / "sigma.npy"
    path.write_bytes(npy(rng, matrix))
    return {"name": "gaussian", "inputs": n, "train": 60, "test": 9, "covariance": str(path)}


def mnist(rng: random.Random, folder: Path) -> dict[str, Any]:
    """MNIST's files as torchvision lays them out."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    draw = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 10)):
        header = struct.pack(">IIII", 0x803, count, 28, 28)
        pixels = draw.integers(0, 256, count * 784).astype("u1").tobytes()
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + pixels)
        labels = (np.arange(count) % 10).astype("u1").tobytes()
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + labels)
    path = rng.choice(sorted(raw.iterdir()))
    kind = rng.randrange(6)
    if kind == 0:
        path.unlink()
    elif kind == 1:
        path.unlink()
        os.mkfifo(path)
    elif kind <= 4:
        content = bytearray(path.read_bytes())
        content[rng.randrange(16 if "images" in path.name else 8)] = rng.randrange(256)
        path.write_bytes(content if rng.random() < 0.6 else damaged(rng, bytes(content)))
    return {"name": "mnist", "path": str(folder)}


def trace(rng: random.Random, folder: Path) -> dict[str, Any]:
    """A measured trace, in any of its formats; `fit` and noise read it."""
    values: Any = np.random.default_rng(rng.randrange(2**32)).normal(size=120)
    if rng.random() < 0.4:
        values = strange(rng, values)
    ending = rng.choice(["csv", "csv", "txt", "npy", "npz", "mat", "parquet"])
    path = folder / f"trace.{ending}"
    if ending in ("csv", "txt"):
        text = io.StringIO()
        table = csv.writer(text, delimiter=rng.choice([",", ";", "\t"]))
        if rng.random() < 0.5:
            table.writerow(rng.choice([["v"], ["t", "v"], ["\x1b[2J"], ["v", "v"], ["", ""]]))
        for each in np.atleast_1d(values).reshape(-1)[:200]:
            row = [each, each] if rng.random() < 0.005 else [each]
            table.writerow(row)
        path.write_bytes(text.getvalue().encode(rng.choice(["utf-8", "utf-8-sig", "utf-16"])))
    elif ending == "npy":
        path.write_bytes(npy(rng, values))
    elif ending == "npz":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            content = npy(rng, values) + (bytes(300_000_000) if rng.random() < 0.02 else b"")
            archive.writestr("v.npy", content)
    elif ending == "mat":
        try:
            matlab.savemat(path, {"v": values})
        except Exception:  # what cannot be stored is tried as something else
            matlab.savemat(path, {"v": sparse.eye(50)})
    else:
        path.write_bytes(_parquet(values))
    return {"model": "trace", "at": "output", "path": str(path), "sampling_rate": 1e6}


def _parquet(values: Any) -> bytes:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        return b"PAR1" + bytes(40) + b"PAR1"
    file = io.BytesIO()
    try:
        table = pyarrow.table({"v": np.asarray(values).reshape(-1)})
        parquet.write_table(table, file)
    except Exception:  # as above
        parquet.write_table(pyarrow.table({"v": [None, "x"]}), file)
    return file.getvalue()


FORMATS: dict[str, Make] = {
    make.__name__: make
    for make in (npz, mat, image_folder, tiny_imagenet, covariance, mnist, trace)
}
"""By name."""
