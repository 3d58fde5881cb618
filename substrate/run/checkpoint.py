"""Checkpoints: everything that a unit needs to go on as if it had not been stopped.

One safetensors file a unit, written beside and renamed, so that a kill at any moment leaves the
last whole one. Tensors are stored as such, the rest as JSON in the file's metadata; nothing is
pickled.
A checksum over both is stored with them, so that a file that was damaged later is refused.
A checkpoint holds the simulated hardware itself, weights included, so it is no part of what a unit
tells: it goes when the unit is done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from substrate.files import write_atomically
from substrate.record import RecordError
from substrate.record.unit import CHECKPOINT, UnitProgress


def save_checkpoint(folder: Path, tensors: Mapping[str, Tensor], progress: UnitProgress) -> None:
    """Write tensors of any device, and the progress, into a unit's folder."""
    on_cpu = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    told = progress.model_dump_json()
    metadata = {"progress": told, "sha256": checksum(on_cpu, told)}
    write_atomically(folder / CHECKPOINT, save(on_cpu, metadata=metadata))


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], UnitProgress] | None:
    """Read a unit's checkpoint, on the CPU; None where there is none.

    Raises:
        RecordError: the file is no checkpoint of ours, or it was damaged after it was written.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        told, stated = metadata["progress"], metadata["sha256"]
        found = checksum(tensors, told)
    except Exception as problem:
        reason = str(problem).partition("\n")[0]
        raise RecordError(f"{path}: is not a readable checkpoint: {reason}") from problem
    if found != stated:
        raise RecordError(f"{path}: is damaged: its content does not fit the checksum in it")
    return tensors, UnitProgress.read(told, path)


def drop_checkpoint(folder: Path) -> None:
    """Remove a unit's checkpoint."""
    (folder / CHECKPOINT).unlink(missing_ok=True)


def checksum(tensors: Mapping[str, Tensor], text: str = "") -> str:
    """SHA-256 of tensors on the CPU, with their names, types and shapes, and of a text."""
    found = hashlib.sha256(f"{len(text)} {text}".encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name!r} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.contiguous().reshape(-1)
        # one number alone counts as contiguous whatever its stride, and bytes need one of 1
        flat = flat.as_strided(flat.shape, (1,))
        # numpy knows not every type of torch's, but every one is bytes
        found.update(flat.view(torch.uint8).numpy().data)
    return found.hexdigest()
