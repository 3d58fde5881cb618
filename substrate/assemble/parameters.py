"""A chip's device in words: every parameter that is at work, with its unit, and the source."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from devices.crossbars.open_bench import in_words
from substrate.library import bench_class, custom_crossbar, noise_model
from substrate.record.device import Device, Parameter
from substrate.scenario.schema import (
    AihwkitChip,
    BenchChip,
    Chip,
    CustomChip,
    IdealChip,
    MockChip,
    NativeChip,
    RemoteChip,
)
from substrate.scenario.schema.bench import make_bench

_OWN = "this scenario"
_FEW = 4
"""Names that a line has room for."""

_AIHWKIT_DEVICE = {
    "dw_min": "mean step of one pulse, in units of the weight",
    "dw_min_dtod": "spread of the step from device to device, a fraction of it",
    "dw_min_std": "spread of the step from pulse to pulse, a fraction of it",
    "up_down": "asymmetry of up and down steps, a fraction of the step",
    "up_down_dtod": "spread of the asymmetry from device to device",
    "w_max": "mean highest weight",
    "w_max_dtod": "its spread from device to device, a fraction of it",
    "w_min": "mean lowest weight",
    "w_min_dtod": "its spread from device to device, a fraction of it",
    "gamma_up": "how much the up step shrinks towards the highest weight",
    "gamma_down": "how much the down step shrinks towards the lowest weight",
    "write_noise_std": "spread of a written weight, in units of dw_min",
    "lifetime": "decay of a weight, in updates",
    "corrupt_devices_prob": "fraction of devices that are stuck",
}
_AIHWKIT_FORWARD = {
    "inp_res": "step of the DACs, a part of their range",
    "out_res": "step of the ADCs, a part of their range",
    "out_bound": "range of the ADCs, in units of the weight times the largest input",
    "out_noise": "standard deviation of the noise on every column, in the same units",
    "w_noise": "standard deviation of the noise on every weight in a read",
    "ir_drop": "strength of the voltage drop along lines, 1 is what the wires of a real array have",
}


class Setting(NamedTuple):
    """A parameter of a chip's device that is at work.

    Attributes:
        name: as reports name it.
        path: of it within the chip, as `--set` has it; empty where it cannot be set by itself.
        value: as the simulation has it.
        meaning: in words, with the unit.
        source: where the value comes from.
    """

    name: str
    path: str
    value: Any
    meaning: str
    source: str


def device_in_words(chip: Chip) -> Device | None:
    """Describe a chip's device; None for the ideal chip, and for one that has to be asked."""
    settings = settings_of(chip)
    if isinstance(chip, IdealChip | RemoteChip):
        return None
    if isinstance(chip, BenchChip):
        return _on_bench(chip)
    if isinstance(chip, MockChip):
        made = bench_class(chip.bench, Path())
        source = f"fitted to {made.title or made.__name__} by its own reads ({chip.model})"
    elif isinstance(chip, NativeChip):
        from devices.crossbars.native.presets import TITLES

        source = TITLES[chip.preset] + _with_own(chip)
    elif isinstance(chip, CustomChip):
        source = custom_crossbar(chip.crossbar, Path()).citation
    else:
        source = settings[0].source if settings else f"IBM aihwkit, {chip.preset}"
    for noise in chip.noise:
        source += f"; {noise.model} noise: {noise_model(noise.model, Path()).citation}"
    parameters = [
        Parameter(name=each.name, value=value_in_words(each.value), meaning=each.meaning)
        for each in settings
    ]
    return Device(source=source, parameters=parameters)


def _with_own(chip: NativeChip) -> str:
    """Say which figures are not the preset's; many are counted."""
    from devices.crossbars.native.presets import PRESETS

    own = [
        f"{place}.{name}"
        for place, published in PRESETS[chip.preset]
        for name, figure in published
        if getattr(getattr(chip, place), name) != figure
    ]
    if not own:
        return ""
    return f"; by this scenario: {', '.join(own) if len(own) <= _FEW else f'{len(own)} figures'}"


def _on_bench(chip: BenchChip) -> Device:
    bench = make_bench(chip)
    told = [
        ("arrays", in_words(bench.arrays), "that the bench reads and writes"),
        ("largest_input", value_in_words(bench.largest_input), "most that a row is driven with"),
        ("largest_weight", value_in_words(bench.largest_weight), "most that a cell holds"),
    ]
    if chip.sample:
        told.append(("sample", chip.sample, "on the bench"))
    told += [
        (each.name, value_in_words(each.value), each.meaning)
        for each in _of_model(bench.settings, "settings.", "settings.", _OWN)
    ]
    return Device(
        source=bench.citation or bench.title or chip.bench,
        parameters=[Parameter(name=name, value=value, meaning=what) for name, value, what in told],
    )


def settings_of(chip: Chip) -> list[Setting]:
    """Give every parameter of a chip's device and of its noise that is at work.

    None of a chip that is not simulated here, behind a wire or on a bench.
    """
    if isinstance(chip, IdealChip | RemoteChip | BenchChip):
        return []
    if isinstance(chip, NativeChip):
        found = list(_native(chip))
    elif isinstance(chip, CustomChip):
        made = custom_crossbar(chip.crossbar, Path())
        parameters = made.Parameters.model_validate(chip.parameters)
        found = list(_of_model(parameters, "", "parameters.", made.citation))
    else:
        found = list(_aihwkit(chip))
    for number, noise in enumerate(chip.noise):
        model = noise_model(noise.model, Path())
        for field, info in model.model_fields.items():
            meaning = f"{info.description or field} ({noise.at})"
            path = f"noise.{number}.{field}"
            value = getattr(noise, field)
            found.append(Setting(f"{model.name}.{field}", path, value, meaning, model.citation))
    return found


def _native(chip: NativeChip) -> Iterator[Setting]:
    from devices.crossbars.native.presets import PRESETS, TITLES

    device, published = chip.device, PRESETS[chip.preset]
    idle = {
        "drift": device.drift.nu == 0,
        "faults": device.faults.total == 0,
        "line_resistance": device.line_resistance.negligible,
    }
    for place, model in device:
        if idle.get(place, False):
            continue
        for each in _of_model(model, f"{place}.", f"{place}.", TITLES[chip.preset]):
            name = each.name.partition(".")[2]
            own = getattr(getattr(published, place), name) != each.value
            yield each._replace(source=_OWN) if own else each
    if not chip.readout_converter.exact:
        yield from _of_model(
            chip.readout_converter, "readout_converter.", "readout_converter.", _OWN
        )


def _of_model(model: BaseModel, prefix: str, path: str, source: str) -> Iterator[Setting]:
    for name, info in type(model).model_fields.items():
        meaning = info.description or name.replace("_", " ")
        yield Setting(prefix + name, path + name, getattr(model, name), meaning, source)


def _aihwkit(chip: AihwkitChip) -> Iterator[Setting]:
    from devices.crossbars.aihwkit import devices_of
    from devices.crossbars.aihwkit_config import preset_config

    config = preset_config(chip.preset, chip.config)
    device = getattr(config, "device", None)
    parts = list(devices_of(device)) if device is not None else []
    # of a unit cell the first device that is pulsed speaks for all
    cell = next((each for each in parts if hasattr(each, "dw_min")), None)
    noise = getattr(config, "noise_model", None)
    described = cell if cell is not None else noise if noise is not None else config
    source = f"IBM aihwkit, {chip.preset}: {_first_paragraph(type(described))}"
    for place, part, meanings in (
        ("device", cell, _AIHWKIT_DEVICE),
        ("forward", getattr(config, "forward", None), _AIHWKIT_FORWARD),
        (
            "update",
            getattr(config, "update", None),
            {"desired_bl": "slots of the longest pulse train"},
        ),
    ):
        alone = part is not cell or cell is device
        for name, meaning in meanings.items():
            if (value := getattr(part, name, None)) is not None:
                path = f"config.{place}.{name}" if alone else ""
                yield Setting(f"{place}.{name}", path, value, meaning, source)
    if noise is not None:
        meaning = "programming error, read noise, drift"
        yield Setting("noise_model", "", type(noise).__name__, meaning, source)


def _first_paragraph(cls: type[Any]) -> str:
    paragraph = (inspect.getdoc(cls) or cls.__name__).partition("\n\n")[0]
    without_roles = re.sub(r":\w+:`~?([^`<]*?)(?:\s*<[^`]*>)?`", r"\1", paragraph)
    return " ".join(without_roles.split())


def value_in_words(value: Any) -> str:
    """``0.0002``, ``1, 2``: numbers to four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple | list):
        return ", ".join(value_in_words(each) for each in value)
    return str(value)
