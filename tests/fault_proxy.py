"""A proxy between learner and chip that spoils what goes through it, as benches and networks do.

delay     a piece comes later
drop      a piece never comes
cut       the connection ends
reorder   a piece comes after the next one
corrupt   bits of a piece are flipped
restart   the chip is started anew (`restart` is called), and the connection ends
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

KINDS = ("delay", "drop", "cut", "reorder", "corrupt", "restart")


class FaultProxy:
    """Listens on a port of its own, and injects faults until so many were."""

    def __init__(
        self,
        server: tuple[str, int],
        faults: int,
        *,
        every: float,
        seed: int = 0,
        restarts: int = 0,
        restart: Callable[[], None] = lambda: None,
    ) -> None:
        """Spoil one piece in `every`, on average; so many of the faults are restarts.

        Restarts are spread evenly over the faults. Were they drawn like the others, most would
        fall on a learner that is still on its way back from the last one, and has nothing to lose.
        """
        self.server = server
        self.injected: Counter[str] = Counter()
        self._left, self._restart = faults, restart
        self._restarts_at = {round((n + 1) * faults / (restarts + 1)) for n in range(restarts)}
        self._chance, self._random = 1 / every, random.Random(seed)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def left(self) -> int:
        return self._left

    def changed(self, piece: bytes, *, to_learner: bool) -> bytes:
        """Change a piece on its way; here, beyond the faults, nothing."""
        return piece

    def close(self) -> None:
        self._listener.close()
        self._cut_all()

    def _accept(self) -> None:
        while True:
            try:
                learner, _ = self._listener.accept()
            except OSError:
                return
            try:
                chip = socket.create_connection(self.server, timeout=5)
                chip.settimeout(None)
            except OSError:
                learner.close()
                continue
            self._open |= {learner, chip}
            for way in ((learner, chip, False), (chip, learner, True)):
                threading.Thread(target=self._pump, args=way, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, to_learner: bool) -> None:
        held = b""
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                fault = self._next_fault()
                if fault == "delay":
                    time.sleep(self._random.uniform(0, 0.02))
                elif fault == "drop":
                    continue
                elif fault == "cut":
                    break
                elif fault == "corrupt":
                    spoiled = bytearray(piece)
                    for _ in range(3):
                        spoiled[self._random.randrange(len(spoiled))] ^= (
                            1 << self._random.randrange(8)
                        )
                    piece = bytes(spoiled)
                elif fault == "reorder":
                    held = piece
                    source.settimeout(0.05)
                    try:
                        piece = source.recv(65536)
                    except TimeoutError:
                        piece = b""
                    finally:
                        source.settimeout(None)
                    piece, held = piece + held, b""
                elif fault == "restart":
                    self._restart()
                    self._cut_all()
                    break
                sink.sendall(self.changed(piece, to_learner=to_learner))
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
            self._open.discard(each)

    def _next_fault(self) -> str | None:
        with self._lock:
            if self._left <= 0 or self._random.random() >= self._chance:
                return None
            due = self._left in self._restarts_at
            kind = "restart" if due else self._random.choice(KINDS[:-1])
            self._left -= 1
            self.injected[kind] += 1
            return kind

    def _cut_all(self) -> None:
        for each in list(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
