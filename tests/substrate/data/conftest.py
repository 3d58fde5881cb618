"""A cache of its own for every test, and images to fill folders with."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from substrate.data import load_dataset
from substrate.data.dataset import Dataset
from substrate.scenario.schema import Data

Load = Callable[..., Dataset]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("SUBSTRATE_CACHE", str(folder))
    return folder


@pytest.fixture
def load() -> Load:
    def by_settings(**settings: object) -> Dataset:
        return load_dataset(TypeAdapter(Data).validate_python(settings))

    return by_settings


def write_image(path: Path, grey: int, size: tuple[int, int] = (4, 3)) -> None:
    """A PNG of one colour: red is `grey`, green and blue are 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    pixels[..., 0] = grey
    Image.fromarray(pixels).save(path)


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Two classes with two training images and one test image each, 4×3 pixels."""
    root = tmp_path / "pictures"
    for label, name in enumerate(("cat", "dog")):
        for index in range(2):
            write_image(root / "train" / name / f"{index}.png", 100 * label + 10 * index)
        write_image(root / "test" / name / "0.png", 100 * label + 50)
    return root
