"""Arguments from Python, where a value of any type may come: one that is none is told so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from operator import index
from pathlib import Path
from typing import Any

from substrate.scenario.source import ScenarioError

SCENARIO_FILE = "must be the path of a scenario file, or the name of a shipped one"
RUN_FOLDER = "must be the path of a run folder"
NEW_FOLDER = "must be the path of a folder"


def as_path(value: object, argument: str, wanted: str) -> Path:
    """Give what may be a path as one.

    Args:
        value: that was given.
        argument: its name.
        wanted: what it must be, as a message says it.

    Raises:
        ScenarioError: it is no text, and no path.
    """
    if not isinstance(value, str | os.PathLike):
        raise ScenarioError(wanted, field=argument, found=value)
    return Path(value)


def refuse_no_text(**arguments: object) -> None:
    """See to it that names are text; None stands for one that was left out.

    Raises:
        ScenarioError: one of them is not.
    """
    for argument, value in arguments.items():
        if not isinstance(value, str | None):
            raise ScenarioError("must be a name, as text", field=argument, found=value)


def mapping_of(overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give values by dotted path; none of None.

    Raises:
        ScenarioError: it is no such mapping.
    """
    if not isinstance(overrides, Mapping | None) or not all(
        isinstance(path, str) for path in overrides or ()
    ):
        message = 'values by dotted path, such as {"training.epochs": 5}'
        raise ScenarioError(message, field="overrides", found=overrides)
    return dict(overrides or {})


def settings_of(
    overrides: Mapping[str, Any] | None,
) -> Iterable[tuple[str, Any, tuple[str, None]]]:
    """Give values by dotted path as they are laid over a scenario: path, value and place.

    Raises:
        ScenarioError: as `mapping_of`.
    """
    return [
        (path, value, (f"{path}={value!r}", None)) for path, value in mapping_of(overrides).items()
    ]


def whole_numbers(seeds: Iterable[int]) -> list[int]:
    """Give seeds as a list.

    Raises:
        ScenarioError: they are no whole numbers, or not several.
    """
    try:
        return [index(seed) for seed in seeds]
    except TypeError:
        message = "whole numbers in a list, such as [0, 1, 2]"
        raise ScenarioError(message, field="seeds", found=seeds) from None
