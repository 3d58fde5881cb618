"""What `substrate verify` and `show` are pointed at: a noise model, a rule, a crossbar, a bench."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from devices.bench import Bench
from devices.noise.base import NoiseModel
from learning.rules import Rule
from substrate.library import (
    find_rule,
    noise_model,
    noise_models,
    registered_benches,
    registered_crossbars,
    rule_names,
)
from substrate.nearest import did_you_mean
from substrate.plugins import PluginError, load_object, names_plugin
from substrate.scenario.aihwkit_check import refused_config
from substrate.scenario.explain import from_validation_error
from substrate.scenario.overrides import apply_overrides
from substrate.scenario.schema import AihwkitChip, BenchChip, Chip, CustomChip, NativeChip
from substrate.scenario.schema.bench import make_bench
from substrate.scenario.schema.chips import chip_title
from substrate.scenario.source import NOT_GIVEN, Location, Place, ScenarioError, Source


def find_target(name: str, settings: Sequence[str]) -> NoiseModel | Rule | Chip:
    """Make a noise model, a learning rule, or the settings of a chip with the crossbar named.

    Args:
        name: of a noise model, rule, crossbar or bench, shipped or registered; an aihwkit preset;
            or `file.py:Class`, looked for from the working folder.
        settings: parameters as `key=value`; a dot goes into a mapping.

    Raises:
        ScenarioError: there is nothing of that name, or a parameter is wrong.
    """
    folder = Path.cwd()
    try:
        kind = _class_named(name, folder)
    except PluginError as problem:
        raise ScenarioError(problem.message, hint=problem.hint) from None
    if kind is not None:
        source = apply_overrides(Source(Path(name), {}, {(): (name, None)}), settings)
        return kind.model_validate(_checked(source, kind, folder))
    return _chip(name, settings, folder)


def describe(target: NoiseModel | Rule | Chip) -> tuple[str, str, BaseModel]:
    """Give title, source and parameters."""
    if isinstance(target, NoiseModel | Rule):
        return target.title, target.citation, target
    from substrate.library import custom_crossbar

    if isinstance(target, BenchChip):
        bench = make_bench(target)
        return chip_title(target), bench.citation, bench.settings
    if isinstance(target, CustomChip):
        made = custom_crossbar(target.crossbar, Path())
        return made.title, made.citation, made.Parameters.model_validate(target.parameters)
    return chip_title(target), _source(target), target


def _source(chip: Chip) -> str:
    """Where the figures come from: of a preset, in the words of whoever calibrated it."""
    if isinstance(chip, AihwkitChip):
        from devices.crossbars.aihwkit_config import BARE_CONFIGS, PRESETS

        docstring = (PRESETS | BARE_CONFIGS)[chip.preset].__doc__ or ""
        words = docstring.split("Args:")[0].split()
        return f"aihwkit (Rasch et al., AICAS 2021): {' '.join(words)}"
    if isinstance(chip, NativeChip):
        from devices.crossbars.native.presets import TITLES

        return TITLES[chip.preset]
    return ""


def _class_named(name: str, folder: Path) -> type[NoiseModel] | type[Rule] | None:
    if names_plugin(name):
        found = load_object(name, folder)
        if isinstance(found, type) and issubclass(found, Rule):
            return find_rule(name, folder).rule
        is_noise = isinstance(found, type) and issubclass(found, NoiseModel)
        return noise_model(name, folder) if is_noise else None
    if name in noise_models():
        return noise_model(name, folder)
    return find_rule(name, folder).rule if name in rule_names() else None


def _chip(name: str, settings: Sequence[str], folder: Path) -> Chip:
    from devices.crossbars.aihwkit_config import BARE_CONFIGS, PRESETS
    from devices.crossbars.native.presets import PRESETS as NATIVE_PRESETS

    crossbars = [*_shipped(), *registered_crossbars(), *registered_benches()]
    presets = [*PRESETS, *BARE_CONFIGS]
    data: dict[str, Any] = {"crossbar": name}
    if name in presets:
        data = {"crossbar": "aihwkit", "preset": name}
    elif name in NATIVE_PRESETS:
        data = {"crossbar": "native", "preset": name}
    elif name not in crossbars and not names_plugin(name):
        known = [*noise_models(), *rule_names(), *crossbars, *presets, *NATIVE_PRESETS]
        hint = did_you_mean(name, known, "see `substrate list noise`, `devices` and `rules`")
        raise ScenarioError("there is no such noise model, crossbar or rule", found=name, hint=hint)
    own = names_plugin(name) or name in registered_crossbars()
    where = "parameters." if own else ""
    places: dict[Location, Place] = {(): (name, None)}
    source = Source(Path(name), data | ({"parameters": {}} if own else {}), places)
    if _is_bench(name, folder):
        where = "settings."
        source = Source(Path(name), {"bench": name, "settings": {}}, places)
    source = apply_overrides(source, [where + each for each in settings])
    try:
        chip = _Target.model_validate({"chip": source.data}, context={"folder": folder}).chip
    except ValidationError as problem:
        raise _explained(problem, source) from None
    if isinstance(chip, AihwkitChip):
        from devices.crossbars.aihwkit_config import ConfigProblem, preset_config

        try:
            preset_config(chip.preset, chip.config)
        except ConfigProblem as problem:
            raise refused_config(problem, source, ()) from None
    return chip


def _is_bench(name: str, folder: Path) -> bool:
    if not names_plugin(name):
        return name in registered_benches()
    found = load_object(name, folder)
    return isinstance(found, type) and issubclass(found, Bench)


_OF_ONES_OWN = ("custom", "bench", "mock")


def _shipped() -> list[str]:
    """Names of the crossbars that come with the project, as the schema tells them apart."""
    from typing import get_args

    members = get_args(get_args(Chip)[0])
    tags = [get_args(member)[1].tag for member in members]
    return [tag for tag in tags if tag not in _OF_ONES_OWN]


def _checked(source: Source, model: type[NoiseModel] | type[Rule], folder: Path) -> Any:
    try:
        model.model_validate(source.data, context={"folder": folder})
    except ValidationError as problem:
        raise from_validation_error(problem, source, model) from None
    return source.data


class _Target(BaseModel):
    chip: Chip


def _explained(problem: ValidationError, source: Source) -> ScenarioError:
    """Put it as of a scenario's chip, whose kind stands in the location that pydantic gives."""
    places = {("chip", *loc): place for loc, place in source.places.items()}
    whole = Source(source.path, {"chip": source.data}, places)
    told = from_validation_error(problem, whole, _Target)
    return ScenarioError(
        told.message,
        file=told.file,
        line=told.line,
        field=(told.field or "").removeprefix("chip").removeprefix(".") or None,
        found=NOT_GIVEN if told.found is None else told.found,
        hint=told.hint,
    )
