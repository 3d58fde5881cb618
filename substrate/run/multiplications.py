"""Digital multiplications of a learner, counted from the operations that torch carries out.

Products of matrices count n · m · k, element-wise products, quotients, squares and roots one an
element, Cholesky's factors n³ / 6, its solutions n² a right-hand side and its inverses n³ / 3, a
fused step of Adam 8 an element. Sums, comparisons and exponentials count nothing.

Their number follows from the shapes alone. So torch's operations are looked at in the first step of
every kind, and later steps of that kind are taken to be the same: looking costs more than a small
step itself.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_Result = TypeVar("_Result")


class Multiplications:
    """A running count, kind of step by kind of step.

    Attributes:
        total: so far.
    """

    def __init__(self) -> None:
        """Start at nothing."""
        self.total = 0
        self._of_kind: dict[Hashable, int] = {}

    def count(self, kind: Hashable, step: Callable[[], _Result]) -> _Result:
        """Make a step, and add what steps of its kind take."""
        if kind in self._of_kind:
            result = step()
        else:
            with _Counter() as counter:
                result = step()
            self._of_kind[kind] = counter.multiplications
        self.total += self._of_kind[kind]
        return result


class _Counter(TorchDispatchMode):
    """Counts what learners do while it is entered; chips count for themselves."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.multiplications = 0

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
        if _is_learners():
            self.multiplications += _multiplications(func, args, kwargs or {}, result)
        return result


def _is_learners() -> bool:
    """Whether it is the learner that called last, of learner and chip."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package in ("learning", "devices"):
            return bool(package == "learning")
    return False


def _multiplications(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> int:
    name: str = func.overloadpacket.__name__.removesuffix("_")

    def size(place: int) -> tuple[int, ...]:
        return tuple(args[place].shape)

    if name in ("mm", "bmm"):
        return math.prod(size(0)) * size(1)[-1]
    if name in ("addmm", "baddbmm"):
        return math.prod(size(1)) * size(2)[-1]
    if name == "linalg_cholesky_ex":
        return math.prod(size(0)) * size(0)[-1] // 6
    if name == "cholesky_solve":
        return math.prod(size(0)) * size(1)[-1]
    if name == "cholesky_inverse":
        return math.prod(size(0)) * size(0)[-1] // 3
    if name in ("_fused_adam", "_fused_adamw"):
        return 8 * _elements(args[0])
    if name == "_fused_sgd":
        momentum = kwargs.get("momentum", 0.0)
        return (2 if momentum else 1) * _elements(args[0])
    each = _ELEMENTWISE.get(name, 0)
    return each * result.numel() if each and isinstance(result, Tensor) else 0


def _elements(tensors: list[Tensor]) -> int:
    return sum(each.numel() for each in tensors)


_ELEMENTWISE = {
    "mul": 1,
    "div": 1,
    "pow": 1,
    "sqrt": 1,
    "rsqrt": 2,
    "reciprocal": 1,
    "lerp": 1,
    "addcmul": 2,
    "addcdiv": 2,
    "tanh_backward": 2,
    "mean": 1,
}
