"""A chip in a process of its own, at the end of a pipe that no other process reaches.

The learner's process holds neither the chip nor anything that leads to it: what travels is what
`substrate/wire/chip.proto` names. Processes are forked from the server of local workers, which has
imported all that they need; one of them ends with the process that asked for it, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from substrate.data.dataset import Dataset
from substrate.plugins import told_trust, trusting_as_told
from substrate.run.server import server_context
from substrate.scenario.schema import Scenario
from substrate.wire.errors import ChipUnreachable
from substrate.wire.host import RemoteHost
from substrate.wire.link import Link
from substrate.wire.pipe import Pipe, serve_pipe
from substrate.wire.shared import share, shared

_START_SECONDS = 120.0


@contextmanager
def isolated_host(
    scenario: Scenario, name: str, dataset: Dataset, device: torch.device, states: Path
) -> Iterator[RemoteHost]:
    """Serve an arm's simulated chip from a process of its own, for as long as the block lasts.

    Args:
        scenario: that has the arm.
        name: of the arm.
        dataset: its data.
        device: where the chip is simulated.
        states: the folder of the states that the chip keeps.

    Raises:
        ChipUnreachable: the process ended before it served.
        ChipEnded: it ended later.
    """
    ours, theirs = multiprocessing.Pipe()
    memory = share(server_context())
    process = server_context().Process(
        target=_serve,
        args=(
            *(_settings(scenario, name), name, tuple(dataset.input_shape), dataset.n_out),
            *(device.type, str(states), told_trust(), theirs, memory),
        ),
    )
    try:
        process.start()
        theirs.close()
        told = ours.recv_bytes().decode() if ours.poll(_START_SECONDS) else "it does not begin"
        if told:
            raise ChipUnreachable(f"the process of the chip could not be started: {told}")
        pipe = Pipe(ours, "the chip", shared(memory))
        yield RemoteHost(Link(pipe), "")
        for warning in pipe.end():
            warnings.warn(warning, stacklevel=1)
    except EOFError:
        raise ChipUnreachable("the process of the chip ended as it started") from None
    finally:
        ours.close()
        if process.pid is not None:
            process.kill()
            process.join()


def _settings(scenario: Scenario, name: str) -> str:
    """Give a scenario of this arm alone as JSON; one must have baselines."""
    arms = {name: scenario.all_arms[name]}
    alone = scenario.model_copy(update={"arms": arms, "baselines": {f"{name} too": arms[name]}})
    return alone.model_dump_json(exclude_none=True)


def _serve(
    settings: str,
    name: str,
    input_shape: tuple[int, ...],
    n_out: int,
    device: str,
    states: str,
    trust: str,
    pipe: Connection,
    memory: tuple[Any, Any] | None,
) -> None:
    from substrate.wire.arm import serve_arm

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the learner's process says when it is over
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    try:
        with trusting_as_told(trust):
            scenario = Scenario.model_validate_json(settings, context={"folder": Path()})
            served = serve_arm(
                *(scenario, name, input_shape, n_out, torch.device(device), Path(states)),
                secret=False,
            )
    except Exception as problem:
        pipe.send_bytes(f"{type(problem).__name__}: {problem}".partition("\n")[0].encode())
        return
    pipe.send_bytes(b"")
    with trusting_as_told(trust):
        serve_pipe(served, pipe, shared(memory))
