"""Trying many inputs in forked workers: one that dies, hangs or takes memory costs itself alone."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

CHUNK = 1000
GOOD = ("valid", "refused")
_BEYOND = 16 << 30
"""Bytes of addresses that a worker may ask for at most, so that the machine survives."""

_WAITS = 10

Try = Callable[[int], tuple[str, str]]
"""Try an input by its number; gives its kind, and `valid`, `refused` or what fell short."""


def torture(
    prepare: Callable[[], AbstractContextManager[Try]], count: int, seconds: int
) -> tuple[dict[str, Counter[str]], list[tuple[int, str]]]:
    """Try inputs 0 to `count`, after one another.

    Args:
        prepare: makes ready in a worker, and gives what tries one input.
        count: of inputs.
        seconds: of the processor that one may take; of the clock ten times as many, so that a busy
            machine accuses nobody.

    Returns:
        How many ended how, by kind; and what fell short, by number.
    """
    context = multiprocessing.get_context("fork")
    ends: dict[str, Counter[str]] = {}
    short: list[tuple[int, str]] = []
    start = 0
    while start < count:
        at, queue = context.Value("q", start), context.SimpleQueue()
        numbers = range(start, min(start + CHUNK, count))
        process = context.Process(target=_work, args=(prepare, numbers, seconds, at, queue))
        process.start()
        done = 0
        while done < len(numbers) and (process.is_alive() or not queue.empty()):
            if queue.empty():
                time.sleep(0.01)
                continue
            number, (kind, end) = queue.get()
            done += 1
            ends.setdefault(kind, Counter())[end if end in GOOD else "short"] += 1
            if end not in GOOD:
                short.append((number, f"{kind}: {end}"))
        process.join()
        start += done
        if sys.stderr.isatty():
            print(f"{start:,} of {count:,}", end="\r", file=sys.stderr)
        if done < len(numbers):
            ends.setdefault("died", Counter())["short"] += 1
            late = process.exitcode in (-signal.SIGALRM, -signal.SIGPROF)
            what = "took too long" if late else "died"
            short.append((at.value, f"the process {what}: exit code {process.exitcode}"))
            start = at.value + 1
    return ends, short


def reset_peak() -> None:
    """Let the peak of this process's memory begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def memory(field: str) -> int:
    """Bytes of this process: VmRSS that it holds now, VmHWM that it held since `reset_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{field}:"))
    return int(kilobytes) * 1024


def place(problem: BaseException) -> str:
    """Where an exception was raised."""
    where = problem.__traceback__
    while where and where.tb_next:
        where = where.tb_next
    return f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else ""


def tell_short(short: Iterable[tuple[int, str]], most: int = 40) -> None:
    """Print what fell short, and how it can be made again."""
    found = list(short)
    for number, what in found[:most]:
        print(f"  --only {number}: {what}")
    if len(found) > most:
        print(f"  and {len(found) - most} more")


def _work(
    prepare: Callable[[], AbstractContextManager[Try]],
    numbers: range,
    seconds: int,
    at: Any,
    queue: Any,
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (_BEYOND, _BEYOND))
    warnings.simplefilter("ignore")
    with prepare() as attempt:
        for number in numbers:
            at.value = number
            # each ends the process; what waits, as for a pipe, takes no time of the processor
            signal.setitimer(signal.ITIMER_PROF, seconds)
            signal.alarm(_WAITS * seconds)
            queue.put((number, attempt(number)))
            signal.alarm(0)
            signal.setitimer(signal.ITIMER_PROF, 0)
