"""Content as it goes wrong: damaged bytes, arrays and headers as nobody should store them."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np


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
