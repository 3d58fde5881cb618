"""Finding where the host waits for values of tensors, on a machine without a GPU."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_WAIT = {
    torch.ops.aten._local_scalar_dense,  # item, bool, int, float, and comparisons in an `if`
    torch.ops.aten.nonzero,
    torch.ops.aten.masked_select,
    torch.ops.aten.equal,
    torch.ops.aten.is_nonzero,
    torch.ops.aten._unique2,
    torch.ops.aten.unique_dim,
    torch.ops.aten.bincount,
}
"""Operations whose result, or its shape, is values that the host must have: a GPU is waited for."""


class HostWaits(TorchDispatchMode):
    """Lists every operation inside that would have the host wait for a GPU.

    What never reaches torch's dispatcher (`numpy`, `tolist` of a CPU tensor) is not seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        by_mask = func.overloadpacket in (torch.ops.aten.index, torch.ops.aten.index_put_) and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )
        if func.overloadpacket in _WAIT or by_mask:
            ours = [
                f"{frame.filename}:{frame.lineno}: {frame.line}"
                for frame in traceback.extract_stack()
                if any(f"/{part}/" in frame.filename for part in ("learning", "devices"))
            ]
            self.found.append(f"{func} at {ours[-1] if ours else 'an unknown place'}")
        return func(*args, **(kwargs or {}))


def waits_of(work: Callable[[], object]) -> list[str]:
    """List what `work` would wait for."""
    with HostWaits() as waits:
        work()
    return waits.found
