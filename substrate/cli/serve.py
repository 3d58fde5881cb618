"""`substrate serve`."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from substrate.cli.scenario import open_scenario
from substrate.nearest import did_you_mean
from substrate.scenario.schema import RemoteChip
from substrate.scenario.source import ScenarioError
from substrate.terminal import tell

if TYPE_CHECKING:
    from substrate.wire.address import GuardError


class Serving(NamedTuple):
    """How a chip is served.

    Attributes:
        address: where to listen.
        files: certificate, key, authority and token.
        repeatable: whether noise follows from the seed.
        states: folder of kept states.
        lease_seconds: until a lease lapses.
        max_message_bytes: of one message.
        device: where the chip is simulated.
    """

    address: str
    files: tuple[Path | None, Path | None, Path | None, Path | None]
    repeatable: bool
    states: Path | None
    lease_seconds: float
    max_message_bytes: int
    device: str


def serve_command(
    path: Path, name: str, overrides: list[str], budget: str, serving: Serving
) -> None:
    """Serve an arm's chip until SIGINT or SIGTERM.

    Raises:
        ScenarioError: the scenario, the arm or an option is wrong.
    """
    scenario, source = open_scenario(path, overrides, budget)
    arm = scenario.all_arms.get(name)
    if arm is None:
        hint = did_you_mean(name, scenario.all_arms)
        raise ScenarioError("the scenario has no such arm", file="--arm", found=name, hint=hint)
    if isinstance(arm.chip, RemoteChip):
        raise ScenarioError("this chip is behind a wire already", file="--arm", found=name)
    from substrate.wire.address import AddressError, Guard, GuardError, check_guard

    guard = Guard(*serving.files)
    try:
        # before anything that takes long
        check_guard(serving.address, guard)
        guard.secret()
        for part in ("certificate", "key", "authority"):
            guard.read(part)
    except GuardError as problem:
        raise guard_refused(problem) from None
    except AddressError as problem:
        raise ScenarioError(str(problem), file="--listen", found=serving.address) from None
    from substrate.assemble.dataset import checked_dataset
    from substrate.run.session import compute_device
    from substrate.wire.arm import serve_arm
    from substrate.wire.server import start_server

    device = compute_device(serving.device)
    dataset = checked_dataset(scenario, source)
    served = serve_arm(
        *(scenario, name, dataset.input_shape, dataset.n_out, device),
        serving.states or _states(path, name),
        secret=not serving.repeatable,
        lease_seconds=serving.lease_seconds,
        max_message_bytes=serving.max_message_bytes,
    )
    try:
        server, address = start_server(served, serving.address, guard)
    except AddressError as problem:
        raise ScenarioError(str(problem), file="--listen", found=serving.address) from None
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    tell(f"Serving {name} ({served.about.title}) at {address}. Ctrl-C ends it.")
    over.wait()
    server.stop(1.0).wait()


def guard_refused(problem: GuardError) -> ScenarioError:
    """The error of an option that names a file of a guard."""
    return ScenarioError(str(problem), file=f"--{problem.part} {problem.path}", hint=problem.hint)


def _states(path: Path, name: str) -> Path:
    """The same folder at every start, so that what was kept is found after a restart."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    about = hashlib.sha256(f"{path.absolute()} {name}".encode()).hexdigest()[:16]
    return cache / "substrate" / "served" / about
