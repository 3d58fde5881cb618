"""Configurations of aihwkit tiles from plain settings, every field by its aihwkit name.

    forward: {out_noise: 0.02}                  fields that are left out stay as the preset has them
    noise_model: {class: HermesNoiseModel}      `class` begins anew, with that class's defaults
    unit_cell_devices: [{dw_min: 0.01}, {class: SoftBoundsDevice}]      the same in a list
    update: {pulse_type: MEAN_COUNT}            enumerations by the name of their member

Names and types are those of aihwkit's own classes as installed: dataclass fields, and the
parameters of a constructor where aihwkit has no dataclass (noise models, conductance converters).
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from aihwkit.inference.noise.base import BaseNoiseModel
from aihwkit.inference.noise.hermes import HermesNoiseModel
from aihwkit.simulator import presets as aihwkit_presets
from aihwkit.simulator.configs.devices import PulsedDevice
from aihwkit.simulator.parameters.base import RPUConfigBase
from aihwkit.simulator.tiles.base import SimulatorTile
from aihwkit.simulator.tiles.module import TileModule

PRESETS: dict[str, type[Any]] = {
    name: getattr(aihwkit_presets, name)
    for name in sorted(dir(aihwkit_presets))
    if name.endswith("Preset")
}
"""All presets of the installed aihwkit, by class name."""

Path = tuple[str | int, ...]

# Fields whose type aihwkit leaves open, or too narrow: `noise_model` may be None.
_OPEN_FIELDS: dict[str, Any] = {
    "tile_class": type[TileModule],
    "simulator_tile_class": type[SimulatorTile],
    "unit_cell_devices": list[PulsedDevice],
    "noise_model": BaseNoiseModel | HermesNoiseModel | None,
}


class ConfigProblem(Exception):
    """A setting that aihwkit does not know, or that does not fit.

    Attributes:
        path: keys and list indices that lead to it.
        found: the value that stands there.
        known: the names that would have been valid, if it is a name that is wrong.
    """

    def __init__(self, path: Path, message: str, found: Any, known: Sequence[str] = ()) -> None:
        """Say what is wrong, and where."""
        super().__init__(message)
        self.path = path
        self.found = found
        self.known = sorted(known)


def _with_subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    yield cls
    for subclass in cls.__subclasses__():
        yield from _with_subclasses(subclass)


BARE_CONFIGS: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in _with_subclasses(RPUConfigBase)
    if hasattr(cls, "tile_class") and cls.__name__ not in PRESETS
}
"""aihwkit's configuration classes that are no presets, by class name."""


def preset_config(preset: str, settings: Mapping[str, Any] | None = None) -> Any:
    """Make a tile configuration from a preset or a bare configuration class.

    The matrix stands on a single array (`devices.crossbars.tiled` splits it where it must be).
    `FloatingPointPreset` is what its docstring says, without the noise model that its base class
    brings, unless `settings` name one; `noise_model: null` does the same for others.

    Args:
        preset: name of a class in `PRESETS` or `BARE_CONFIGS`.
        settings: fields to set, nested as in aihwkit's classes.

    Raises:
        ConfigProblem: aihwkit has no such preset, field or member, or a value of another type.
    """
    known = PRESETS | BARE_CONFIGS
    if preset not in known:
        raise ConfigProblem(("preset",), "aihwkit has no such preset", preset, list(known))
    config = known[preset]()
    config.mapping.max_input_size = 0
    config.mapping.max_output_size = 0
    if preset == "FloatingPointPreset":
        config.noise_model = None
    _set_fields(config, settings or {}, ())
    return config


def _set_fields(instance: Any, settings: Mapping[str, Any], path: Path) -> None:
    """Set fields of a dataclass by name."""
    fields = {field.name: field for field in dataclasses.fields(instance)}
    types = _types(type(instance))
    for name, given in settings.items():
        here = (*path, name)
        if name not in fields:
            what = f"{type(instance).__name__} has no such field"
            raise ConfigProblem(here, what, name, list(fields))
        if not fields[name].init:
            what = f"aihwkit keeps this field as it is in {type(instance).__name__}"
            raise ConfigProblem(here, what, given)
        setattr(instance, name, _value(types[name], given, getattr(instance, name, None), here))


def _types(cls: type[Any]) -> dict[str, Any]:
    """The type of every field, or of every parameter of the constructor."""
    described = cls if dataclasses.is_dataclass(cls) else cls.__init__
    hints = get_type_hints(described, localns={"PulsedDevice": PulsedDevice})
    return hints | {name: type_ for name, type_ in _OPEN_FIELDS.items() if name in hints}


def _value(type_: Any, given: Any, current: Any, path: Path) -> Any:
    """Turn a plain value into what a field of this type holds."""
    origin, arguments = get_origin(type_), get_args(type_)
    members = list(arguments) if origin in (Union, UnionType) else [type_]
    if given is None and NoneType in members:
        return None
    members = [member for member in members if member is not NoneType]
    if len(members) == 1 and members[0] is not type_:
        return _value(members[0], given, current, path)
    if origin is type:
        return _named(given, _choices(arguments), path)
    if type_ is list or origin is list:
        return _list(arguments, given, current, path)
    if type_ is dict or origin is dict:
        return _dict(arguments, given, path)
    if isinstance(type_, type) and issubclass(type_, Enum):
        return _named(given, type_.__members__, path)
    if type_ in (bool, int, float, str):
        return _scalar(type_, given, path)
    if all(isinstance(member, type) for member in members):
        return _object(members, given, current, path)
    return given


def _scalar(type_: type[Any], given: Any, path: Path) -> Any:
    if type_ is float and isinstance(given, int) and not isinstance(given, bool):
        return float(given)
    if isinstance(given, float) and not math.isfinite(given):
        raise ConfigProblem(path, "must be a finite number", given)
    if not isinstance(given, type_) or (isinstance(given, bool) and type_ is not bool):
        named = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
        raise ConfigProblem(path, f"must be {named[type_]}", given)
    return given


def _named(given: Any, choices: Mapping[str, Any], path: Path) -> Any:
    if not isinstance(given, str) or given not in choices:
        raise ConfigProblem(path, "aihwkit has nothing of that name here", given, list(choices))
    return choices[given]


def _list(arguments: tuple[Any, ...], given: Any, current: Any, path: Path) -> list[Any]:
    if not isinstance(given, list):
        raise ConfigProblem(path, "must be a list", given)
    if not arguments:
        return given
    before = list(current or [])[: len(given)]
    before += [None] * (len(given) - len(before))
    return [
        _value(arguments[0], item, old, (*path, index))
        for index, (item, old) in enumerate(zip(given, before, strict=True))
    ]


def _dict(arguments: tuple[Any, ...], given: Any, path: Path) -> dict[Any, Any]:
    if not isinstance(given, dict):
        raise ConfigProblem(path, "must be a mapping of keys to values", given)
    key_type, value_type = arguments or (Any, Any)
    converted = {}
    for key, value in given.items():
        try:  # the keys of a scenario are text
            name = float(key) if key_type is float else key
            if isinstance(name, float) and not math.isfinite(name):
                raise ValueError
        except ValueError:
            raise ConfigProblem((*path, key), "this key must be a number", key) from None
        converted[name] = _value(value_type, value, None, (*path, key))
    return converted


def _choices(bases: Sequence[type[Any]]) -> dict[str, type[Any]]:
    """Every class that a field of these types may hold, by name."""
    return {cls.__name__: cls for base in bases for cls in _with_subclasses(base)}


def _object(bases: Sequence[type[Any]], given: Any, current: Any, path: Path) -> Any:
    """Make or change an object: parameters of a tile, a device, a noise model, a converter."""
    choices = _choices(bases)
    if not isinstance(given, dict):
        raise ConfigProblem(path, "must be a mapping of keys to values", given)
    settings = dict(given)
    cls: Any
    if "class" in settings:
        cls = _named(settings.pop("class"), choices, (*path, "class"))
        current = None
    elif current is not None:
        cls = type(current)
    elif len(choices) == 1:
        (cls,) = choices.values()
    else:
        raise ConfigProblem((*path, "class"), "this key is missing", None, list(choices))
    has_fields = dataclasses.is_dataclass(cls)
    if not has_fields:
        return _construct(cls, settings, path)
    instance = _construct(cls, {}, path) if current is None else current
    _set_fields(instance, settings, path)
    return instance


def _construct(cls: type[Any], settings: Mapping[str, Any], path: Path) -> Any:
    """Make an object whose settings are the parameters of its constructor."""
    parameters = dict(inspect.signature(cls).parameters)
    types = _types(cls)
    for name in settings:
        if name not in parameters:
            what = f"{cls.__name__} has no such parameter"
            raise ConfigProblem((*path, name), what, name, list(parameters))
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in settings:
            raise ConfigProblem((*path, name), f"{cls.__name__} needs this key", None)
    arguments = {
        name: _value(types.get(name, Any), given, None, (*path, name))
        for name, given in settings.items()
    }
    try:
        return cls(**arguments)
    except Exception as problem:  # aihwkit asserts, and raises whatever its arithmetic does
        raise ConfigProblem(path, f"{cls.__name__} refuses: {problem}", dict(settings)) from None
