"""A yes or no that is found where the tensors are, and looked at later on the host.

To look at it at once would have the host wait for everything that it has asked of a GPU so far.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor


class Flag:
    """A flag that is sent to the host."""

    def __init__(self, flag: Bool[Tensor, ""]) -> None:
        """Send it off."""
        self._arrived: torch.cuda.Event | None = None
        self._flag = flag
        if flag.is_cuda:
            self._flag = torch.empty_like(flag, device="cpu", pin_memory=True)
            self._flag.copy_(flag, non_blocking=True)
            self._arrived = torch.cuda.Event()
            self._arrived.record(torch.cuda.current_stream(flag.device))

    @property
    def known(self) -> bool:
        """Whether it has arrived, so that looking at it waits for nothing."""
        return self._arrived is None or self._arrived.query()

    def __bool__(self) -> bool:
        """Look at it, and wait for it where it has not arrived."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return bool(self._flag)
