"""Finding what would make the host wait for a device, without a device."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# their results have a shape, or are a number, that the host must know
_WAITS = {
    "aten::_local_scalar_dense",
    "aten::item",
    "aten::nonzero",
    "aten::masked_select",
    "aten::_unique2",
    "aten::unique_dim",
    "aten::equal",
}


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


class HostCopies(TorchDispatchMode):
    """Notes operations that wait for the device, and those that bring data to or from it.

    On the meta device an operation that asks for a value raises by itself; a number on the host
    that meets a tensor of the device is no copy, a tensor on the host is.

    Attributes:
        found: the operations' names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **kwargs or {})
        name = function._schema.name
        places = {each.device.type for each in _tensors([*args, *(kwargs or {}).values(), result])}
        mask = name.startswith("aten::index") and any(
            each.dtype == torch.bool for each in _tensors(args[1:2])
        )
        if name in _WAITS or mask or len(places) > 1:
            self.found.append(name)
        return result
