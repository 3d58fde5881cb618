"""Models that packages register, and objects that are no models."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from devices.noise import MODELS, GaussianNoise
from substrate import library
from substrate.plugins import PluginError


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    entries = [
        EntryPoint("borrowed", "devices.noise.uniform:UniformNoise", library.NOISE_GROUP),
        EntryPoint("gone", "no_such_package:Noise", library.NOISE_GROUP),
        EntryPoint("bare", "devices.crossbars.ideal:IdealCrossbar", library.CROSSBAR_GROUP),
    ]

    def entry_points(group: str, **wanted: Any) -> list[EntryPoint]:
        named = [each for each in entries if each.group == group]
        return [each for each in named if each.name == wanted.get("name", each.name)]

    monkeypatch.setattr(library, "entry_points", entry_points)
    library._registered.cache_clear()
    yield
    library._registered.cache_clear()


@pytest.mark.usefixtures("registered")
def test_a_registered_model_is_found_by_its_name() -> None:
    assert library.noise_model("borrowed", Path()).__name__ == "UniformNoise"
    assert library.noise_models() == [*MODELS, "borrowed", "gone"]
    with pytest.raises(PluginError, match="no_such_package:Noise cannot be imported"):
        library.noise_model("gone", Path())
    with pytest.raises(PluginError, match="did you mean 'borrowed'"):
        library.noise_model("borowed", Path())


@pytest.mark.usefixtures("registered")
def test_a_crossbar_that_lacks_something_is_refused_by_what_it_lacks() -> None:
    with pytest.raises(PluginError, match="it lacks Parameters, title, citation"):
        library.custom_crossbar("bare", Path())


def test_an_object_that_is_no_noise_model_is_refused(working_folder: Path) -> None:
    (working_folder / "odd.py").write_text(ODD)
    for name, message in (
        ("number", "is no noise model"),
        ("Nameless", "says no name"),
        ("Taken", "has a parameter layers"),
    ):
        with pytest.raises(PluginError, match=message):
            library.noise_model(f"odd.py:{name}", working_folder)


def test_a_shipped_model_needs_no_folder() -> None:
    assert library.noise_model("gaussian", Path("/nowhere")) is GaussianNoise


ODD = """
from typing import ClassVar
from devices.noise.base import NoiseModel

number = 3

class Nameless(NoiseModel):
    std: float = 1.0

class Taken(NoiseModel):
    name: ClassVar[str] = "x"
    title: ClassVar[str] = "x"
    citation: ClassVar[str] = "x"
    layers: int = 3
"""
