"""Digital multiplications of a learner, counted from the operations that torch carries out.

Products of matrices and convolutions are counted by torch's own formulas
(`torch.utils.flop_counter`, two operations a multiplication); what these leave out by those of
`substrate.run.operations`. Sums, comparisons and functions such as the exponential count nothing.
What is in neither list is named, so that the count is known to be a lower bound.

Their number follows from the shapes alone. So torch's operations are looked at in the first step of
every kind, and later steps of that kind are taken to be the same: looking costs more than a small
step itself.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable
from functools import cache
from types import FrameType
from typing import Any, TypeVar

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from substrate.run.operations import FREE, multiplications_of

_Result = TypeVar("_Result")


class Multiplications:
    """A running count, kind of step by kind of step.

    Attributes:
        total: so far.
        uncounted: names of torch's operations that may multiply and have no formula here.
    """

    def __init__(self) -> None:
        """Start at nothing."""
        self.total = 0
        self.uncounted: set[str] = set()
        self._of_kind: dict[Hashable, int] = {}

    def count(self, kind: Hashable, step: Callable[[], _Result]) -> _Result:
        """Make a step, and add what steps of its kind take."""
        if kind in self._of_kind:
            result = step()
        else:
            with _Counter() as counter:
                result = step()
            self._of_kind[kind] = counter.multiplications
            self.uncounted |= counter.uncounted
        self.total += self._of_kind[kind]
        return result


class _Counter(TorchDispatchMode):
    """Counts what learners do while it is entered; chips count for themselves."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.multiplications = 0
        self.uncounted: set[str] = set()
        self._thread = threading.get_ident()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here, and to keep it so torch would import its compiler: seconds."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if _is_learners(self._thread):
            self._add(func, args, kwargs or {}, result)
        return result

    def _add(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        name: str = func.overloadpacket.__name__
        counted = multiplications_of(name.removesuffix("_"), args, kwargs, result)
        if counted is None and (formula := _torchs_formulas().get(func.overloadpacket)):
            counted = formula(*args, **kwargs, out_val=result) // 2
        if counted is not None:
            self.multiplications += counted
            return
        given = args if result is None else result  # what changes a list in place gives nothing
        if name.removesuffix("_") not in FREE and not func.is_view and _has_numbers(given):
            self.uncounted.add(name.removesuffix("_"))


def _is_learners(thread: int) -> bool:
    """Whether it is the learner that called last, of learner and chip.

    Args:
        thread: that made the step. Autograd goes backwards on a GPU in a thread of its own, where
            nobody has called: the one that waits for it has.
    """
    for innermost in (sys._getframe(1), sys._current_frames()[thread]):
        frame: FrameType | None = innermost
        while frame is not None:
            package = frame.f_globals.get("__name__", "").partition(".")[0]
            if package in ("learning", "devices"):
                return bool(package == "learning")
            frame = frame.f_back
    return False


@cache
def _torchs_formulas() -> dict[Any, Callable[..., int]]:
    # where triton is installed, this imports it
    from torch.utils.flop_counter import flop_registry

    return flop_registry


def _has_numbers(result: Any) -> bool:
    """Whether there is a tensor of numbers in what an operation gave."""
    if isinstance(result, Tensor):
        return result.is_floating_point() or result.is_complex()
    return isinstance(result, list | tuple) and any(map(_has_numbers, result))
