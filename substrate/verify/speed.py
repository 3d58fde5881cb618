"""Timing what is under test beside what it is compared with."""

from __future__ import annotations

import time
from collections.abc import Callable


def fastest(*tasks: Callable[[], object], repeats: int = 5) -> tuple[float, ...]:
    """Shortest time of every task in seconds, taken in turns."""
    times = [[0.0] * repeats for _ in tasks]
    for repeat in range(repeats):
        for number, task in enumerate(tasks):
            begun = time.perf_counter()
            task()
            times[number][repeat] = time.perf_counter() - begun
    return tuple(min(each) for each in times)
