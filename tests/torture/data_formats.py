"""Data in every format that the package reads, sound and in the ways in which files go wrong."""

from __future__ import annotations

import csv
import io
import os
import random
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import io as matlab
from scipy import sparse

Make = Callable[[random.Random, Path], dict[str, Any]]
"""Write data into a folder, now and then wrong; gives the settings that name it."""

SAMPLES = 30
_STRANGE_NAMES = (
    b"\xff\xfe.png",
    b"x\x1b[31m.png",
    b"a\nb.png",
    "\u202egnp.png".encode(),
    b"-.png",
    b" .png",
    b"x" * 240 + b".png",
    b"[b].png",
    b".png",
    b"$HOME.png",
)


def damaged(rng: random.Random, content: bytes) -> bytes:
    """Flip bits, cut, zero, double or drop parts; also nothing at all or anything."""
    if not content:
        return content
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8])):
        # headers stand at the beginning, and a zip's list of contents at the end
        at = rng.choice(
            [
                rng.randrange(len(data)),
                rng.randrange(min(len(data), 200)),
                len(data) - 1 - rng.randrange(min(len(data), 200)),
            ]
        )
        length = rng.choice([1, 2, 4, 8, 64])
        kind = rng.choice(["flip", "flip", "flip", "byte", "cut", "zero", "ones", "double", "drop"])
        if kind == "flip":
            data[at] ^= 1 << rng.randrange(8)
        elif kind == "byte":
            data[at] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        elif kind == "cut":
            del data[max(at, 1) :]
        elif kind in ("zero", "ones"):
            data[at : at + length] = bytes([0 if kind == "zero" else 255]) * len(
                data[at : at + length]
            )
        elif kind == "double":
            data[at:at] = data[at : at + length]
        elif len(data) > length:
            del data[at : at + length]
        if not data:
            break
    return bytes(data)


def strange(rng: random.Random, array: np.ndarray) -> Any:
    """Give an array as nobody should store it: of another type, shape or content."""
    size = array.size
    changes: list[Callable[[], Any]] = [
        lambda: array.astype(object),
        lambda: array.astype(complex),
        lambda: array.astype("U8"),
        lambda: array.astype("S8"),
        lambda: array.astype(bool),
        lambda: array.astype(">f8"),
        lambda: array.astype(np.float16),
        lambda: array.astype(np.longdouble),
        lambda: np.abs(array).astype(np.uint64) + np.uint64(2**63),
        lambda: array.astype(np.int64) - 10**9,
        lambda: array.astype(np.int64) + 10**9,
        lambda: array.astype(np.float64) * 1e300,
        lambda: np.zeros(array.shape, "M8[s]"),
        lambda: np.zeros(array.shape, [("a", "f4"), ("b", "O")]),
        lambda: np.zeros(array.shape, [("a", "f4"), ("b", "i2")]),
        lambda: array[()][:0],
        lambda: array[:, :0] if array.ndim > 1 else array[:1],
        lambda: array[:1],
        lambda: array[0],
        lambda: array.reshape(-1),
        lambda: array[..., None, None],
        lambda: np.array(3.0),
        lambda: np.array(None),
        lambda: np.full(array.shape, np.nan),
        lambda: np.asfortranarray(array),
        lambda: np.zeros((0,)),
        lambda: np.zeros((size, 1, 1, 1, 1)),
        lambda: np.concatenate([array, array]),
        lambda: np.zeros_like(array),
    ]
    if rng.random() < 0.3 and size:
        one = array.astype(np.float64)
        value = rng.choice([np.nan, np.inf, -np.inf, 1e39, -1, 0.5, 1e9, 1e308, 2**53])
        one.reshape(-1)[rng.randrange(size)] = value
        return one
    return rng.choice(changes)()


def sound_npy(array: Any) -> bytes:
    """An .npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def npy(rng: random.Random, array: Any) -> bytes:
    """An .npy file, whose header now and then claims something else than there is."""
    content = sound_npy(array)
    if rng.random() < 0.4:
        shapes = (
            "(1000000000, 1000000000)|(100000000000,)|(-1,)|(5, -2)|()|(2**40,)|(1e9,)|(,)|3|None"
            "|(0, 0)|(9223372036854775807, 2)|(20000, 20000)|" + "(" + "1, " * 40 + ")"
        )
        kinds = "<f8|<i4||O|<c16|<U1000000000|>f4|<m8|V8|float|<f1|{}|<f8,<f8|<V2147483647"
        header = (
            f"{{'descr': '{rng.choice(kinds.split('|'))}', "
            f"'fortran_order': {rng.choice(['False', 'True', '2', ''])}, "
            f"'shape': {rng.choice(shapes.split('|'))}}}\n"
        ).encode()
        major = rng.choice([1, 1, 2, 3, 9])
        length = struct.pack("<H" if major == 1 else "<I", len(header))
        content = b"\x93NUMPY" + bytes([major, 0]) + length + header + bytes(64)
    return content


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


def _png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


def image(rng: random.Random, size: tuple[int, int] = (6, 6), kind: str | None = None) -> bytes:
    """A small image in one of the formats."""
    pixels = np.random.default_rng(rng.randrange(2**32)).integers(0, 256, (*size[::-1], 3))
    picture = Image.fromarray(pixels.astype("u1")).convert(rng.choice(["RGB", "RGB", "L", "P"]))
    file = io.BytesIO()
    picture.convert("RGB" if kind in ("JPEG", "WEBP", "PPM") else picture.mode).save(
        file, kind or "PNG"
    )
    return file.getvalue()


def _spoil_images(rng: random.Random, images: list[Path]) -> None:
    path = rng.choice(images)
    kind = rng.randrange(14)
    if kind <= 2:
        path.write_bytes(damaged(rng, path.read_bytes()))
    elif kind == 3:
        path.write_bytes(_png_header(*rng.choice([(9000, 9000), (2**31 - 1, 2**31 - 1), (0, 6)])))
    elif kind == 4:
        Image.new("RGB", rng.choice([(9000, 9000), (7, 6), (1, 1)])).save(path, "PNG")
    elif kind == 5:
        path.unlink()
        os.mkfifo(path)
    elif kind == 6:
        path.unlink()
        path.mkdir()
    elif kind == 7:
        path.unlink()
        path.symlink_to(rng.choice([path.name, "/nowhere", "/dev/zero", "."]))
    elif kind == 8:
        path.write_bytes(b"")
    elif kind == 9:
        for each in path.parent.iterdir():
            each.unlink()
    elif kind == 10:
        content, parent = path.read_bytes(), os.fsencode(path.parent)
        name = rng.choice(_STRANGE_NAMES)
        Path(os.fsdecode(os.path.join(parent, name))).write_bytes(content)
    elif kind == 11:
        (path.parent / "notes.txt").write_text("no image")
    elif kind == 12:
        Image.new(rng.choice(["I;16", "LA", "1", "F", "CMYK", "RGBA"]), (6, 6)).save(path, "TIFF")
    else:
        path.unlink()
        with socket.socket(socket.AF_UNIX) as listener:
            os.chdir(path.parent)  # the name of a socket may be a hundred bytes long
            listener.bind(path.name)
            os.chdir("/")


def image_folder(rng: random.Random, folder: Path) -> dict[str, Any]:
    """A folder of images, a folder a class."""
    root = folder / "images"
    kind, ending = rng.choice(
        [
            ("PNG", "png"),
            ("JPEG", "jpg"),
            ("BMP", "bmp"),
            ("GIF", "gif"),
            ("TIFF", "tif"),
            ("WEBP", "webp"),
            ("PPM", "ppm"),
        ]
    )
    images = []
    for part in ("train", "test"):
        for name in ("a", "b"):
            (root / part / name).mkdir(parents=True)
            for number in range(2):
                path = root / part / name / f"{number}.{ending}"
                path.write_bytes(image(rng, kind=kind))
                images.append(path)
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        _spoil_images(rng, [path for path in images if path.is_file()])
    if rng.random() < 0.15:
        (root / rng.choice(["train", "test"]) / rng.choice(["c", "[b]", "\x1b[2J"])).mkdir()
    if rng.random() < 0.05:
        (root / "test").rename(root / "tset")
    if rng.random() < 0.05:
        os.mkfifo(root / "train" / "pipe")
    return {"name": "image_folder", "path": str(root), "standardise": rng.random() < 0.5}


def tiny_imagenet(rng: random.Random, folder: Path) -> dict[str, Any]:
    """Tiny ImageNet's layout."""
    root, images, lines = folder / "tiny", [], []
    classes = ["n01", "n02"]
    for wnid in classes:
        (root / "train" / wnid / "images").mkdir(parents=True)
        for number in range(2):
            path = root / "train" / wnid / "images" / f"{wnid}_{number}.JPEG"
            path.write_bytes(image(rng, kind="JPEG"))
            images.append(path)
    (root / "val" / "images").mkdir(parents=True)
    for number, wnid in enumerate(classes * 2):
        path = root / "val" / "images" / f"val_{number}.JPEG"
        path.write_bytes(image(rng, kind="JPEG"))
        images.append(path)
        lines.append(f"{path.name}\t{wnid}\t0\t0\t5\t5\n".encode())
    texts = {
        root / "wnids.txt": "\n".join(classes).encode(),
        root / "val" / "val_annotations.txt": b"".join(lines),
    }
    for path, content in texts.items():
        path.write_bytes(content)
    for _ in range(rng.choice([0, 1, 1, 2])):
        if rng.random() < 0.5:
            _spoil_images(rng, [path for path in images if path.is_file()])
            continue
        path = rng.choice(list(texts))
        kind, content = rng.randrange(7), texts[path]
        if kind == 0:
            path.unlink(missing_ok=True)
            os.mkfifo(path)
        elif kind == 1:
            path.unlink(missing_ok=True)
        elif path.is_file():
            path.write_bytes(
                rng.choice(
                    [
                        b"",
                        content * 2,
                        content + b"\xff\xfe\n",
                        content + b"../../x\tn01\n",
                        content + b"\x1b[31m\tn09\n",
                        content.replace(b"\t", b" "),
                        damaged(rng, content),
                        damaged(rng, content),
                    ]
                )
            )
    settings: dict[str, Any] = {"name": "tiny_imagenet", "path": str(root)}
    if rng.random() < 0.3:
        settings["limit_classes"] = rng.choice([2, 3])
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
