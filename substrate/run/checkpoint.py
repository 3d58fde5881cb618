"""Checkpoints: everything that a run needs to go on as if it had not been stopped.

One safetensors file a run, written beside and renamed, so that a kill at any moment leaves the last
whole one. Tensors are stored as such, the rest as JSON in the file's metadata; nothing is pickled.
A checkpoint holds the simulated hardware itself, weights included, so it is no part of what a run
tells: it goes when the run ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from substrate.files import write_atomically

FILE_NAME = "checkpoint.safetensors"


class CheckpointError(Exception):
    """A checkpoint cannot be read."""


def save_checkpoint(
    folder: Path, tensors: Mapping[str, Tensor], progress: Mapping[str, Any]
) -> None:
    """Write tensors of any device, and progress as JSON, into a run folder."""
    on_cpu = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    content = save(on_cpu, metadata={"progress": json.dumps(progress)})
    write_atomically(folder / FILE_NAME, content)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Read a run folder's checkpoint, on the CPU; None where there is none.

    Raises:
        CheckpointError: the file is no checkpoint of ours.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        progress: dict[str, Any] = json.loads(metadata["progress"])
    except Exception as problem:
        raise CheckpointError(f"{path} is not a readable checkpoint: {problem}") from problem
    return tensors, progress


def drop_checkpoint(folder: Path) -> None:
    """Remove a run folder's checkpoint."""
    (folder / FILE_NAME).unlink(missing_ok=True)
