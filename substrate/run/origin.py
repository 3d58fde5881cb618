"""What the figures of a run, or of one of its units, depend on."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import torch
import yaml
from torch import Tensor

from substrate.data.dataset import Dataset
from substrate.environment import versions
from substrate.record.unit import Origin
from substrate.run.checkpoint import checksum
from substrate.run.code import named_code, own_code, registered_code
from substrate.scenario.changes import changes
from substrate.scenario.load import resolved
from substrate.scenario.schema import Scenario


def origin(scenario: Scenario, data: str, device: torch.device) -> Origin:
    """Say of what run something is.

    Args:
        scenario: what is run.
        data: the checksum of its data (`data_checksum`).
        device: where it is run.

    Raises:
        OSError: a file that the scenario names cannot be read.
    """
    settings = scenario.model_dump(mode="json", exclude={"data"})
    return origin_of(resolved(scenario), settings, data, device)


def origin_of(text: str, settings: object, data: str, device: torch.device) -> Origin:
    """As `origin`, of settings that are no whole scenario.

    Args:
        text: all settings.
        settings: those that may name files, apart from the data's.
        data: the checksum of the data.
        device: where it is run.
    """
    return Origin(
        scenario=text,
        data=data,
        files=named_code(settings) | registered_code(),
        versions=computing_versions(),
        device=device.type,
    )


@cache
def computing_versions() -> dict[str, str]:
    """Of the packages that compute, and of our own code."""
    # a machine that was stopped may come back with another kernel
    installed = {name: each for name, each in versions().items() if name != "platform"}
    return {**installed, "code": own_code()}


def data_checksum(dataset: Dataset) -> str:
    """SHA-256 of samples, targets and what is said of them.

    Args:
        dataset: on the CPU.
    """
    of_data = {field.name: getattr(dataset, field.name) for field in fields(dataset)}
    tensors = {name: value for name, value in of_data.items() if isinstance(value, Tensor)}
    others = {name: value for name, value in of_data.items() if name not in tensors}
    return checksum(tensors, repr(others))


def differences(then: Origin, now: Origin) -> list[str]:
    """Name what is not as it was, with both values; nothing where all is the same."""
    found = []
    if then.scenario != now.scenario:
        was, is_now = (yaml.safe_load(each.scenario) for each in (then, now))
        found += [f"{key} ({was}, now {now})" for key, was, now in changes(was, is_now)]
        found = found or ["the order of the scenario's keys"]
    if then.data != now.data:
        found.append("the data that the scenario names")
    found += [
        f"the file {path}"
        for path in dict.fromkeys([*then.files, *now.files])
        if then.files.get(path) != now.files.get(path)
    ]
    found += [f"{key} ({was}, now {now})" for key, was, now in changes(then.versions, now.versions)]
    if then.device != now.device:
        found.append(f"the device ({then.device}, now {now.device})")
    return found
