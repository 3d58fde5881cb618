"""A chip's device in words: every parameter that is at work, with its unit, and the source."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
)
from substrate.scenario.schema.bench import make_bench

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


def device_in_words(chip: Chip) -> Device | None:
    """Describe a chip's device; None for the ideal chip, which has none."""
    if isinstance(chip, IdealChip):
        return None
    if isinstance(chip, BenchChip):
        return _on_bench(chip)
    if isinstance(chip, MockChip):
        made = bench_class(chip.bench, Path())
        source = f"fitted to {made.title or made.__name__} by its own reads ({chip.model})"
        parameters = list(_native(chip))
    elif isinstance(chip, NativeChip):
        from devices.crossbars.native.presets import TITLES

        source, parameters = TITLES[chip.preset], list(_native(chip))
    elif isinstance(chip, CustomChip):
        own = custom_crossbar(chip.crossbar, Path())
        source = own.citation
        parameters = list(_of_model(own.Parameters.model_validate(chip.parameters)))
    else:
        source, parameters = _aihwkit(chip)
    for noise in chip.noise:
        model = noise_model(noise.model, Path())
        source += f"; {noise.model} noise: {model.citation}"
        name = model.name
        for field, info in model.model_fields.items():
            meaning = f"{info.description or field} ({noise.at})"
            value = getattr(noise, field)
            parameters.append(Parameter(name=f"{name}.{field}", value=f"{value}", meaning=meaning))
    return Device(source=source, parameters=parameters)


def _on_bench(chip: BenchChip) -> Device:
    bench = make_bench(chip)
    told = [
        ("arrays", in_words(bench.arrays), "that the bench reads and writes"),
        ("largest_input", _value(bench.largest_input), "most that a row is driven with"),
        ("largest_weight", _value(bench.largest_weight), "most that a cell holds"),
    ]
    if chip.sample:
        told.append(("sample", chip.sample, "on the bench"))
    parameters = [Parameter(name=name, value=value, meaning=what) for name, value, what in told]
    return Device(
        source=bench.citation or bench.title or chip.bench,
        parameters=[*parameters, *_of_model(bench.settings, "settings.")],
    )


def _native(chip: NativeChip) -> Iterator[Parameter]:
    device = chip.device
    for place, model in device:
        idle = {
            "drift": device.drift.nu == 0,
            "faults": device.faults.total == 0,
            "line_resistance": device.line_resistance.negligible,
        }
        if not idle.get(place, False):
            yield from _of_model(model, f"{place}.")


def _of_model(model: BaseModel, prefix: str = "") -> Iterator[Parameter]:
    for name, info in type(model).model_fields.items():
        yield Parameter(
            name=prefix + name,
            value=_value(getattr(model, name)),
            meaning=info.description or name.replace("_", " "),
        )


def _aihwkit(chip: AihwkitChip) -> tuple[str, list[Parameter]]:
    from devices.crossbars.aihwkit import devices_of
    from devices.crossbars.aihwkit_config import preset_config

    config = preset_config(chip.preset, chip.config)
    parts = list(devices_of(config.device)) if hasattr(config, "device") else []
    # of a unit cell the first device that is pulsed speaks for all
    cell = next((each for each in parts if hasattr(each, "dw_min")), None)
    noise = getattr(config, "noise_model", None)
    update = getattr(config, "update", None)
    told: list[tuple[str, Any, str]] = []
    for place, part, meanings in (
        ("device", cell, _AIHWKIT_DEVICE),
        ("forward", getattr(config, "forward", None), _AIHWKIT_FORWARD),
        ("update", update, {"desired_bl": "slots of the longest pulse train"}),
    ):
        told += [
            (f"{place}.{name}", getattr(part, name), meaning)
            for name, meaning in meanings.items()
            if getattr(part, name, None) is not None
        ]
    if noise is not None:
        told.append(("noise_model", type(noise).__name__, "programming error, read noise, drift"))
    described = cell if cell is not None else noise if noise is not None else config
    source = f"IBM aihwkit, {chip.preset}: {_first_paragraph(type(described))}"
    return source, [
        Parameter(name=name, value=_value(value), meaning=meaning) for name, value, meaning in told
    ]


def _first_paragraph(cls: type[Any]) -> str:
    paragraph = (inspect.getdoc(cls) or cls.__name__).partition("\n\n")[0]
    without_roles = re.sub(r":\w+:`~?([^`<]*?)(?:\s*<[^`]*>)?`", r"\1", paragraph)
    return " ".join(without_roles.split())


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple | list):
        return ", ".join(_value(each) for each in value)
    return str(value)
