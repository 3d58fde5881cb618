"""torch, imported where something of it is first used.

It takes longer to import than a scenario to check. So modules whose settings a scenario is checked
against take torch from here, and what they name in annotations alone from torch `if TYPE_CHECKING`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch as torch
else:

    class _Torch:
        def __getattr__(self, name: str) -> Any:
            import torch

            value = getattr(torch, name)
            setattr(self, name, value)
            return value

    torch = _Torch()
