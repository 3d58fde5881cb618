"""Doing many units on an executor: this process, local ones, or those of a cluster.

`run_units` needs of the executor `submit` alone. A unit's progress is read from its own folder, so
it is seen wherever it is done. The executor may lose a task, as when a worker is killed for want of
memory: the unit is then tried again, and given up after `MOST_ATTEMPTS`.
"""

from __future__ import annotations

import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from datetime import datetime
from pathlib import Path

from substrate.files import write_atomically
from substrate.record import RecordError
from substrate.record.folder import METRICS, epochs
from substrate.record.metrics import Epoch
from substrate.record.unit import LOG
from substrate.run.store import Store, is_ended
from substrate.run.unit import Result, do_unit, epoch_written
from substrate.run.unit_figures import Done, read_unit
from substrate.run.unit_settings import Unit

MOST_ATTEMPTS = 3
_LOOK_SECONDS = 0.25
_BUSY_SECONDS = 1.0
_FILES_SECONDS = 60.0
"""A network file system may show what another machine has written only so much later."""


def run_units(
    units: Iterable[Unit | None],
    executor: Executor,
    at_once: int,
    store: Store,
    on_epoch: Callable[[Unit, Epoch], None],
    work: Callable[[str, str, str, str], Result] = do_unit,
) -> Iterator[tuple[Unit, Result]]:
    """Do units, in any order; gives each as it is done or given up.

    Args:
        units: as many as there are; taken one at a time as workers get free. None means that there
            is nothing to do before one of those under way has ended.
        executor: of any kind; not shut down here.
        at_once: how many of them it does side by side.
        store: where units lie, seen under the same path by all workers.
        on_epoch: is told of every epoch, with the arm's name as the unit has it.
        work: what does a unit.

    Raises:
        RecordError: a unit's folder is damaged, or its data is another.
        OSError: a unit cannot be written.
    """
    crew = _Crew(executor, store, on_epoch, work)
    waiting, exhausted = iter(units), False
    try:
        while True:
            # one more for every worker lies ready, so that none waits for us
            while crew.under_way < 2 * at_once:
                unit = crew.due() or (None if exhausted else next(waiting, _END))
                if unit is _END:
                    exhausted = True
                elif unit is None:
                    break
                elif is_ended(store.folder(unit.key)):
                    yield unit, Result("ended")
                else:
                    crew.submit(unit)
                    yield from crew.ended()
            if not crew.under_way and not crew.put_off and exhausted:
                return
            crew.wait()
            yield from crew.ended()
    finally:
        crew.cancel()


class UnitFailed(RuntimeError):
    """A unit was given up, where nothing is to be had without it; `str()` is its log."""


def read_result(store: Store, unit: Unit, result: Result) -> Done:
    """Read the figures of a unit that must be done.

    Raises:
        UnitFailed: it was given up.
        RecordError: it is damaged.
    """
    if result.state == "failed":
        raise UnitFailed(f"{unit.arm}, seed {unit.seed}: {result.log.strip()}")
    return read_unit(store.folder(unit.key), unit.key, unit.arm)


_END = Unit("", 0, "", "", "")


class _Watched:
    """A unit under way, and how much of its figures was seen."""

    def __init__(self, unit: Unit, folder: Path) -> None:
        self.unit = unit
        self._path = folder / METRICS
        self._file = -1
        self._seen = 0

    def look(self, on_epoch: Callable[[Unit, Epoch], None]) -> None:
        """Tell of what is new; of all of it where the unit was begun anew."""
        try:
            with self._path.open("rb") as file:
                number = os.fstat(file.fileno()).st_ino
                if number != self._file:
                    self._file, self._seen = number, 0
                file.seek(self._seen)
                content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            found = epochs(whole, self._path)
        except (OSError, RecordError):  # what is wrong with it, the unit itself says
            self._seen = 0
            return
        self._seen += len(whole)
        for record in found:
            on_epoch(self.unit, record.model_copy(update={"arm": self.unit.arm}))


class _Crew:
    def __init__(
        self,
        executor: Executor,
        store: Store,
        on_epoch: Callable[[Unit, Epoch], None],
        work: Callable[[str, str, str, str], Result],
    ) -> None:
        self._executor, self._store, self._on_epoch, self._work = executor, store, on_epoch, work
        self._under_way: dict[Future[Result], _Watched] = {}
        self._lost: dict[str, list[str]] = {}
        self._warned: set[str] = set()
        self.put_off: deque[tuple[float, Unit]] = deque()
        self._looked = 0.0

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def due(self) -> Unit | None:
        """A unit to be tried again, whose time has come."""
        if self.put_off and self.put_off[0][0] <= time.monotonic():
            return self.put_off.popleft()[1]
        return None

    def submit(self, unit: Unit) -> None:
        watched = _Watched(unit, self._store.folder(unit.key))
        token = epoch_written.set(lambda: watched.look(self._on_epoch))
        try:
            future = self._executor.submit(
                self._work, str(self._store.root), unit.key, unit.record, unit.trust
            )
        finally:
            epoch_written.reset(token)
        self._under_way[future] = watched

    def wait(self) -> None:
        if self._under_way:
            wait(self._under_way, _LOOK_SECONDS, FIRST_COMPLETED)
        elif self.put_off:
            time.sleep(_LOOK_SECONDS)
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            for watched in self._under_way.values():
                watched.look(self._on_epoch)

    def ended(self) -> Iterator[tuple[Unit, Result]]:
        for future in [each for each in self._under_way if each.done()]:
            watched = self._under_way.pop(future)
            watched.look(self._on_epoch)
            result = self._result(watched.unit, future)
            if result is None:
                continue
            if result.problem is not None:
                raise result.problem
            if result.state == "ended":
                self._await_files(watched.unit)
            yield watched.unit, result

    def _await_files(self, unit: Unit) -> None:
        """See to it that what a worker has written is seen here."""
        deadline = time.monotonic() + _FILES_SECONDS
        while not is_ended(self._store.folder(unit.key)):
            if time.monotonic() > deadline:
                raise RecordError(
                    f"{self._store.root}: the worker of {unit.arm} with seed {unit.seed} has"
                    " written into another store; all workers must see this one under this path"
                )
            time.sleep(_LOOK_SECONDS)

    def cancel(self) -> None:
        for future in self._under_way:
            future.cancel()

    def _result(self, unit: Unit, future: Future[Result]) -> Result | None:
        """None where the unit is to be tried again."""
        problem = CancelledError("it was cancelled") if future.cancelled() else future.exception()
        if problem is None:
            result = future.result()
            for text in result.warnings:
                if text not in self._warned:
                    self._warned.add(text)
                    warnings.warn(text, stacklevel=1)
            if result.state != "busy":
                self._lost.pop(unit.key, None)
                return result
            self.put_off.append((time.monotonic() + _BUSY_SECONDS, unit))
            return None
        # a unit catches what goes wrong in it, so this is what became of its worker
        lost = self._lost.setdefault(unit.key, [])
        lost.append(f"{datetime.now().isoformat(' ', 'seconds')}  {_what_happened(problem)}")
        if len(lost) < MOST_ATTEMPTS:
            self.put_off.append((time.monotonic(), unit))
            return None
        log = "\n".join(lost) + "\n"
        folder = self._store.folder(unit.key)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / LOG, log)
        return Result("failed", log)


def _what_happened(problem: BaseException) -> str:
    code = getattr(problem, "exitcode", None)
    if code == -9:
        return "the worker was killed (signal 9), as happens where memory runs out"
    if isinstance(code, int) and code < 0:
        return f"the worker died of signal {-code}"
    return f"the worker was lost: {type(problem).__name__}: {problem}"
