"""Folders of images, sound and in the ways in which they go wrong."""

from __future__ import annotations

import io
import os
import random
import socket
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.torture.spoiling import damaged

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
