"""What must be the same for a stopped run to go on as if it had not been stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import torch
import yaml
from torch import Tensor

from substrate.data.dataset import Dataset
from substrate.environment import versions
from substrate.record.progress import Origin
from substrate.run.checkpoint import checksum
from substrate.scenario.changes import changes
from substrate.scenario.load import resolved
from substrate.scenario.schema import Scenario


def origin(scenario: Scenario, dataset: Dataset, device: torch.device) -> Origin:
    """Say of what run a checkpoint is.

    Args:
        scenario: what is run.
        dataset: its data, on the CPU.
        device: where it is run.
    """
    of_data = {field.name: getattr(dataset, field.name) for field in fields(dataset)}
    tensors = {name: value for name, value in of_data.items() if isinstance(value, Tensor)}
    others = {name: value for name, value in of_data.items() if name not in tensors}
    return Origin(
        scenario=resolved(scenario),
        data=checksum(tensors, repr(others)),
        files={
            path: _hash(path) for path in _files(scenario.model_dump(mode="json", exclude={"data"}))
        },
        # a machine that was stopped may come back with another kernel
        versions={name: each for name, each in versions().items() if name != "platform"},
        device=device.type,
    )


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


def _files(value: object) -> Iterator[str]:
    """Files that a scenario's settings name, such as a trace, or a class's `my_lab.py:MyNoise`."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _files(each)
    elif isinstance(value, list):
        for each in value:
            yield from _files(each)
    elif isinstance(value, str) and Path(value).is_absolute():
        before, _, _ = value.rpartition(":")
        yield from (path for path in (value, before) if path and Path(path).is_file())


def _hash(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
