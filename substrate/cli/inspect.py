"""`substrate check` and `substrate list`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from rich.table import Table

from substrate.cli.scenario import inspect_scenario
from substrate.data import DATASETS
from substrate.data.error import DataError
from substrate.data.npz import understood
from substrate.data.paths import expand
from substrate.nearest import did_you_mean
from substrate.plugins import PluginError
from substrate.scenario.schema import Scenario
from substrate.scenario.schema.data import Npz
from substrate.scenario.shipped import shipped_scenarios
from substrate.scenario.source import ScenarioError, Source
from substrate.scenario.yaml_reader import load_yaml
from substrate.terminal import Console, tell


def check_command(path: Path, overrides: list[str], budget: str, as_json: bool) -> None:
    """Validate a scenario, and say what it would run and which code of its own was not run."""
    scenario, source, not_run = inspect_scenario(path, overrides, budget)
    data = _own_data(scenario, source)
    for each in not_run:
        message = f"not run, so not checked: {each} (--trust runs it, and checks all)"
        tell(message, err=True)
    if as_json:
        tell(scenario.model_dump_json(indent=2, exclude_none=True))
        return
    runs = len(scenario.all_arms) * len(scenario.seeds)
    tell(
        f"{path}: valid. {runs} runs of {scenario.training.epochs} epochs: "
        f"{', '.join(scenario.all_arms)}; seeds {', '.join(map(str, scenario.seeds))}"
    )
    if data:
        tell(f"Data: {data}")


def _own_data(scenario: Scenario, source: Source) -> str:
    """Say how arrays of the user's own are read, if they lie here; other data is known."""
    if not isinstance(scenario.data, Npz):
        return ""
    try:
        if not expand(scenario.data.path).exists():
            return f"{scenario.data.path} is not here"
        return understood(scenario.data)
    except DataError as problem:
        raise source.error(("data",), str(problem)) from None


def list_command(what: str, as_json: bool) -> None:
    """Print one of the lists.

    Raises:
        ScenarioError: there is no such list.
    """
    lists: dict[str, Callable[[], dict[str, str]]] = {
        "devices": _devices,
        "noise": _noise,
        "rules": _rules,
        "datasets": lambda: DATASETS,
        "scenarios": _scenarios,
    }
    if what not in lists:
        hint = did_you_mean(what, lists)
        raise ScenarioError("there is no such list", found=what, hint=hint)
    entries = lists[what]()
    if as_json:
        rows = [{"name": name, "description": text} for name, text in entries.items()]
        tell(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, text in entries.items():
        table.add_row(name, text)
    Console().print(table)


def _devices() -> dict[str, str]:
    from devices.crossbars.aihwkit_config import BARE_CONFIGS, PRESETS
    from devices.crossbars.native.presets import TITLES

    ideal = {"ideal": "noise-free float32, clean passes and gradients (crossbar: ideal)"}
    native = {name: f"{title} (crossbar: native)" for name, title in TITLES.items()}
    return (ideal | native) | {
        name: f"{_first_sentence(preset.__doc__ or '')} (crossbar: aihwkit)"
        for name, preset in (PRESETS | BARE_CONFIGS).items()
    }


def _rules() -> dict[str, str]:
    from substrate.library import rule_names, rule_title

    return {name: _title_of(rule_title, name) for name in rule_names()}


def _noise() -> dict[str, str]:
    from substrate.library import noise_model, noise_models

    def title(name: str) -> str:
        return noise_model(name, Path()).title

    return {name: _title_of(title, name) for name in noise_models()}


def _title_of(title: Callable[[str], str], name: str) -> str:
    """Give a model's title, or what is wrong with the package that registers it."""
    try:
        return title(name)
    except PluginError as problem:
        return f"cannot be used: {problem}"


def _first_sentence(docstring: str) -> str:
    plain = re.sub(r":\w+:`~?(?:\w+\.)*(\w+)`", r"\1", " ".join(docstring.split()))
    return plain.split(". ")[0]


def _scenarios() -> dict[str, str]:
    return {
        name: str(load_yaml(path).data.get("title", ""))
        for name, path in shipped_scenarios().items()
    }
