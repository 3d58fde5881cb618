"""A chip on a lab's bench, and the native crossbars that stand for it while it is away.

chip:
  bench: my_bench.py:MyBench     # devices/bench.py says what such a class is
  settings: {address: "TCPIP::10.0.0.7::5025::SOCKET"}
  sample: die 7
  mock: true                     # train on the model that `substrate fit-device --bench` fitted
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, PositiveFloat, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from devices.bench import Bench, ReadsTransposed
from devices.crossbars.native.device import NativeDevice
from substrate.library import bench_class
from substrate.plugins import NotRunError, PluginError, absolute_spec, names_plugin
from substrate.scenario.schema.arrays import ArrayChip
from substrate.scenario.schema.base import FilePath, scenario_folder
from substrate.scenario.schema.native import NativeChip
from substrate.scenario.schema.owned import error_at, existing, fitted

_BENCH = "`my_file.py:MyBench`, `my_module:MyBench`, or a name that an installed package registers."
_SETTINGS = "Of the bench's own `Settings`."
_SAMPLE = "Which chip or sample is on the bench, for people."


class BenchChip(ArrayChip):
    """Every weight matrix on an array of a chip on a bench; activations and biases are ours."""

    bench: str = Field(description=_BENCH)
    settings: dict[str, Any] = Field({}, description=_SETTINGS)
    sample: str = Field("", description=_SAMPLE)
    mock: Literal[False] = Field(
        False, description="Whether a model of the bench is trained in its place."
    )
    inject: bool = Field(
        True, description="Whether the periphery, which is ours, adds known perturbations."
    )

    @field_validator("bench")
    @classmethod
    def _bench_exists(cls, bench: str, info: ValidationInfo) -> str:
        return existing(bench, info, bench_class)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_abilities(cls, data: Any, info: ValidationInfo) -> Any:
        """Write out what the bench says of itself, so that a resolved scenario shows it."""
        return _with_abilities(data, info) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _settings_fit(self, info: ValidationInfo) -> BenchChip:
        try:
            made = make_bench(self, info)
        except NotRunError:
            return self
        object.__setattr__(self, "settings", made.settings.model_dump(mode="json"))
        if self.transposed_read and not isinstance(made, ReadsTransposed):
            raise error_at(
                ("transposed_read",),
                True,
                f"{type(made).__name__} has no read_transposed: its arrays are driven from their "
                "rows alone",
            )
        if self.noise:
            raise error_at(
                ("noise",), len(self.noise), "a chip on a bench has its own noise; a mock may have"
            )
        return self


class MockChip(NativeChip):
    """What stands for a chip on a bench: native crossbars of the device that was fitted to it."""

    crossbar: Literal["native"] = "native"
    bench: str = Field(description=_BENCH)
    settings: dict[str, Any] = Field({}, description=_SETTINGS)
    sample: str = Field("", description=_SAMPLE)
    mock: Literal[True] = Field(description="A model of the bench is trained in its place.")
    largest_input: PositiveFloat | None = Field(
        None,
        description="Most that a row is driven with, in units of the layer's input; what goes "
        "further is scaled down, and its columns' sums and their noise up again. Left out, what "
        "the bench says.",
    )
    model: FilePath = Field(
        description="What `substrate fit-device --bench` wrote; left out, the file of the bench's "
        "name beside it that ends in `.model.yaml`."
    )

    @field_validator("bench")
    @classmethod
    def _bench_exists(cls, bench: str, info: ValidationInfo) -> str:
        return existing(bench, info, bench_class)

    @model_validator(mode="before")
    @classmethod
    def _fill_in_model(cls, data: Any, info: ValidationInfo) -> Any:
        """Write out the device that was fitted; keys given beside it change its figures."""
        if not isinstance(data, dict) or not isinstance(data.get("bench"), str):
            return data  # the field says what it must be
        folder = scenario_folder(info)
        path = data.get("model") or default_model(data["bench"], folder)
        if path is None:
            raise error_at(("model",), None, "this key is missing: the bench is in no file")
        fitted_model = _read_model(folder / str(path))
        given = {"inject": True, "model": str(path), **fitted_model, **_with_abilities(data, info)}
        if (bench := _made(data, info)) is not None and given.get("largest_input") is None:
            given["largest_input"] = float(bench.largest_input)
        return given


def make_bench(chip: BenchChip | MockChip, info: ValidationInfo | None = None) -> Bench:
    """Make the bench of a chip; nothing is connected.

    Args:
        chip: of a scenario that was read, or is being read.
        info: of the scenario where it is being read.

    Raises:
        NotRunError: nothing may be run.
        ValidationError: the settings do not fit.
    """
    kind = bench_class(chip.bench, Path())
    settings = fitted(kind.Settings, chip.settings, "settings", f"the bench {chip.bench}", info)
    made = kind(settings)
    if not made.arrays:
        raise error_at(("bench",), chip.bench, f"{kind.__name__} says of no array in `arrays`")
    return made


def default_model(bench: str, folder: Path) -> Path | None:
    """Where the model of a bench lies: beside its file; None where it has none."""
    if not names_plugin(bench):
        return None
    try:
        place, _, _ = absolute_spec(bench, folder).rpartition(":")
    except PluginError:
        return None
    return Path(place).with_suffix(".model.yaml") if place.endswith(".py") else None


def _with_abilities(data: Mapping[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """Add how large arrays are, and whether they are driven from their columns."""
    given = dict(data)
    try:
        bench_class(str(data.get("bench")), scenario_folder(info))
    except NotRunError:  # whether it can is not known, and no reason to refuse a rule
        return {"transposed_read": True} | given
    except PluginError:
        return given
    made = _made(data, info)
    if made is None or not made.arrays:
        return given
    largest = max(made.arrays, key=lambda size: size.rows * size.columns)
    given.setdefault("transposed_read", isinstance(made, ReadsTransposed))
    for key, most in (("max_rows", largest.rows), ("max_columns", largest.columns)):
        if given.get(key) is None:
            given[key] = most
    return given


def _made(data: Mapping[str, Any], info: ValidationInfo) -> Bench | None:
    """Make the bench of a chip that is not read yet; None where that is not possible."""
    try:
        kind = bench_class(str(data.get("bench")), scenario_folder(info))
        settings = data.get("settings") or {}
        return kind(kind.Settings.model_validate(settings, context=info.context))
    except (NotRunError, PluginError, ValueError, TypeError):
        return None  # what is wrong is said where it is read


def _read_model(path: Path) -> dict[str, Any]:
    """Read the device and the noise that a model says."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PydanticCustomError(
            "model",
            "{message}",
            {
                "message": f"there is no model {path}; `substrate fit-device --bench` measures the "
                "bench and writes one"
            },
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise error_at(("model",), str(path), f"cannot be read: {problem}") from None
    if not isinstance(found, dict) or not isinstance(found.get("device"), dict):
        raise error_at(("model",), str(path), "is no model of a bench: it says of no `device`")
    device = NativeDevice.model_validate(found["device"])
    return {"device": device.model_dump(mode="json"), "noise": found.get("noise") or []}
