"""Arguments from Python, where a value of any type may come: one that is none is told so."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from operator import index
from pathlib import Path
from typing import Any, SupportsIndex

from substrate.run.session import How
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


def whole_number(value: SupportsIndex, argument: str) -> int:
    """Give what counts as a whole number, one of NumPy's too, as an `int`.

    Args:
        value: that was given.
        argument: its name.

    Raises:
        ScenarioError: it is none.
    """
    try:
        return index(value)
    except TypeError:
        raise ScenarioError("must be a whole number", field=argument, found=value) from None


def as_how(
    device: str,
    jobs: int | None,
    cluster: str | None,
    until_decided: bool = False,
    at_most: int = How.at_most,
    sensitivity: bool = False,
) -> How:
    """Give how units are done, as `How` has it.

    Raises:
        ScenarioError: `device` or `cluster` is no text, `jobs` or `at_most` no whole number, or as
            `How`.
    """
    refuse_no_text(device=device, cluster=cluster)
    jobs = None if jobs is None else whole_number(jobs, "jobs")
    at_most = whole_number(at_most, "at_most")
    return How(device, jobs, cluster, until_decided, at_most, sensitivity=sensitivity)


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
