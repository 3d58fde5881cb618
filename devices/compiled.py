"""How our loops are compiled by numba."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, Final, cast, no_type_check

import numpy as np
from numba import njit, types
from numba.core import cgutils
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher
from numba.extending import intrinsic

CONTRACT: Final[dict[str, Any]] = {"fastmath": {"contract"}}
"""a · b + c may be one instruction, and no other liberty is taken with the order of operations."""


class _Cache(FunctionCache):
    """Code that is kept for the next process, under all that it was compiled from.

    numba looks whether the file of the function itself has changed, and would go on with old code
    where only what it calls has.
    """

    @no_type_check
    def __init__(self, function):
        super().__init__(function)
        self._made_of = _made_of(function)

    @no_type_check
    def _index_key(self, sig, codegen):
        return (*super()._index_key(sig, codegen), self._made_of)


def compiled(signature: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Compile at once, and keep the code for the next process where there is a place to keep it."""

    @no_type_check
    def compile_(function):
        kernel = njit(nogil=True, error_model="numpy", **CONTRACT)(function)
        # neither this folder nor the user's cache can be written, or sources cannot be read
        with suppress(RuntimeError, OSError):
            kernel._cache = _Cache(function)
        kernel.compile(signature)
        kernel.disable_compile()
        return kernel

    return cast(Callable[[Callable[..., None]], Callable[..., None]], compile_)


def _made_of(function: FunctionType) -> str:
    """Give a checksum of the sources and the numbers that a function is compiled from."""
    found = hashlib.sha256()
    for part in sorted({_source(__file__), *_parts(function, set())}):
        found.update(part.encode())
    return found.hexdigest()


def _parts(function: FunctionType, seen: set[FunctionType]) -> Iterator[str]:
    """Give the source of a function and of those it calls, and the numbers that they name."""
    seen.add(function)
    yield _source(function.__code__.co_filename)
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, Dispatcher):
            if value.py_func not in seen:
                yield from _parts(value.py_func, seen)
        elif isinstance(value, (int, float, tuple, np.generic)):
            yield f"{name} = {value!r}"


@cache
def _source(file: str) -> str:
    return Path(file).read_text(encoding="utf-8")


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
