"""Chips behind wires that tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from substrate.data import load_dataset
from substrate.data.dataset import Dataset
from substrate.run.training import ArmRun
from substrate.scenario.schema import Scenario
from substrate.wire.address import Guard
from substrate.wire.arm import serve_arm
from substrate.wire.host import RemoteHost
from substrate.wire.link import Link
from substrate.wire.retries import Patience
from substrate.wire.server import start_server
from substrate.wire.stream import Stream

CPU = torch.device("cpu")
NATIVE = {"crossbar": "native", "preset": "rasch_2019", "conductance": {"read_noise": 0.01}}
PULSES = {"name": "sgd", "learning_rate": 0.1, "write": "pulses"}
ADAM = {"name": "adam", "learning_rate": 0.003}
OWN_NOISE = {"source": "intrinsic", "baseline": "noisy"}
DANP = {"rule": "danp", "perturbation": OWN_NOISE, "optimiser": PULSES}
IMPATIENT = Patience(deadline=10.0, attempts_seconds=10.0)


def a_scenario(
    chip: dict[str, Any], learning: dict[str, Any], *, epochs: int = 1, **other: Any
) -> Scenario:
    """Digits on a small network, a tenth of them."""
    return Scenario.model_validate(
        {
            "name": "wire",
            "network": {"layers": [12, 11]},
            "training": {"epochs": epochs, "batch_size": 25},
            "arms": {"arm": {"chip": chip, "learning": learning}},
            "baselines": {"clean": {"learning": {"rule": "bp", "optimiser": ADAM}}},
            **other,
        }
    )


def few_digits(scenario: Scenario, count: int = 150) -> Dataset:
    """The first digits."""
    whole = load_dataset(scenario.data)
    return Dataset(
        whole.name,
        *(whole.x_train[:count], whole.y_train[:count]),
        *(whole.x_test[:40], whole.y_test[:40]),
        whole.n_out,
    )


@contextmanager
def a_server(
    scenario: Scenario, states: Path, address: str = "localhost:0", **options: Any
) -> Iterator[str]:
    """Serve the arm in this process; gives the address."""
    options = {"secret": False, "guard": Guard(), "device": CPU, **options}
    guard, device = options.pop("guard"), options.pop("device")
    data = few_digits(scenario)
    served = serve_arm(scenario, "arm", data.input_shape, data.n_out, device, states, **options)
    server, at = start_server(served, address, guard)
    try:
        yield at
    finally:
        server.stop(None).wait()


@contextmanager
def a_host(address: str, patience: Patience = IMPATIENT) -> Iterator[RemoteHost]:
    """Lease the chip at an address."""
    link = Link(Stream(address, Guard(), patience))
    try:
        link.lease()
        yield RemoteHost(link)
    finally:
        link.close()


def trained(scenario: Scenario, host: RemoteHost | None = None) -> tuple[ArmRun, list[float]]:
    """Train the arm; gives the run and what was figured."""
    run = ArmRun(scenario, "arm", 0, few_digits(scenario), CPU, host)
    figures = [value for each in run.epochs() for value in (each.test_loss, each.train_loss or 0.0)]
    return run, figures
