"""How our loops are compiled by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast, no_type_check

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

CONTRACT: Final[dict[str, Any]] = {"fastmath": {"contract"}}
"""a · b + c may be one instruction, and no other liberty is taken with the order of operations."""


def compiled(signature: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Compile at once, and keep the code for the next process where there is a place to keep it."""

    @no_type_check
    def compile_(function):
        try:
            return njit(signature, nogil=True, cache=True, error_model="numpy", **CONTRACT)(
                function
            )
        except RuntimeError:  # neither this folder nor the user's cache can be written
            return njit(signature, nogil=True, error_model="numpy", **CONTRACT)(function)

    return cast(Callable[[Callable[..., None]], Callable[..., None]], compile_)


@intrinsic
@no_type_check
def use_wide_vectors(_):
    """Let LLVM take vectors of 512 bits in the function that calls this, where there are any.

    By itself it takes 256, for the sake of processors whose clock falls with wider ones.
    """

    def mark(context, builder, _signature, _arguments):
        # llvmlite has a list of attributes that it takes, and this one is not on it
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), mark


@intrinsic
@no_type_check
def lowest_bit(_, word):
    """Give the place of the lowest bit of a 64-bit word that is set; one must be."""

    def count(context, builder, _signature, arguments):
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(word), count
