"""Noise models, crossbars and learning rules by the names that a scenario gives them.

A name is that of a shipped model, or of one that an installed package registers under an
entry-point group; `my_lab.py:CryoReadNoise` is a class of the user's own (`substrate.plugins`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from devices.bench import Bench
from devices.crossbars.custom import CustomCrossbar
from devices.noise import MODELS
from devices.noise.base import NoiseModel
from learning.rules import RULES, Rule
from substrate.nearest import did_you_mean
from substrate.plugins import PluginError, load_object, names_plugin

NOISE_GROUP = "substrate.noise"
CROSSBAR_GROUP = "substrate.crossbars"
RULE_GROUP = "substrate.rules"
BENCH_GROUP = "substrate.benches"


class FoundRule(NamedTuple):
    """A rule, and whether the name that it was found by implies decorrelation."""

    rule: type[Rule]
    decorrelates: bool


def noise_models() -> list[str]:
    """Names of the noise models that are shipped or registered."""
    return [*MODELS, *_registered(NOISE_GROUP)]


def registered_crossbars() -> list[str]:
    """Names of the crossbars that installed packages register."""
    return _registered(CROSSBAR_GROUP)


def noise_model(name: str, folder: Path) -> type[NoiseModel]:
    """Find a noise model's class.

    Args:
        name: shipped, registered, or the place of a class of the user's own.
        folder: what a relative file is looked for in.

    Raises:
        PluginError: there is none of that name, or it is no noise model.
    """
    if name in MODELS:
        return MODELS[name]
    found = _find(name, folder, NOISE_GROUP, noise_models(), "noise model")
    if not (isinstance(found, type) and issubclass(found, NoiseModel)):
        raise PluginError(f"{name} is no noise model", "derive it from devices.noise.NoiseModel")
    for attribute in ("name", "title", "citation"):
        if not isinstance(getattr(found, attribute, None), str):
            raise PluginError(
                f"{name} says no {attribute}",
                f'add the line: {attribute}: ClassVar[str] = "..."',
            )
    taken = {"model", "at", "layers"} & found.model_fields.keys()
    if taken:
        raise PluginError(
            f"{name} has a parameter {min(taken)}", "scenarios use that key themselves"
        )
    return found


def custom_crossbar(name: str, folder: Path) -> type[CustomCrossbar]:
    """Find the class of a crossbar of somebody's own; as `noise_model`.

    Raises:
        PluginError: there is none of that name, or it is no crossbar.
    """
    found = _find(name, folder, CROSSBAR_GROUP, registered_crossbars(), "crossbar")
    missing = [each for each in _CROSSBAR_MEMBERS if not hasattr(found, each)]
    if not isinstance(found, type) or missing:
        raise PluginError(f"{name} is no crossbar", f"it lacks {', '.join(missing)}")
    parameters = found.Parameters  # type: ignore[attr-defined]
    if not (isinstance(parameters, type) and issubclass(parameters, BaseModel)):
        raise PluginError(f"{name}.Parameters is no pydantic model", "derive it from BaseModel")
    return found


def registered_benches() -> list[str]:
    """Names of the benches that installed packages register."""
    return _registered(BENCH_GROUP)


def bench_class(name: str, folder: Path) -> type[Bench]:
    """Find the class of a lab's bench; as `noise_model`.

    Raises:
        PluginError: there is none of that name, or it is no bench.
    """
    found = _find(name, folder, BENCH_GROUP, registered_benches(), "bench")
    if not (isinstance(found, type) and issubclass(found, Bench)):
        raise PluginError(f"{name} is no bench", "derive it from devices.bench.Bench")
    if found.read is Bench.read:
        raise PluginError(f"{name} has no read", "it gives what the columns give: see Bench.read")
    if not any(hasattr(found, each) for each in ("program", "update", "update_outer")):
        raise PluginError(
            f"{name} can be read and not be written", "add program, update or update_outer"
        )
    if not (isinstance(found.Settings, type) and issubclass(found.Settings, BaseModel)):
        raise PluginError(f"{name}.Settings is no pydantic model", "derive it from BaseModel")
    return found


def find_rule(name: str, folder: Path) -> FoundRule:
    """Find a learning rule's class; as `noise_model`.

    Raises:
        PluginError: there is none of that name, or it is no learning rule.
    """
    for rule in RULES.values():
        if name in (rule.name, rule.decorrelated_name):
            return FoundRule(rule, decorrelates=name != rule.name)
    found = _find(name, folder, RULE_GROUP, rule_names(), "rule")
    if not (isinstance(found, type) and issubclass(found, Rule)):
        raise PluginError(f"{name} is no learning rule", "derive it from learning.rules.Rule")
    for attribute in ("name", "title", "citation"):
        if not isinstance(getattr(found, attribute, None), str):
            raise PluginError(
                f"{name} says no {attribute}",
                f'add the line: {attribute}: ClassVar[str] = "..."',
            )
    return FoundRule(found, decorrelates=False)


def rule_names() -> list[str]:
    """Every name that a scenario may call a rule by that is shipped or registered.

    Only shipped rules have a second name, with decorrelation.
    """
    shipped = [each for rule in RULES.values() for each in (rule.name, rule.decorrelated_name)]
    return [*filter(None, shipped), *_registered(RULE_GROUP)]


def rule_title(name: str) -> str:
    """Say what the name of a shipped or registered rule stands for.

    Raises:
        PluginError: as `find_rule`.
    """
    rule, decorrelates = find_rule(name, Path())
    return f"{rule.title} with decorrelated layer inputs" if decorrelates else rule.title


_CROSSBAR_MEMBERS = (
    "Parameters",
    "title",
    "citation",
    "noise_free",
    "program",
    "read",
    "read_transposed",
    "update",
)


@cache  # every crossbar of a scenario asks several times, and the disk is read for it
def _registered(group: str) -> list[str]:
    return sorted(entry.name for entry in entry_points(group=group))


def _find(name: str, folder: Path, group: str, known: Iterable[str], what: str) -> Any:
    if names_plugin(name):
        return load_object(name, folder)
    for entry in entry_points(group=group, name=name):
        try:
            return entry.load()
        except Exception as problem:
            raise PluginError(f"{entry.value} cannot be imported: {problem}") from problem
    known = list(known)
    raise PluginError(f"there is no {what} {name!r}", did_you_mean(name, known) if known else None)
